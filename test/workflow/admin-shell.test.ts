import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startWorkflow } from '../helpers/workflow.ts';

const SECOND = 1000;
const CREATE = 'CreateStreamSessionAdminShell';

async function started(seed?: number) {
  const workflow = await startWorkflow(seed === undefined ? {} : { seed });
  const session = await workflow.session();
  const { streamSessionId } = session;
  const createdShells = async () => (await workflow.control.session(streamSessionId)).adminShells;
  return { ...workflow, live: session, streamSessionId, createdShells };
}

describe('an admin shell', () => {
  it('is given for a live session, window or not, with both records of it', async () => {
    const { askForShell, live, executions, auditTrail } = await started();

    const { SessionId, StreamUrl, TokenValue } = await askForShell(live);

    expect(SessionId).toMatch(/^gameliftstreams-/);
    expect(StreamUrl).toContain(SessionId);
    expect(TokenValue).toMatch(/./);
    expect(await executions()).toEqual([]);
    expect((await auditTrail()).map(({ result, reason, caller }) => ({ result, reason, caller }))).toEqual([
      {
        result: 'REQUESTED',
        reason: 'none given',
        caller: expect.stringMatching(/^arn:aws:iam::\d+:user\//),
      },
      { result: 'GRANTED', reason: 'none given', caller: expect.stringMatching(/^arn:aws:iam::\d+:user\//) },
    ]);
  });

  it.each([1, 5, 10])('is waited for when access becomes ready after %i s', async (notReadySeconds) => {
    const { askForShell, live, control, clock, createdShells, streamSessionId } = await started();
    await control.adminShellsNotReady({ streamSessionId, notReadySeconds });
    const askedAtMs = clock.nowMs();

    await askForShell(live);

    const tookMs = clock.nowMs() - askedAtMs;
    expect(tookMs).toBeGreaterThanOrEqual(notReadySeconds * SECOND);
    expect(tookMs).toBeLessThan((notReadySeconds + 6) * SECOND);
    expect(await createdShells()).toBe(1);
    // One call a second at most, whatever the jitter draws.
    const { calls } = (await control.counters())[CREATE] ?? { calls: 0 };
    expect(calls).toBeLessThanOrEqual(Math.floor(tookMs / SECOND) + 1);
  });

  it('that is not ready in time is a 409 StreamSessionAccessNotReadyException with Retry-After', async () => {
    const { endpoints, fetch, live, control, clock, inTime, auditTrail, createdShells } = await started();
    await control.adminShellsNotReady({ notReadySeconds: 600 });
    const url = `${endpoints.api}/streamgroups/${live.streamGroupId}/streamsessions/${live.streamSessionId}/access`;
    const askedAtMs = clock.nowMs();

    const response = await inTime(() =>
      fetch(url, { method: 'POST', headers: { 'x-reason': 'incident 1' } }),
    );

    expect(response.status).toBe(409);
    expect(response.headers.get('x-amzn-errortype')).toBe('StreamSessionAccessNotReadyException');
    expect(response.headers.get('retry-after')).toBe('5');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(clock.nowMs() - askedAtMs).toBeLessThan(21 * SECOND);
    expect(await createdShells()).toBe(0);
    expect((await auditTrail())[1]).toMatchObject({
      result: 'REFUSED',
      refusal: 'StreamSessionAccessNotReadyException',
      reason: 'incident 1',
    });
  });

  it.each(['ACTIVATING', 'TERMINATED', 'ERROR'] as const)(
    'of a session in %s is refused at once, with the status named, and asks the service for none',
    async (status) => {
      const { askForShell, control, clock, auditTrail } = await started();
      const session = await control.startSession(status === 'ACTIVATING' ? { status } : {});
      if (status === 'TERMINATED') await control.applicationExits(session.streamSessionId);
      if (status === 'ERROR') await control.sessionFails(session.streamSessionId);
      const askedAtMs = clock.nowMs();

      await expect(askForShell(session)).rejects.toMatchObject({
        name: 'ValidationException',
        message: expect.stringContaining(`is in status ${status}.`),
        $metadata: { httpStatusCode: 400 },
      });

      expect(clock.nowMs() - askedAtMs).toBeLessThan(SECOND);
      expect((await control.counters())[CREATE]?.calls ?? 0).toBe(0);
      expect((await auditTrail())[1]).toMatchObject({
        refusal: 'STATUS_WITHOUT_ADMIN_SHELL',
        sessionStatus: status,
      });
    },
  );

  it.each([400, 404] as const)(
    'of a session that ends while access is not ready is refused with its status: the service says %i',
    async (httpStatus) => {
      const { askForShell, live, control, clock, streamSessionId } = await started();
      await control.changeSettings({ wrongStatusAdminShellHttpStatus: httpStatus });
      await control.adminShellsNotReady({ notReadySeconds: 600 });
      clock.setTimer(4 * SECOND, () => void control.applicationExits(streamSessionId));

      await expect(askForShell(live)).rejects.toMatchObject({
        name: 'ValidationException',
        message: expect.stringContaining('TERMINATED'),
      });
    },
  );

  it('of a session that nobody knows is a 404', async () => {
    const { askForShell, live } = await started();

    await expect(askForShell({ ...live, streamSessionId: 'nobody' })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      $metadata: { httpStatusCode: 404 },
    });
  });

  it.each([
    ['the service throttles', 'throttling', 1],
    ['the service answers 500', 'internalServer', 1],
    ['a proxy answers an untyped 503', 'unavailable', 1],
    // The service has no idempotency token for shells: the lost one was minted, and expires unused.
    ['the reply is lost', 'lostReply', 2],
  ] as const)('is given after all when %s', async (_, kind, minted) => {
    const { askForShell, live, control, createdShells } = await started();
    await control.injectFault({ kind, operation: CREATE });

    expect(await askForShell(live)).toHaveProperty('TokenValue');
    expect(await createdShells()).toBe(minted);
  });

  it.each(['accessDenied', 'validation', 'resourceNotFound', 'conflict'] as const)(
    'is asked for once only when the service refuses it for good: %s',
    async (kind) => {
      const { askForShell, live, control } = await started();
      await control.injectFault({ kind, operation: CREATE, calls: 10 });

      await expect(askForShell(live)).rejects.toThrow();
      expect((await control.counters())[CREATE]).toMatchObject({ calls: 1 });
    },
  );

  it('is refused as ThrottlingException when the account is throttled for longer than a caller can wait', async () => {
    const { askForShell, live, control, clock } = await started();
    await control.injectFault({ kind: 'throttling', operation: CREATE, calls: 100 });
    const askedAtMs = clock.nowMs();

    await expect(askForShell(live)).rejects.toMatchObject({
      name: 'ThrottlingException',
      $metadata: { httpStatusCode: 429 },
    });
    expect(clock.nowMs() - askedAtMs).toBeLessThan(28 * SECOND);
  });

  it('takes identifiers as ARNs', async () => {
    const { askForShell, live, service } = await started();
    const streamGroupId = `arn:aws:gameliftstreams:${service.region}:${service.account}:streamgroup/${live.streamGroupId}`;

    expect(await askForShell({ streamGroupId, streamSessionId: live.arn })).toHaveProperty('SessionId');
  });
});

describe('the quota of one a second', () => {
  it.each([1, 2, 3, 4])(
    'gives both of two operators at once a shell, the second a second later: seed %i',
    async (seed) => {
      const { askForShell, live, control, clock, createdShells } = await started(seed);
      const other = await control.startSession();
      const startMs = clock.nowMs();
      const grantedAtMs: number[] = [];
      const ask = async (session: typeof live) => {
        const { SessionId } = await askForShell(session);
        grantedAtMs.push(clock.nowMs() - startMs);
        return SessionId;
      };

      const [one, two] = await Promise.all([ask(live), ask(other)]);

      expect(one).not.toBe(two);
      expect(await createdShells()).toBe(1);
      const [first = 0, second = 0] = grantedAtMs;
      expect(second - first).toBeGreaterThanOrEqual(900);
      expect(second).toBeLessThan(3 * SECOND);
      expect((await control.counters())[CREATE]).toMatchObject({ accepted: 2, throttled: 0 });
    },
  );

  it('gives five operators at once a shell each, before any of them gives up', async () => {
    const { askForShell, control, clock } = await started();
    const sessions = await control.startSessions({ count: 5 });
    const startMs = clock.nowMs();

    const shells = await Promise.all(sessions.map((session) => askForShell(session)));

    expect(new Set(shells.map(({ SessionId }) => SessionId)).size).toBe(5);
    expect(clock.nowMs() - startMs).toBeLessThan(20 * SECOND);
  });
});

describe('a request that breaks a rule', () => {
  const errorSchema = z.object({ Message: z.string() });

  it.each([
    [
      'the reason',
      'sg-local0001/streamsessions/session-1',
      { 'x-reason': 'a'.repeat(257) },
      'INVALID_REASON',
    ],
    ['the path', 'sg-local0001/streamsessions/not%20an%20id', {}, 'INVALID_PATH'],
  ])('is refused, on record, and asks nobody: %s', async (_, path, headers, refusal) => {
    const { endpoints, fetch, inTime, auditTrail, control } = await started();

    const response = await inTime(() =>
      fetch(`${endpoints.api}/streamgroups/${path}/access`, { method: 'POST', headers }),
    );

    expect(response.status).toBe(400);
    expect(errorSchema.parse(await response.json()).Message).toMatch(/x-reason|StreamSessionIdentifier/);
    expect(await auditTrail()).toMatchObject([{ result: 'REFUSED', refusal, caller: 'unsigned' }]);
    expect((await control.counters())[CREATE]?.calls ?? 0).toBe(0);
  });
});
