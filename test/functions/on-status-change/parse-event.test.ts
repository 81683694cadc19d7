import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStatusChangeEvent } from '../../../functions/on-status-change/parse-event.ts';
import {
  statusChangeRejectedDetailSchema,
  streamSessionStatusSchema,
} from '../../../functions/shared/contracts/index.ts';
import { newSession } from '../../helpers/sessions.ts';
import { statusChangeEvent } from '../../helpers/status-change.ts';

const NOW_MS = Date.UTC(2026, 0, 1);
const session = newSession();
/** Cannot be taken for an id, a status or a time, so it must never be seen again, whatever field it came in. */
const SECRET = 'v=0 a=ice-pwd:SECRET';
/** Could be taken for an id: only in the two fields that hold one may it be kept. */
const ID_LIKE_SECRET = 'AQCEAAAASECRET';

const event = (detail: Record<string, unknown> = {}) => statusChangeEvent({ session, atMs: NOW_MS, detail });

function rejectionOf(raw: unknown) {
  const parsed = parseStatusChangeEvent(raw, NOW_MS);
  if (parsed.ok) throw new Error('The event was taken.');
  return parsed.rejection;
}

describe('an event of the contract', () => {
  it.each(streamSessionStatusSchema.options)('is taken with the status %s', (status) => {
    const raw = statusChangeEvent({ session, atMs: NOW_MS, status });

    const parsed = parseStatusChangeEvent(raw, NOW_MS);

    expect(parsed).toMatchObject({ ok: true, event: { id: raw['id'], detail: { ...session, status } } });
  });

  it('is taken with every optional member, and none is lost', () => {
    const optional = {
      statusReason: 'connectionTimeout',
      connectionTimeoutSeconds: 3600,
      sessionEndsAt: '2026-01-01T12:00:00+02:00',
    };

    expect(parseStatusChangeEvent(event(optional), NOW_MS)).toMatchObject({
      ok: true,
      event: { detail: optional },
    });
  });

  it('is taken with members that the contract does not know, and they are dropped', () => {
    const parsed = parseStatusChangeEvent(event({ signalRequest: SECRET }), NOW_MS);

    expect(parsed.ok).toBe(true);
    expect(JSON.stringify(parsed)).not.toContain('SECRET');
  });

  it('may be a minute ahead of the clock, and not a millisecond more', () => {
    const ahead = (ms: number) => ({
      ...event(),
      detail: { ...objectOf(event()['detail']), statusChangedAt: new Date(NOW_MS + ms).toISOString() },
    });

    expect(parseStatusChangeEvent(ahead(60_000), NOW_MS).ok).toBe(true);
    expect(rejectionOf(ahead(60_001)).reasons).toEqual([
      'detail.statusChangedAt: more than a minute in the future',
    ]);
  });

  it('has a time in every form that the contract takes, read as the same moment', () => {
    for (const statusChangedAt of [
      '2025-12-31T23:59:59Z',
      '2025-12-31T23:59:59.000Z',
      '2026-01-01T01:59:59+02:00',
      '2025-12-31T23:59:59.000000001Z',
    ]) {
      const parsed = parseStatusChangeEvent(event({ statusChangedAt }), NOW_MS);
      expect(parsed).toMatchObject({ ok: true });
      expect(parsed.ok && Date.parse(parsed.event.detail.statusChangedAt)).toBe(NOW_MS - 1000);
    }
  });
});

describe('a time that cannot be', () => {
  it.each([
    '0001-01-01T00:00:00Z',
    '1601-01-01T00:00:00Z',
    '1969-12-31T23:59:59.999Z',
    '1970-01-01T00:00:00Z',
  ])('rejects the event when it is that of the change: %s', (statusChangedAt) => {
    expect(rejectionOf(event({ statusChangedAt })).reasons).toEqual([
      'detail.statusChangedAt: before 1970, or not set',
    ]);
  });

  it.each([
    ['before the change', NOW_MS - 1],
    ['in the year 1', Date.parse('0001-01-01T00:00:00Z')],
    ['more than a day and a minute after it', NOW_MS + 24 * 3_600_000 + 60_001],
  ])('is left out and told when it is the session’s end: %s', (_, endsAtMs) => {
    const parsed = parseStatusChangeEvent(event({ sessionEndsAt: new Date(endsAtMs).toISOString() }), NOW_MS);

    expect(parsed).toMatchObject({ ok: true, leftOut: ['sessionEndsAt'] });
    expect(parsed.ok && parsed.event.detail.sessionEndsAt).toBeUndefined();
  });

  it.each([
    [48 * 3_600_000, false],
    [48 * 3_600_000 + 1, true],
    [40 * 86_400_000, true],
  ])('makes the event stale when the change was %i ms ago: %s', (agoMs, isStale) => {
    const statusChangedAt = new Date(NOW_MS - agoMs).toISOString();

    expect(parseStatusChangeEvent(event({ statusChangedAt }), NOW_MS)).toMatchObject({ ok: true, isStale });
  });
});

describe('an optional member', () => {
  it.each(['statusReason', 'connectionTimeoutSeconds', 'sessionEndsAt'])(
    'is absent when it is null or empty: %s',
    (member) => {
      for (const nothing of [null, '']) {
        const parsed = parseStatusChangeEvent(event({ [member]: nothing }), NOW_MS);

        expect(parsed).toMatchObject({ ok: true, leftOut: [] });
        expect(parsed.ok && Reflect.get(parsed.event.detail, member)).toBeUndefined();
      }
    },
  );
});

describe('an event with the time at which the bus took it', () => {
  const transformed = (ingestedAtMs: number, raw: unknown) => ({
    ingestionTime: new Date(ingestedAtMs).toISOString(),
    event: raw,
  });

  it('is read as the event itself', () => {
    const raw = event();

    expect(parseStatusChangeEvent(transformed(NOW_MS, raw), NOW_MS)).toMatchObject({
      ok: true,
      event: { id: raw['id'], detail: { ...session } },
      nowMs: NOW_MS,
    });
  });

  it('is taken by a function whose own clock is an hour behind, and is of that time', () => {
    const behindMs = NOW_MS - 3_600_000;

    expect(parseStatusChangeEvent(transformed(NOW_MS, event()), behindMs)).toMatchObject({
      ok: true,
      nowMs: NOW_MS,
      isStale: false,
    });
    expect(parseStatusChangeEvent(event(), behindMs).ok).toBe(false);
  });

  it('is of the future when it is later than that, however long it has waited since', () => {
    const waitedMs = 2 * 3_600_000;
    const raw = event({ statusChangedAt: new Date(NOW_MS + 60_001).toISOString() });

    expect(rejectionOf(transformed(NOW_MS, raw)).reasons).toEqual([
      'detail.statusChangedAt: more than a minute in the future',
    ]);
    expect(parseStatusChangeEvent(transformed(NOW_MS, raw), NOW_MS + waitedMs).ok).toBe(false);
  });

  it('goes by the function’s clock when that time cannot be read', () => {
    const raw = { ingestionTime: '<aws.events.event.ingestion-time>', event: event() };

    expect(parseStatusChangeEvent(raw, NOW_MS)).toMatchObject({ ok: true, nowMs: NOW_MS });
  });

  it('keeps the fields of a rejected event', () => {
    const raw = event({ version: '2' });

    expect(rejectionOf(transformed(NOW_MS, raw))).toMatchObject({
      rejectedEventId: raw['id'],
      fields: session,
    });
  });
});

describe('a broken rule', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['another version', { version: '2' }, 'detail.version: invalid_value'],
    ['no version', { version: undefined }, 'detail.version: invalid_value'],
    ['no stream group', { streamGroupId: undefined }, 'detail.streamGroupId: invalid_type'],
    [
      'a stream group that is an ARN',
      { streamGroupId: 'arn:aws:x/y' },
      'detail.streamGroupId: invalid_format',
    ],
    ['an overlong stream group', { streamGroupId: 'a'.repeat(129) }, 'detail.streamGroupId: invalid_format'],
    ['no session', { streamSessionId: undefined }, 'detail.streamSessionId: invalid_type'],
    ['an empty session', { streamSessionId: '' }, 'detail.streamSessionId: invalid_format'],
    ['a session with a slash', { streamSessionId: 'a/b' }, 'detail.streamSessionId: invalid_format'],
    ['a session too long for a name', { streamSessionId: 'a'.repeat(69) }, 'detail.streamSessionId: too_big'],
    ['a number for a session', { streamSessionId: 7 }, 'detail.streamSessionId: invalid_type'],
    ['no status', { status: undefined }, 'detail.status: invalid_value'],
    ['an unknown status', { status: 'SLEEPING' }, 'detail.status: invalid_value'],
    ['an overlong reason', { statusReason: 'a'.repeat(257) }, 'detail.statusReason: too_big'],
    ['no time', { statusChangedAt: undefined }, 'detail.statusChangedAt: invalid_type'],
    [
      'a time without a zone',
      { statusChangedAt: '2026-01-01T00:00:00' },
      'detail.statusChangedAt: invalid_format',
    ],
    [
      'a day that no month has',
      { statusChangedAt: '2026-02-30T00:00:00Z' },
      'detail.statusChangedAt: invalid_format',
    ],
    ['a time in milliseconds', { statusChangedAt: NOW_MS }, 'detail.statusChangedAt: invalid_type'],
    ['a timeout of 0 s', { connectionTimeoutSeconds: 0 }, 'detail.connectionTimeoutSeconds: too_small'],
    [
      'a timeout over 3,600 s',
      { connectionTimeoutSeconds: 3601 },
      'detail.connectionTimeoutSeconds: too_big',
    ],
    ['a broken timeout', { connectionTimeoutSeconds: 1.5 }, 'detail.connectionTimeoutSeconds: invalid_type'],
    [
      'a timeout as text',
      { connectionTimeoutSeconds: '120' },
      'detail.connectionTimeoutSeconds: invalid_type',
    ],
    ['an end that is no time', { sessionEndsAt: 'later' }, 'detail.sessionEndsAt: invalid_format'],
  ])('is named with its field: %s', (_, detail, reason) => {
    expect(rejectionOf(event(detail)).reasons).toEqual([reason]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['another detail-type', { 'detail-type': 'Other' }, 'detail-type: invalid_value'],
    ['no id', { id: undefined }, 'id: invalid_type'],
    ['an empty source', { source: '' }, 'source: too_small'],
    ['no time', { time: undefined }, 'time: invalid_type'],
    ['a detail that is text', { detail: SECRET }, 'detail: invalid_type'],
    ['a detail that is null', { detail: null }, 'detail: invalid_type'],
    ['a detail that is a list', { detail: [SECRET] }, 'detail: invalid_type'],
  ])('is named in the envelope: %s', (_, envelope, reason) => {
    expect(rejectionOf({ ...event(), ...envelope }).reasons).toEqual([reason]);
  });

  it.each([[null], ['text'], [7], [true], [[]], [undefined]])('is the whole event when that is %j', (raw) => {
    expect(rejectionOf(raw)).toEqual({
      version: '1',
      rejectedEventId: null,
      reasons: ['event: invalid_type'],
      fields: {},
    });
  });

  it('costs an id of another form than EventBridge gives, which may be anything', () => {
    const raw = { ...event({ version: '2' }), id: SECRET };

    expect(rejectionOf(raw).rejectedEventId).toBeNull();
  });

  it('is named for every field that breaks one', () => {
    expect(rejectionOf(event({ version: '2', status: 'X', sessionEndsAt: 'X' })).reasons).toEqual([
      'detail.version: invalid_value',
      'detail.status: invalid_value',
      'detail.sessionEndsAt: invalid_format',
    ]);
  });

  it('leaves the fields that are in order, for whoever looks for the session', () => {
    const raw = event({ connectionTimeoutSeconds: -1 });

    expect(rejectionOf(raw)).toEqual({
      version: '1',
      rejectedEventId: raw['id'],
      reasons: ['detail.connectionTimeoutSeconds: too_small'],
      fields: {
        ...session,
        status: 'PENDING_CLIENT_RECONNECTION',
        statusChangedAt: new Date(NOW_MS).toISOString(),
      },
    });
  });
});

describe('what a rejection says', () => {
  const REASON =
    /^(event|id|source|detail-type|time|detail|detail\.(version|streamGroupId|streamSessionId|status|statusReason|statusChangedAt|connectionTimeoutSeconds|sessionEndsAt)): ([a-z_]+|more than a minute in the future|before 1970, or not set)$/;

  const valid = {
    ...session,
    version: '1',
    status: 'CONNECTED',
    statusReason: 'apiTerminated',
    statusChangedAt: '2025-12-31T00:00:00Z',
    connectionTimeoutSeconds: 120,
    sessionEndsAt: '2026-01-02T00:00:00Z',
  };
  const detailKeys = Object.keys(valid);

  /** Whatever JSON can hold, with the secret as any of its values and keys. */
  const anything = (secret: string, knownKeys: readonly string[]) => {
    const key = fc.oneof(
      fc.constantFrom(secret, '__proto__', 'constructor', 'toString', ...knownKeys),
      fc.string(),
    );
    const leaf = fc.oneof(
      { weight: 3, arbitrary: fc.constant(secret) },
      {
        weight: 2,
        arbitrary: fc.constantFrom(
          `2026-01-01T00:00:00.${'1'.repeat(9)}Z`,
          'TERMINATED',
          `sg-${secret}`,
          0,
          -1,
          null,
        ),
      },
      { weight: 1, arbitrary: fc.jsonValue() },
    );
    return fc.object({ key, values: [leaf], maxDepth: 3 });
  };
  const oneOfOr = (value: unknown, other: fc.Arbitrary<unknown>) =>
    fc.oneof({ weight: 3, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: other });
  const events = (secret: string, { idFields }: { idFields: boolean }) => {
    const other = fc.oneof(fc.constant<unknown>(secret), anything(secret, detailKeys));
    const field = (name: keyof typeof valid) =>
      !idFields && (name === 'streamGroupId' || name === 'streamSessionId')
        ? fc.constant(valid[name])
        : oneOfOr(valid[name], other);
    const detail = fc
      .tuple(
        fc.record(
          {
            version: field('version'),
            streamGroupId: field('streamGroupId'),
            streamSessionId: field('streamSessionId'),
            status: field('status'),
            statusReason: field('statusReason'),
            statusChangedAt: field('statusChangedAt'),
            connectionTimeoutSeconds: field('connectionTimeoutSeconds'),
            sessionEndsAt: field('sessionEndsAt'),
          },
          { requiredKeys: [] },
        ),
        fc.dictionary(fc.constantFrom(secret, 'extra'), fc.constant(secret)),
      )
      .map(([known, more]) => ({ ...more, ...known }));
    const envelope = fc.record(
      {
        id: idFields ? oneOfOr('e-1', other) : fc.constant('e-1'),
        source: oneOfOr('a-source', other),
        'detail-type': oneOfOr('Stream Session Status Change', other),
        time: oneOfOr('2026-01-01T00:00:00Z', other),
        detail: idFields
          ? fc.oneof({ weight: 4, arbitrary: detail }, { weight: 1, arbitrary: other })
          : detail,
        [secret]: other,
      },
      { requiredKeys: [] },
    );
    return idFields
      ? fc.oneof(
          { weight: 5, arbitrary: envelope },
          { weight: 1, arbitrary: anything(secret, ['id', 'detail']) },
        )
      : envelope;
  };

  it.each([
    ['an offer', SECRET, true],
    ['a token that could be an id, outside of the ids', ID_LIKE_SECRET, false],
  ] as const)('is never %s that the event holds, and reading it never throws', (_, secret, idFields) => {
    fc.assert(
      fc.property(events(secret, { idFields }), (raw) => {
        const parsed = parseStatusChangeEvent(JSON.parse(JSON.stringify(raw)), NOW_MS);

        if (parsed.ok) {
          expect(Number.isFinite(Date.parse(parsed.event.detail.statusChangedAt))).toBe(true);
          return;
        }
        expect(JSON.stringify(parsed.rejection)).not.toContain('SECRET');
        expect(parsed.rejection.reasons.length).toBeLessThanOrEqual(10);
        for (const reason of parsed.rejection.reasons) expect(reason).toMatch(REASON);
        expect(statusChangeRejectedDetailSchema.safeParse(parsed.rejection).success).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    `{"__proto__":{"id":"${ID_LIKE_SECRET}","detail":{"streamGroupId":"${ID_LIKE_SECRET}"}}}`,
    `{"detail":{"__proto__":{"streamGroupId":"${ID_LIKE_SECRET}","polluted":true}}}`,
    `{"constructor":{"prototype":{"polluted":true}},"detail":{"constructor":{"prototype":{"polluted":true}}}}`,
  ])('takes nothing from a prototype that the sender wrote: %s', (text) => {
    const rejection = rejectionOf(JSON.parse(text));

    expect(JSON.stringify(rejection)).not.toContain('SECRET');
    expect({}).not.toHaveProperty('polluted');
  });

  it('holds at most ten reasons, whatever a schema may grow to', () => {
    const { reasons } = rejectionOf({
      detail: {
        statusReason: 7,
        connectionTimeoutSeconds: 'x',
        sessionEndsAt: 7,
      },
    });

    expect(reasons).toHaveLength(10);
  });
});

function objectOf(value: unknown): object {
  if (typeof value !== 'object' || value === null) throw new Error('The detail is no object.');
  return value;
}
