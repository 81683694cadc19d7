import { describe, expect, it } from 'vitest';
import { bindClientToken } from '../../functions/request-connection/offer.ts';
import { failNext } from '../helpers/failing-table.ts';
import { newSession } from '../helpers/sessions.ts';
import { allItems, useTable } from '../helpers/table.ts';

const table = useTable();
const NOW_MS = Date.UTC(2026, 0, 1);
const binding = {
  clientToken: 'token-of-the-caller-0123456789abcdef',
  signalRequest: 'offer-1',
  nowMs: NOW_MS,
};

describe('a ClientToken', () => {
  it('is taken with its first offer, and with the same offer again', async () => {
    const session = newSession();

    expect(await bindClientToken(table(), session, binding)).toBe(true);
    expect(await bindClientToken(table(), session, { ...binding, nowMs: NOW_MS + 1000 })).toBe(true);
  });

  it('is refused with another offer, and stays bound to the first', async () => {
    const session = newSession();
    await bindClientToken(table(), session, binding);

    expect(await bindClientToken(table(), session, { ...binding, signalRequest: 'offer-2' })).toBe(false);
    expect(await bindClientToken(table(), session, binding)).toBe(true);
  });

  it('of one session says nothing about the same token of another', async () => {
    await bindClientToken(table(), newSession(), binding);

    expect(await bindClientToken(table(), newSession(), { ...binding, signalRequest: 'offer-2' })).toBe(true);
  });

  it('is bound to one of many offers that come with it at once', async () => {
    const session = newSession();

    const taken = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        bindClientToken(table(), session, { ...binding, signalRequest: `offer-${index}` }),
      ),
    );

    expect(taken.filter(Boolean)).toHaveLength(1);
  });

  it('of another caller locks nobody out, and locks itself out only', async () => {
    const session = newSession();
    const mine = { ...binding, caller: 'arn:aws:sts::111122223333:assumed-role/backend/i-1' };
    const foreign = { ...binding, signalRequest: 'foreign', caller: 'arn:aws:iam::111122223333:user/other' };
    await bindClientToken(table(), session, foreign);

    expect(await bindClientToken(table(), session, mine)).toBe(true);
    expect(await bindClientToken(table(), session, { ...mine, signalRequest: 'offer-2' })).toBe(false);
    expect(await bindClientToken(table(), session, foreign)).toBe(true);
    expect(await bindClientToken(table(), session, mine)).toBe(true);
  });

  it('of two callers is bound by the latest of them only, and locks neither out', async () => {
    const session = newSession();
    const one = { ...binding, caller: 'arn:aws:iam::111122223333:user/one' };
    const other = { ...binding, signalRequest: 'offer-2', caller: 'arn:aws:iam::111122223333:user/other' };
    await bindClientToken(table(), session, one);
    await bindClientToken(table(), session, other);

    expect(await bindClientToken(table(), session, { ...other, signalRequest: 'offer-3' })).toBe(false);
    expect(await bindClientToken(table(), session, { ...one, signalRequest: 'offer-3' })).toBe(true);
    expect(await bindClientToken(table(), session, other)).toBe(true);
  });

  it('is bound for all sessions of a role, whose machines repeat each other’s requests', async () => {
    const session = newSession();
    const by = (machine: string) => `arn:aws:sts::111122223333:assumed-role/backend/${machine}`;
    await bindClientToken(table(), session, { ...binding, caller: by('i-1') });

    const other = { ...binding, signalRequest: 'offer-2', caller: by('i-2') };
    expect(await bindClientToken(table(), session, other)).toBe(false);
    expect(await bindClientToken(table(), session, { ...binding, caller: by('i-2') })).toBe(true);
  });

  it('that earlier code bound stays bound for every caller', async () => {
    const session = newSession();
    await bindClientToken(table(), session, binding);

    const later = { ...binding, signalRequest: 'offer-2', caller: 'arn:aws:iam::111122223333:user/other' };
    expect(await bindClientToken(table(), session, later)).toBe(false);
  });

  it('rests as hashes only, and for an hour longer than a session can live', async () => {
    const session = newSession();
    await bindClientToken(table(), session, { ...binding, caller: 'arn:aws:iam::111122223333:user/jo' });

    const items = (await allItems(table())).filter(({ pk }) => String(pk).includes(session.streamSessionId));

    expect(items).toHaveLength(1);
    expect(Object.keys(items[0] ?? {}).sort()).toEqual(['boundBy', 'expiresAt', 'offerHash', 'pk', 'sk']);
    expect(JSON.stringify(items)).not.toContain(binding.clientToken);
    expect(JSON.stringify(items)).not.toContain(binding.signalRequest);
    expect(JSON.stringify(items)).not.toContain('user/jo');
    expect(items[0]?.['expiresAt']).toBe((NOW_MS + 25 * 3600 * 1000) / 1000);
  });

  it.each(['BEFORE', 'AFTER'] as const)(
    'is a retryable failure when the table fails %s the write, and can be repeated',
    async (when) => {
      const session = newSession();
      failNext(table(), 'PutItemCommand', when);

      await expect(bindClientToken(table(), session, binding)).rejects.toMatchObject({
        name: 'DependencyUnavailableException',
      });

      expect(await bindClientToken(table(), session, binding)).toBe(true);
    },
  );
});
