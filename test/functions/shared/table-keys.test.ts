import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clientTokenKey,
  drainKey,
  endMarkKey,
  ITEM_BOUNDS,
  itemKindOf,
  lineKey,
  outcomeKey,
  ownerKey,
  permitKey,
  placeKey,
  STREAM_GROUPS_KEY,
  SWITCH_KEY,
  sessionOfPartition,
  sessionPartition,
  TAG_MATCHES_KEY,
  waitingKey,
  windowKey,
} from '../../../functions/shared/contracts/table-keys.ts';

const idOf = (maxLength: number) =>
  fc.stringMatching(/^[a-zA-Z0-9-]{1,128}$/, { maxLength }).filter((id) => id.length <= maxLength);
const sessions = fc.record({ streamGroupId: idOf(128), streamSessionId: idOf(68) });
const SESSION = { streamGroupId: 'sg-1', streamSessionId: 'session' };

describe('a key of the table', () => {
  const keys = [
    [windowKey(SESSION), 'session#sg-1/session', 'window'],
    [outcomeKey(SESSION, 12), 'session#sg-1/session', 'outcome#000012'],
    [placeKey(SESSION), 'session#sg-1/session', 'place'],
    [clientTokenKey(SESSION, 'hash'), 'session#sg-1/session', 'client-token#hash'],
    [endMarkKey(SESSION), 'session#sg-1/session', 'end'],
    [ownerKey(SESSION), 'owner#session/sg-1', 'owner'],
    [waitingKey('sg-1'), 'waiting#sg-1', 'waiting'],
    [lineKey('GetStreamSession'), 'line#GetStreamSession', 'line'],
    [permitKey('GetStreamSession', '#low'), 'permit#GetStreamSession#low', 'permit'],
    [drainKey('sg-1AB2C3De4'), 'drain#sg-1AB2C3De4', 'drain'],
    [SWITCH_KEY, 'switch', 'switch'],
    [STREAM_GROUPS_KEY, 'groups#all', 'stream-groups'],
    [TAG_MATCHES_KEY, 'groups#all', 'tag-matches'],
  ] as const;

  it.each(keys)('is what deployed tables have: %o', (key, pk, sk) => {
    expect(key).toEqual({ pk, sk });
  });

  it('names a kind of item that has a bound, and every bound has a key', () => {
    expect(new Set(keys.map(([key]) => itemKindOf(key)))).toEqual(new Set(Object.keys(ITEM_BOUNDS)));
  });
});

describe("a session's part of the table", () => {
  it('is no part of another session', () => {
    fc.assert(
      fc.property(sessions, sessions, (one, other) => {
        const areSame =
          one.streamGroupId === other.streamGroupId && one.streamSessionId === other.streamSessionId;
        expect(sessionPartition(one) === sessionPartition(other)).toBe(areSame);
      }),
    );
    expect(sessionPartition({ streamGroupId: 'a', streamSessionId: 'b' })).toBe('session#a/b');
  });

  it('names its session', () => {
    fc.assert(
      fc.property(sessions, (session) => {
        expect(sessionOfPartition(sessionPartition(session))).toEqual(session);
      }),
    );
  });
});
