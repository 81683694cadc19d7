import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Contract, contracts, isRecord, objectSample, refusals } from './contracts.ts';

const MISSING = Symbol('the member is left out');

/** Sets the member at `path` ("detail.status"), or removes it. */
function withMember(
  value: Record<string, unknown>,
  path: string,
  replacement: unknown,
): Record<string, unknown> {
  const copy = structuredClone(value);
  const parts = path.split('.');
  const last = parts.pop();
  let target = copy;
  for (const part of parts) {
    const next = target[part];
    if (!isRecord(next)) throw new Error(`${path} leads nowhere`);
    target = next;
  }
  if (last === undefined) throw new Error('An empty path');
  if (replacement === MISSING) delete target[last];
  else target[last] = replacement;
  return copy;
}

type Break = readonly [path: string, rule: string, replacement: unknown];

function missing(...paths: readonly string[]): Break[] {
  return paths.map((path) => [path, 'missing', MISSING]);
}

/** Times that are no ISO 8601 date-time with seconds and an offset. */
function badTimes(path: string): Break[] {
  return [
    [path, 'epoch seconds', 1_773_513_727],
    [path, 'no offset', '2026-03-14T18:42:07.318'],
    [path, 'a date alone', '2026-03-14'],
    [path, 'no such day', '2026-02-30T18:42:07Z'],
    [path, 'no such hour', '2026-03-14T25:42:07Z'],
    [path, 'a leap second', '2016-12-31T23:59:60Z'],
    [path, 'a space for T', '2026-03-14 18:42:07Z'],
    [path, 'another notation', 'Sat, 14 Mar 2026 18:42:07 GMT'],
  ];
}

function badIds(path: string, longest: number): Break[] {
  return [
    [path, 'empty', ''],
    [path, 'too long', 'a'.repeat(longest + 1)],
    [path, 'an ARN', 'arn:aws:gameliftstreams:us-west-2:111122223333:streamgroup/sg-1AB2C3De4'],
    [path, 'a line break', 'sg-1AB2C3De4\n'],
    [path, 'a number', 1],
  ];
}

function badStatusReasons(path: string): Break[] {
  return [
    [path, 'empty', ''],
    [path, 'too long', 'a'.repeat(257)],
    [path, 'a list', ['internalError']],
  ];
}

const statusChangeBreaks: Break[] = [
  ...missing('id', 'source', 'detail-type', 'time', 'detail'),
  ...missing('detail.version', 'detail.streamGroupId', 'detail.streamSessionId'),
  ...missing('detail.status', 'detail.statusChangedAt'),
  ['id', 'empty', ''],
  ['id', 'too long', 'a'.repeat(257)],
  ['source', 'empty', ''],
  ['source', 'too long', 'a'.repeat(257)],
  ['detail-type', "another event's", 'Stream Session Reconnection Outcome'],
  ...badTimes('time'),
  ['detail', 'JSON text', '{}'],
  ['detail.version', 'a number', 1],
  ['detail.version', 'another version', '2'],
  ...badIds('detail.streamGroupId', 128),
  ...badIds('detail.streamSessionId', 68),
  ['detail.status', 'no such status', 'DISCONNECTED'],
  ['detail.status', 'in lower case', 'pending_client_reconnection'],
  ['detail.status', 'null', null],
  ...badStatusReasons('detail.statusReason').filter(([, rule]) => rule !== 'empty'),
  ...badTimes('detail.statusChangedAt'),
  ['detail.connectionTimeoutSeconds', '0', 0],
  ['detail.connectionTimeoutSeconds', '3601', 3601],
  ['detail.connectionTimeoutSeconds', 'a fraction', 1.5],
  ['detail.connectionTimeoutSeconds', 'text', '120'],
  ...badTimes('detail.sessionEndsAt'),
];

const outcomeBreaks: Break[] = [
  ...missing('version', 'id', 'detail-type', 'source', 'account', 'time', 'region', 'resources', 'detail'),
  ...missing('detail.version', 'detail.streamGroupId', 'detail.streamSessionId', 'detail.generation'),
  ...missing('detail.outcome', 'detail.statusReason', 'detail.disconnectedAt', 'detail.outcomeAt'),
  ...missing('detail.connectionAttempts', 'detail.executionName'),
  ['account', 'too short', '11112222333'],
  ['detail-type', "another event's", 'Stream Session Status Change'],
  ...badIds('detail.streamGroupId', 128),
  ...badIds('detail.streamSessionId', 68),
  ['detail.generation', '0', 0],
  ['detail.generation', 'a fraction', 1.5],
  ['detail.outcome', 'no such outcome', 'LOST'],
  ...badStatusReasons('detail.statusReason'),
  ...badTimes('detail.disconnectedAt'),
  ...badTimes('detail.outcomeAt'),
  ['detail.connectionAttempts', 'negative', -1],
  ['detail.executionName', 'empty', ''],
  ['detail.executionName', 'too long', 'a'.repeat(81)],
];

const rejectedBreaks: Break[] = [
  ...missing('detail-type', 'detail', 'detail.version', 'detail.rejectedEventId'),
  ...missing('detail.reasons', 'detail.fields'),
  ['detail.rejectedEventId', 'too long', 'a'.repeat(257)],
  ['detail.reasons', 'empty', []],
  ['detail.reasons', 'text', 'detail.status: invalid_value'],
  ...badIds('detail.fields.streamGroupId', 128),
  ...badIds('detail.fields.streamSessionId', 128),
  ['detail.fields.status', 'no such status', 'DISCONNECTED'],
  ...badTimes('detail.fields.statusChangedAt'),
];

const adminShellAuditBreaks: Break[] = [
  ...missing('detail.version', 'detail.requestId', 'detail.result', 'detail.streamGroupId'),
  ...missing('detail.streamSessionId', 'detail.caller', 'detail.accessKeyId', 'detail.sourceIp'),
  ...missing('detail.reason', 'detail.refusal', 'detail.sessionStatus', 'detail.requestedAt'),
  ...missing('detail.recordedAt', 'detail.executionName'),
  ['detail-type', "another event's", 'Stream Session Status Change'],
  ['detail.result', 'no such result', 'ALLOWED'],
  ...badIds('detail.streamGroupId', 128),
  ...badIds('detail.streamSessionId', 68),
  ['detail.caller', 'empty', ''],
  ['detail.reason', 'empty', ''],
  ['detail.reason', 'too long', 'a'.repeat(257)],
  ['detail.reason', 'a line break', 'why\nnot'],
  ['detail.reason', 'beyond ASCII', 'für alle Fälle'],
  ...badTimes('detail.requestedAt'),
  ...badTimes('detail.recordedAt'),
  ['detail.executionName', 'too long', 'a'.repeat(81)],
];

const connectionRequestBreaks: Break[] = [
  ...missing('SignalRequest'),
  ['SignalRequest', 'empty', ''],
  ['SignalRequest', 'an object', { type: 'offer', sdp: 'v=0' }],
  ['ClientToken', 'too short', 'a'.repeat(31)],
  ['ClientToken', 'too long', 'a'.repeat(129)],
  ['ClientToken', 'a space', `${'a'.repeat(32)} ${'a'.repeat(32)}`],
  ['ClientToken', 'beyond ASCII', 'é'.repeat(32)],
  ['clientToken', 'misspelt', 'a'.repeat(32)],
];

const windowReplyBreaks: Break[] = [
  ...missing('phase', 'generation', 'deadline', 'remainingSeconds'),
  ['phase', 'no such phase', 'OPEN'],
  ['generation', '0', 0],
  ...badTimes('deadline'),
  ['remainingSeconds', 'negative', -0.1],
  ['outcome', 'no such outcome', 'LOST'],
  ...badStatusReasons('statusReason'),
];

function refusesEach(contract: Contract, sampleName: string, breaks: readonly Break[]): void {
  it.each(breaks)('names the fault by its path: %s, %s', (path, _rule, replacement) => {
    const broken = withMember(objectSample(sampleName), path, replacement);
    expect(refusals(contract, broken)).toEqual({ ajv: [path], zod: [path] });
  });
}

describe('a status-change event with one fault is refused by both schemas, which', () => {
  refusesEach(contracts.statusChange, 'status-change.pending-client-reconnection.json', statusChangeBreaks);
});

describe('an outcome event with one fault is refused by both schemas, which', () => {
  refusesEach(contracts.outcome, 'reconnection-outcome.terminated.json', outcomeBreaks);
});

describe('a rejected event with one fault is refused by both schemas, which', () => {
  refusesEach(contracts.rejected, 'status-change-rejected.json', rejectedBreaks);
});

describe('an admin shell audit event with one fault is refused by both schemas, which', () => {
  refusesEach(contracts.adminShellAudit, 'admin-shell-audit.granted.json', adminShellAuditBreaks);
});

describe('a connection request with one fault is refused by both schemas, which', () => {
  const sampleName = 'create-stream-session-connection.request.json';
  refusesEach(contracts.connectionRequest, sampleName, connectionRequestBreaks);
});

describe('a window reply with one fault is refused by both schemas, which', () => {
  refusesEach(contracts.windowReply, 'reconnection-window.closed.reply.json', windowReplyBreaks);
});

describe('a status-change event', () => {
  const accepted = { ajv: [], zod: [] };

  it.each<Break>([
    ['detail.connectionTimeoutSeconds', 'the shortest', 1],
    ['detail.connectionTimeoutSeconds', 'the longest', 3600],
    ['detail.streamGroupId', 'the longest', 'a'.repeat(128)],
    ['detail.streamSessionId', 'the longest', 'a'.repeat(68)],
    ['detail.statusReason', 'one that the service may add', 'someNewReason'],
    ['detail.statusReason', 'null, as absent', null],
    ['detail.statusReason', 'empty, as absent', ''],
    ['detail.connectionTimeoutSeconds', 'null, as absent', null],
    ['detail.connectionTimeoutSeconds', 'empty, as absent', ''],
    ['detail.sessionEndsAt', 'null, as absent', null],
    ['detail.sessionEndsAt', 'empty, as absent', ''],
    ['detail.statusChangedAt', 'an offset', '2026-03-14T19:42:07+01:00'],
    ['detail.statusChangedAt', 'nanoseconds', '2026-03-14T18:42:07.318123456Z'],
  ])('is accepted by both schemas up to the limit: %s, %s', (path, _rule, value) => {
    const event = withMember(objectSample('status-change.pending-client-reconnection.json'), path, value);
    expect(refusals(contracts.statusChange, event)).toEqual(accepted);
  });

  it.each(['trace-header', 'detail.region'])(
    'may have a member that this version does not know: %s',
    (path) => {
      const event = withMember(objectSample('status-change.terminated.json'), path, { any: ['thing'] });
      expect(refusals(contracts.statusChange, event)).toEqual(accepted);
    },
  );

  it('needs none of the members that EventBridge adds and nobody here reads', () => {
    const { id, source, time, detail, 'detail-type': detailType } = objectSample('status-change.active.json');
    const bare = { id, source, time, detail, 'detail-type': detailType };
    expect(refusals(contracts.statusChange, bare)).toEqual(accepted);
  });

  it('is judged alike by both schemas, whatever stands in its members', () => {
    const event = objectSample('status-change.pending-client-reconnection.json');
    const detail = event['detail'];
    if (!isRecord(detail)) throw new Error('The sample has no detail');
    const paths = [...Object.keys(event), ...Object.keys(detail).map((member) => `detail.${member}`)];
    const value = fc.oneof(
      fc.jsonValue(),
      fc.integer({ min: -1, max: 3602 }),
      fc.stringMatching(/^[a-zA-Z0-9-]{0,130}$/),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    );
    fc.assert(
      fc.property(fc.constantFrom(...paths), value, (path, replacement) => {
        const { ajv, zod } = refusals(contracts.statusChange, withMember(event, path, replacement));
        expect([...ajv].sort()).toEqual([...zod].sort());
      }),
      { numRuns: 500 },
    );
  });
});
