import { anOffer } from 'game-lift-streams-local';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { FunctionHooks } from '../../local/simulation/hooks.ts';
import { serviceErrors } from '../helpers/service-errors.ts';
import { startWorkflow } from '../helpers/workflow.ts';

const SECOND = 1000;
const CREATE = 'CreateStreamSessionConnection';

const answerSchema = z.object({ type: z.literal('answer'), sdp: z.string() });

async function started(hooks: FunctionHooks = {}) {
  const workflow = await startWorkflow(hooks);
  const session = await workflow.session({ connectionTimeoutSeconds: 60 });
  await workflow.control.clientDrops(session.streamSessionId);
  return { ...workflow, dropped: session, streamSessionId: session.streamSessionId };
}

describe('a reconnection request', () => {
  it('is answered without any window being open', async () => {
    const { reconnect, dropped, executions } = await started();

    const answer = await reconnect(dropped);

    expect(answerSchema.parse(JSON.parse(answer)).type).toBe('answer');
    expect(await executions()).toEqual([]);
  });

  it.each([
    ['the reply is lost', { kind: 'lostReply', operation: CREATE }],
    ['the service answers 500', { kind: 'internalServer', operation: CREATE }],
    ['a proxy answers an untyped 503', { kind: 'unavailable', operation: CREATE }],
    ['the answer is missing', { kind: 'badAnswer', operation: CREATE, answer: 'missing' }],
    ['the service throttles', { kind: 'throttling', operation: CREATE }],
    ['the service reports a conflict', { kind: 'conflict', operation: CREATE }],
  ] as const)('is made good with the same request when %s', async (_, fault) => {
    const { control, reconnect, dropped, streamSessionId } = await started();
    await control.injectFault({ ...fault, streamSessionId });

    const answer = await reconnect(dropped);

    expect(answer).not.toBe('');
    const { connections } = await control.session(streamSessionId);
    expect(connections).toHaveLength(1);
    await control.clientConnects(streamSessionId, answer);
  });

  it.each(['invalidSignature', 'requestExpired', 'requestTimeout', 'expiredToken'] as const)(
    'is signed anew after an error of the clock: %s',
    async (error) => {
      let refusals = 1;
      const { reconnect, dropped, control } = await started({
        call: ({ command }, send) =>
          command === 'CreateStreamSessionConnectionCommand' && refusals-- > 0
            ? Promise.reject(serviceErrors[error]())
            : send(),
      });

      expect(await reconnect(dropped)).not.toBe('');
      expect((await control.session(dropped.streamSessionId)).connections).toHaveLength(1);
    },
  );

  it.each([5500, 9000, 11_900])(
    'takes an answer that is %i ms in coming, with one call',
    async (latencyMs) => {
      const { control, reconnect, dropped, streamSessionId } = await started();
      await control.injectFault({ kind: 'latency', operation: CREATE, latencyMs, streamSessionId });

      expect(await reconnect(dropped)).not.toBe('');

      expect((await control.counters())[CREATE]).toMatchObject({ calls: 1, accepted: 1 });
    },
  );

  it('is told to make a new offer when its answer is lost, and the new one gets an answer', async () => {
    const { control, reconnect, dropped, streamSessionId } = await started();
    await control.changeSettings({ repeatedClientToken: 'conflict' });
    await control.injectFault({ kind: 'lostReply', operation: CREATE, streamSessionId });

    await expect(reconnect(dropped)).rejects.toMatchObject({
      name: 'ConflictException',
      $response: { headers: { 'x-reconnection-code': 'NEW_OFFER_NEEDED' } },
    });

    expect(await reconnect(dropped)).not.toBe('');
  });

  it('is a 403 of its own after one call when our permission is missing', async () => {
    const { control, connect, dropped, inTime } = await started();
    await control.injectFault({ kind: 'accessDenied', operation: CREATE, calls: 10 });

    const response = await inTime(() => connect(dropped, { SignalRequest: anOffer() }));

    expect(response.status).toBe(403);
    expect(response.headers.get('x-reconnection-code')).toBe('SERVICE_ACCESS_DENIED');
    expect((await control.counters())[CREATE]).toMatchObject({ calls: 1 });
  });

  it('ends within 29 s when the credentials are really wrong', async () => {
    let calls = 0;
    const { reconnect, dropped, clock } = await started({
      call: async ({ command }, send) => {
        if (command !== 'CreateStreamSessionConnectionCommand') return send();
        calls++;
        throw serviceErrors.invalidSignature();
      },
    });
    const askedAtMs = clock.nowMs();

    await expect(reconnect(dropped)).rejects.toMatchObject({ name: 'InternalServerException' });

    expect(calls).toBe(5);
    expect(clock.nowMs() - askedAtMs).toBeLessThan(29 * SECOND);
  });

  it('that is repeated with its token gets the same answer, from one connection', async () => {
    const { control, reconnect, dropped, streamSessionId } = await started();
    const request = { offer: anOffer(), clientToken: 'the-same-request'.padEnd(40, '0') };

    const answers = [await reconnect(dropped, request), await reconnect(dropped, request)];

    expect(answers[0]).toBe(answers[1]);
    expect((await control.session(streamSessionId)).connections).toHaveLength(1);
  });

  it('that brings another offer with a used token is refused as ValidationException', async () => {
    const { control, reconnect, dropped, streamSessionId } = await started();
    const clientToken = 'the-same-token'.padEnd(40, '0');
    await reconnect(dropped, { clientToken });

    await expect(reconnect(dropped, { clientToken })).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining('ClientToken'),
    });
    expect((await control.session(streamSessionId)).connections).toHaveLength(1);
  });

  it('for a session that nobody knows is refused as ResourceNotFoundException', async () => {
    const { reconnect, dropped } = await started();

    await expect(reconnect({ ...dropped, streamSessionId: 'nobody' })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      $metadata: { httpStatusCode: 404 },
    });
  });

  it('for a session that has ended is refused as ConflictException, with the outcome', async () => {
    const { clock, connect, dropped } = await started();
    await clock.advance(61 * SECOND);

    const response = await connect(dropped, { SignalRequest: anOffer() });

    expect(response.status).toBe(409);
    expect(response.headers.get('x-amzn-errortype')).toBe('ConflictException');
    expect(await response.json()).toMatchObject({
      Outcome: 'TERMINATED',
      StatusReason: 'reconnectionTimeout',
    });
  });

  it('is decided by status also where the service answers a wrong status with 400', async () => {
    const { control, reconnect, dropped, streamSessionId } = await started();
    await control.changeSettings({ wrongStatusConnectionHttpStatus: 400 });
    await control.clientConnects(streamSessionId, await reconnect(dropped));

    await expect(reconnect(dropped)).rejects.toMatchObject({ name: 'ConflictException' });
  });

  it('takes identifiers as ARNs, encoded in the path as every SDK does', async () => {
    const { reconnect, dropped, service } = await started();
    const { streamGroupId, arn } = dropped;
    const groupArn = `arn:aws:gameliftstreams:${service.region}:${service.account}:streamgroup/${streamGroupId}`;

    expect(await reconnect({ streamGroupId: groupArn, streamSessionId: arn })).not.toBe('');
  });

  it('is told to come back when the account is throttled for longer than a caller can wait', async () => {
    const { control, reconnect, dropped, streamSessionId, clock } = await started();
    await control.injectFault({ kind: 'throttling', operation: CREATE, calls: 100, streamSessionId });
    const askedAtMs = clock.nowMs();

    await expect(reconnect(dropped)).rejects.toMatchObject({
      name: 'ThrottlingException',
      $metadata: { httpStatusCode: 429 },
    });
    expect(clock.nowMs() - askedAtMs).toBeLessThan(29 * SECOND);
  });

  it('never makes more calls in a second than the quota has, with forty players at once', async () => {
    const { control, reconnect, ...run } = await startWorkflow();
    const sessions = await control.startSessions({ count: 40, status: 'PENDING_CLIENT_RECONNECTION' });

    const answers = await Promise.all(sessions.map((session) => reconnect(session)));

    expect(answers.filter((answer) => answer !== '')).toHaveLength(40);
    expect(run.clock.nowMs()).toBeGreaterThan(Date.UTC(2026, 0, 1) + SECOND);
    expect((await control.counters())[CREATE]).toMatchObject({ accepted: 40 });
  });
});
