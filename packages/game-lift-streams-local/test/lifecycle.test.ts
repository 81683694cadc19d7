import { describe, expect, it } from 'vitest';
import { anOffer } from '../src/index.ts';
import { ACTIVATION_MS, CONNECTION_MS, failureOf, type Harness, idIn, start } from './harness.ts';

const HOUR_MS = 3_600_000;

async function statusOf(gls: Harness, id: string) {
  const { Status, StatusReason } = await gls.get(id);
  return { Status, StatusReason };
}

describe('a stream session', () => {
  it('goes from ACTIVATING to CONNECTED and through a reconnection, and the record tells when', async () => {
    // Prepare
    const gls = await start();
    const startedAtMs = gls.clock.nowMs();

    // Act
    const session = await gls.startSession();
    const id = idIn(session.Arn);
    await gls.clock.advance(ACTIVATION_MS);
    const active = await gls.get(id);
    await gls.control.clientConnects(id);
    await gls.clock.advance(60_000);
    await gls.control.clientDrops(id);
    await gls.clock.advance(1000);
    await gls.connect(id);
    await gls.control.clientConnects(id);

    // Assess
    expect(session.Status).toBe('ACTIVATING');
    expect(session.SignalResponse).toBeUndefined();
    expect(active.SignalResponse).toContain('webSdkProtocolUrl');
    const { history } = await gls.control.session(id);
    const droppedMs = ACTIVATION_MS + 60_000;
    expect(history.map(({ status, atMs }) => [status, atMs - startedAtMs])).toEqual([
      ['ACTIVATING', 0],
      ['ACTIVE', ACTIVATION_MS],
      ['CONNECTED', ACTIVATION_MS],
      ['PENDING_CLIENT_RECONNECTION', droppedMs],
      ['RECONNECTING', droppedMs + 1000],
      ['ACTIVE', droppedMs + 1000 + CONNECTION_MS],
      ['CONNECTED', droppedMs + 1000 + CONNECTION_MS],
    ]);
  });

  it('is RECONNECTING while a connection is under way, and ACTIVE when it is answered', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession({ status: 'PENDING_CLIENT_RECONNECTION' });

    // Act
    const call = gls.clock.track(() => gls.beginConnection(id));
    await gls.clock.advance(CONNECTION_MS - 1);
    const during = await gls.get(id);
    await gls.clock.advance(1);
    const answer = await call;

    // Assess
    expect(during.Status).toBe('RECONNECTING');
    expect(answer.SignalResponse).toBeDefined();
    const after = await gls.get(id);
    expect(after.Status).toBe('ACTIVE');
    expect(after.SignalResponse).toBe(answer.SignalResponse);
  });

  it('terminates with connectionTimeout when no client connects in time after the start', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession({
      status: 'ACTIVE',
      connectionTimeoutSeconds: 10,
    });

    // Act
    await gls.clock.advance(9_999);
    const before = await statusOf(gls, id);
    await gls.clock.advance(1);

    // Assess
    expect(before).toEqual({ Status: 'ACTIVE' });
    expect(await statusOf(gls, id)).toEqual({ Status: 'TERMINATED', StatusReason: 'connectionTimeout' });
  });

  it('terminates with reconnectionTimeout when no client reconnects in time', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession({ connectionTimeoutSeconds: 10 });
    await gls.clock.advance(100_000);
    await gls.control.clientDrops(id);

    // Act
    await gls.clock.advance(9_999);
    const before = await statusOf(gls, id);
    await gls.clock.advance(1);

    // Assess
    expect(before).toEqual({ Status: 'PENDING_CLIENT_RECONNECTION' });
    expect(await statusOf(gls, id)).toEqual({ Status: 'TERMINATED', StatusReason: 'reconnectionTimeout' });
  });

  it('has a second window after a connection, and terminates with connectionTimeout at its end', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession({
      status: 'PENDING_CLIENT_RECONNECTION',
      connectionTimeoutSeconds: 10,
    });
    await gls.clock.advance(9_000);

    // Act
    await gls.connect(id);
    await gls.clock.advance(9_999);
    const before = await statusOf(gls, id);
    await gls.clock.advance(1);

    // Assess
    expect(before).toEqual({ Status: 'ACTIVE' });
    expect(await statusOf(gls, id)).toEqual({ Status: 'TERMINATED', StatusReason: 'connectionTimeout' });
  });

  it('gives PENDING after a reconnection a whole new window', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession({
      status: 'PENDING_CLIENT_RECONNECTION',
      connectionTimeoutSeconds: 10,
    });
    await gls.connect(id);
    await gls.control.clientConnects(id);
    await gls.clock.advance(30_000);

    // Act
    await gls.control.clientDrops(id);
    await gls.clock.advance(9_999);

    // Assess
    expect(await statusOf(gls, id)).toEqual({ Status: 'PENDING_CLIENT_RECONNECTION' });
  });

  it.each(['ACTIVATING', 'ACTIVE', 'CONNECTED', 'PENDING_CLIENT_RECONNECTION'] as const)(
    'terminates with maxSessionLengthTimeout from %s',
    async (status) => {
      // Prepare
      const gls = await start({ activationMs: HOUR_MS });
      const { streamSessionId: id } = await gls.control.startSession({
        status,
        sessionLengthSeconds: 30,
        connectionTimeoutSeconds: 120,
      });

      // Act
      await gls.clock.advance(29_999);
      const before = await statusOf(gls, id);
      await gls.clock.advance(1);

      // Assess
      expect(before).toEqual({ Status: status });
      expect(await statusOf(gls, id)).toEqual({
        Status: 'TERMINATED',
        StatusReason: 'maxSessionLengthTimeout',
      });
    },
  );

  it('terminates with idleTimeout 60 minutes after the last input', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession();
    await gls.clock.advance(HOUR_MS - 1);
    await gls.control.clientInput(id);

    // Act
    await gls.clock.advance(HOUR_MS - 1);
    const before = await statusOf(gls, id);
    await gls.clock.advance(1);

    // Assess
    expect(before).toEqual({ Status: 'CONNECTED' });
    expect(await statusOf(gls, id)).toEqual({ Status: 'TERMINATED', StatusReason: 'idleTimeout' });
  });

  it('passes through TERMINATING when the API terminates it', async () => {
    // Prepare
    const gls = await start({ terminationMs: 1000 });
    const { streamSessionId: id } = await gls.control.startSession();

    // Act
    const { $metadata } = await gls.terminate(id);
    const during = await statusOf(gls, id);
    await gls.terminate(id);
    await gls.clock.advance(1000);

    // Assess
    expect($metadata.httpStatusCode).toBe(204);
    expect(during).toEqual({ Status: 'TERMINATING' });
    expect(await statusOf(gls, id)).toEqual({ Status: 'TERMINATED', StatusReason: 'apiTerminated' });
    await gls.terminate(id);
    const { history } = await gls.control.session(id);
    expect(history.filter(({ status }) => status === 'TERMINATING')).toHaveLength(1);
  });

  it('refuses to be terminated while ACTIVATING', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession({ status: 'ACTIVATING' });

    // Act
    const failure = await failureOf(gls.terminate(id));

    // Assess
    expect(failure).toMatchObject({ name: 'ValidationException', $metadata: { httpStatusCode: 400 } });
  });

  it('terminates with applicationExit when the application exits', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession();

    // Act
    await gls.control.applicationExits(id);

    // Assess
    expect(await statusOf(gls, id)).toEqual({ Status: 'TERMINATED', StatusReason: 'applicationExit' });
    await expect(gls.control.clientDrops(id)).rejects.toMatchObject({
      name: 'ControlCallError',
      httpStatus: 409,
    });
  });

  it('is in ERROR with the reason that it failed for', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession();

    // Act
    await gls.control.sessionFails(id, 'placementTimeout');

    // Assess
    expect(await statusOf(gls, id)).toEqual({ Status: 'ERROR', StatusReason: 'placementTimeout' });
  });

  it('ends in ERROR, invalidSignalRequest, when it is started with something that is no offer', async () => {
    // Prepare
    const gls = await start();

    // Act
    const { Arn } = await gls.startSession({ SignalRequest: 'hello' });
    await gls.clock.advance(ACTIVATION_MS);

    // Assess
    expect(await statusOf(gls, idIn(Arn))).toEqual({ Status: 'ERROR', StatusReason: 'invalidSignalRequest' });
  });

  it('ends in ERROR, invalidSignalRequest, when it is reconnected with something that is no offer', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession({ status: 'PENDING_CLIENT_RECONNECTION' });

    // Act
    const failure = await failureOf(gls.connect(id, 'hello'));

    // Assess
    expect(failure.name).toBe('ValidationException');
    expect(await statusOf(gls, id)).toEqual({ Status: 'ERROR', StatusReason: 'invalidSignalRequest' });
  });

  it('started with NO_CLIENT_CONNECTION waits in ACTIVE, without an answer, for its first connection', async () => {
    // Prepare
    const gls = await start();
    const { Arn } = await gls.startSession({ SignalRequest: 'NO_CLIENT_CONNECTION' });
    const id = idIn(Arn);
    await gls.clock.advance(ACTIVATION_MS);

    // Act
    const waiting = await gls.get(id);
    const tooEarly = gls.control.clientConnects(id);
    await expect(tooEarly).rejects.toMatchObject({ name: 'ControlCallError', httpStatus: 409 });
    const { SignalResponse } = await gls.connect(id);
    await gls.control.clientConnects(id, SignalResponse);

    // Assess
    expect(waiting).toMatchObject({ Status: 'ACTIVE', SignalRequest: 'NO_CLIENT_CONNECTION' });
    expect(waiting.SignalResponse).toBeUndefined();
    expect(await statusOf(gls, id)).toEqual({ Status: 'CONNECTED' });
  });

  it('moves LastUpdatedAt with each change of status, and only then', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id, createdAtMs } = await gls.control.startSession();

    // Act
    await gls.clock.advance(5_123);
    const before = await gls.get(id);
    await gls.control.clientDrops(id);
    await gls.clock.advance(1_000);
    const after = await gls.get(id);

    // Assess
    expect(before.LastUpdatedAt?.getTime()).toBe(createdAtMs);
    expect(after.LastUpdatedAt?.getTime()).toBe(createdAtMs + 5_123);
    expect(after.CreatedAt?.getTime()).toBe(createdAtMs);
  });

  it('lets only a client with the latest answer connect', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession({ status: 'PENDING_CLIENT_RECONNECTION' });
    const older = await gls.connect(id, anOffer());
    const newer = await gls.connect(id, anOffer());

    // Act
    const late = gls.control.clientConnects(id, older.SignalResponse);

    // Assess
    await expect(late).rejects.toMatchObject({ name: 'ControlCallError', httpStatus: 409 });
    await gls.control.clientConnects(id, newer.SignalResponse);
    expect(await statusOf(gls, id)).toEqual({ Status: 'CONNECTED' });
  });

  it('does not count the time in RECONNECTING against either window', async () => {
    // Prepare
    const gls = await start({ connectionMs: 5_000 });
    const { streamSessionId: id } = await gls.control.startSession({
      status: 'PENDING_CLIENT_RECONNECTION',
      connectionTimeoutSeconds: 2,
    });

    // Act
    const { SignalResponse } = await gls.passing(5_000, () => gls.beginConnection(id));
    await gls.clock.advance(1_999);

    // Assess
    expect(SignalResponse).toBeDefined();
    expect(await statusOf(gls, id)).toEqual({ Status: 'ACTIVE' });
  });

  it('terminates with maxSessionLengthTimeout in RECONNECTING, and the call fails', async () => {
    // Prepare
    const gls = await start({ connectionMs: 5_000 });
    const { streamSessionId: id } = await gls.control.startSession({
      status: 'PENDING_CLIENT_RECONNECTION',
      sessionLengthSeconds: 3,
    });

    // Act
    const failure = await failureOf(gls.passing(5_000, () => gls.beginConnection(id)));

    // Assess
    expect(failure.name).toBe('ConflictException');
    expect(await statusOf(gls, id)).toEqual({
      Status: 'TERMINATED',
      StatusReason: 'maxSessionLengthTimeout',
    });
  });

  it('fails the connection that is under way when it ends meanwhile', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession({ status: 'PENDING_CLIENT_RECONNECTION' });

    // Act
    const call = failureOf(gls.clock.track(() => gls.beginConnection(id)));
    await gls.clock.advance(CONNECTION_MS / 2);
    await gls.terminate(id);
    await gls.clock.advance(CONNECTION_MS);

    // Assess
    expect((await call).name).toBe('ConflictException');
    expect((await gls.control.session(id)).connections).toMatchObject([{ outcome: 'sessionEnded' }]);
  });
});
