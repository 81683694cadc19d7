import { describe, expect, it } from 'vitest';
import { anOffer } from '../src/index.ts';
import { aClientToken, CONNECTION_MS, failureOf, start } from './harness.ts';

const pending = { status: 'PENDING_CLIENT_RECONNECTION' } as const;

describe('an injected fault', () => {
  it.each([
    ['accessDenied', 'AccessDeniedException', 403],
    ['conflict', 'ConflictException', 409],
    ['internalServer', 'InternalServerException', 500],
    ['resourceNotFound', 'ResourceNotFoundException', 404],
    ['throttling', 'ThrottlingException', 429],
    ['validation', 'ValidationException', 400],
  ] as const)(
    'of kind %s meets the next calls, without effect, and then no more',
    async (kind, name, status) => {
      // Prepare
      const gls = await start();
      const { streamSessionId: id } = await gls.control.startSession(pending);
      await gls.control.injectFault({ operation: 'CreateStreamSessionConnection', kind, calls: 2 });

      // Act
      const failures = [await failureOf(gls.beginConnection(id)), await failureOf(gls.beginConnection(id))];
      const record = await gls.control.session(id);
      const { SignalResponse } = await gls.connect(id);

      // Assess
      for (const failure of failures) {
        expect(failure).toMatchObject({ name, $metadata: { httpStatusCode: status } });
      }
      expect(record).toMatchObject({ status: 'PENDING_CLIENT_RECONNECTION', connections: [] });
      expect(SignalResponse).toBeDefined();
      expect(await gls.control.faults()).toEqual([]);
    },
  );

  it('of kind unavailable is a 503 that has no type', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession();
    await gls.control.injectFault({ operation: 'GetStreamSession', kind: 'unavailable' });

    // Act
    const failure = await failureOf(gls.get(id));

    // Assess
    expect(failure.$metadata.httpStatusCode).toBe(503);
    expect(failure.name).toBe('Unknown');
    expect((await gls.control.counters()).GetStreamSession).toMatchObject({ calls: 1, failed: 1 });
  });

  it('meets only its operation and its session', async () => {
    // Prepare
    const gls = await start();
    const [one, other] = await gls.control.startSessions({ count: 2 });
    await gls.control.injectFault({
      operation: 'GetStreamSession',
      kind: 'internalServer',
      streamSessionId: other?.streamSessionId ?? '',
    });

    // Act
    const ofOne = await gls.get(one?.streamSessionId ?? '');
    const listed = await gls.list();
    const planned = await gls.control.faults();
    const ofOther = await failureOf(gls.get(other?.arn ?? ''));

    // Assess
    expect(ofOne.Status).toBe('CONNECTED');
    expect(listed.Items).toHaveLength(2);
    expect(planned).toMatchObject([{ kind: 'internalServer', calls: 1 }]);
    expect(ofOther.name).toBe('InternalServerException');
  });

  it('of kind latency makes the call wait before it has an effect', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession();
    await gls.control.injectFault({ operation: 'TerminateStreamSession', kind: 'latency', latencyMs: 5_000 });

    // Act
    const call = gls.clock.track(() => gls.terminate(id));
    await gls.clock.advance(4_999);
    const before = await gls.get(id);
    await gls.clock.advance(1);
    await call;

    // Assess
    expect(before.Status).toBe('CONNECTED');
    expect((await gls.get(id)).Status).toBe('TERMINATING');
  });

  it('of kind latency at the reply makes the call wait after it had its effect', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession();
    await gls.control.injectFault({
      operation: 'TerminateStreamSession',
      kind: 'latency',
      latencyMs: 500,
      at: 'reply',
    });
    let repliedAtMs = 0;
    const calledAtMs = gls.clock.nowMs();

    // Act
    const call = gls.clock.track(async () => {
      await gls.terminate(id);
      repliedAtMs = gls.clock.nowMs();
    });
    await gls.clock.advance(100);
    const meanwhile = await gls.get(id);
    await gls.clock.advance(1_000);
    await call;

    // Assess
    expect(meanwhile.Status).toBe('TERMINATING');
    expect(repliedAtMs - calledAtMs).toBe(500);
  });

  it('of kind latency comes together with another fault', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession();
    await gls.control.injectFault({ operation: 'GetStreamSession', kind: 'latency', latencyMs: 200 });
    await gls.control.injectFault({ operation: 'GetStreamSession', kind: 'throttling' });

    // Act
    const failure = await gls.passing(200, () => failureOf(gls.get(id)));

    // Assess
    expect(failure.name).toBe('ThrottlingException');
    expect(await gls.control.faults()).toEqual([]);
  });

  it('of kind lostReply cuts the connection after the effect; the same ClientToken gets the answer', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession(pending);
    const offer = anOffer();
    await gls.control.injectFault({ operation: 'CreateStreamSessionConnection', kind: 'lostReply' });

    // Act
    const lost = gls.connect(id, offer, aClientToken());
    await expect(lost).rejects.toMatchObject({ code: 'ECONNRESET' });
    const record = await gls.control.session(id);
    const again = await gls.beginConnection(id, offer, aClientToken());

    // Assess
    expect(record).toMatchObject({ status: 'ACTIVE', connections: [{ outcome: 'answered' }] });
    expect(again.SignalResponse).toBe((await gls.get(id)).SignalResponse);
    expect((await gls.control.session(id)).connections).toHaveLength(1);
    expect((await gls.control.counters()).CreateStreamSessionConnection).toMatchObject({
      calls: 2,
      accepted: 2,
      lost: 1,
      replayed: 1,
    });
  });

  it.each([
    ['missing', undefined],
    ['notJson', 'not JSON'],
    ['withoutWebSdkProtocolUrl', JSON.stringify({ type: 'answer', sdp: 'v=0\r\n' })],
  ] as const)('of kind badAnswer, %s, spoils what the caller gets', async (answer, expected) => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession(pending);
    await gls.control.injectFault({
      operation: 'CreateStreamSessionConnection',
      kind: 'badAnswer',
      answer,
    });

    // Act
    const { SignalResponse } = await gls.connect(id);

    // Assess
    expect(SignalResponse).toBe(expected);
    expect((await gls.get(id)).Status).toBe('ACTIVE');
  });

  it('waits for its turn behind the faults before it, and can be taken back', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession();
    const operation = 'GetStreamSession';
    await gls.control.injectFault({ operation, kind: 'throttling' });
    await gls.control.injectFault({ operation, kind: 'conflict', calls: 5 });

    // Act
    const first = await failureOf(gls.get(id));
    const second = await failureOf(gls.get(id));
    const left = await gls.control.faults();
    await gls.control.clearFaults();
    const third = await gls.get(id);

    // Assess
    expect([first.name, second.name]).toEqual(['ThrottlingException', 'ConflictException']);
    expect(left).toEqual([{ operation, kind: 'conflict', calls: 4 }]);
    expect(third.Status).toBe('CONNECTED');
  });
});

describe('waiting inside the server', () => {
  it('ends for a caller who has given up, and lets time move on', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession(pending);
    const gaveUp = new AbortController();

    // Act
    const call = gls.clock.track(() =>
      fetch(`${gls.server.url}/streamgroups/sg-local0001/streamsessions/${id}/connections`, {
        method: 'POST',
        body: JSON.stringify({ SignalRequest: anOffer() }),
        signal: gaveUp.signal,
      }),
    );
    await gls.clock.advance(CONNECTION_MS - 1);
    gaveUp.abort();
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    await gls.clock.advance(1);

    // Assess
    expect(await gls.control.session(id)).toMatchObject({
      status: 'ACTIVE',
      connections: [{ outcome: 'answered' }],
    });
  });
});
