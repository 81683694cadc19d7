import { CreateStreamSessionConnectionCommand } from '@aws-sdk/client-gameliftstreams';
import { describe, expect, it } from 'vitest';
import { anOffer } from '../src/index.ts';
import { sha256 } from '../src/sessions/idempotency.ts';
import {
  ACTIVATION_MS,
  aClientToken,
  CONNECTION_MS,
  failureOf,
  idIn,
  STREAM_GROUP_ID,
  start,
} from './harness.ts';

const pending = { status: 'PENDING_CLIENT_RECONNECTION' } as const;

describe('CreateStreamSessionConnection', () => {
  it.each(['ACTIVE', 'PENDING_CLIENT_RECONNECTION'] as const)('is legal in %s', async (status) => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession({ status });
    const offer = anOffer();

    // Act
    const { SignalResponse, $metadata } = await gls.connect(id, offer);

    // Assess
    expect($metadata.httpStatusCode).toBe(200);
    expect(SignalResponse).toBeDefined();
    expect(await gls.get(id)).toMatchObject({ Status: 'ACTIVE', SignalRequest: offer, SignalResponse });
  });

  it.each(['ACTIVATING', 'CONNECTED', 'RECONNECTING', 'TERMINATING', 'TERMINATED', 'ERROR'] as const)(
    'answers ConflictException in %s, or ValidationException when the settings say 400',
    async (status) => {
      // Prepare
      const gls = await start();
      const { streamSessionId: id } = await gls.control.startSession({
        status: status === 'ACTIVATING' ? 'ACTIVATING' : status === 'RECONNECTING' ? 'ACTIVE' : 'CONNECTED',
      });
      if (status === 'TERMINATING') await gls.terminate(id);
      if (status === 'TERMINATED') await gls.control.applicationExits(id);
      if (status === 'ERROR') await gls.control.sessionFails(id);
      if (status === 'RECONNECTING') {
        void gls.clock.track(() => gls.beginConnection(id)).catch(() => undefined);
        await gls.clock.advance(1);
      }
      expect((await gls.get(id)).Status).toBe(status);

      // Act
      const first = await failureOf(gls.beginConnection(id));
      await gls.control.changeSettings({ wrongStatusConnectionHttpStatus: 400 });
      const second = await failureOf(gls.beginConnection(id));

      // Assess
      expect(first).toMatchObject({ name: 'ConflictException', $metadata: { httpStatusCode: 409 } });
      expect(second).toMatchObject({ name: 'ValidationException', $metadata: { httpStatusCode: 400 } });
      expect((await gls.get(id)).Status).toBe(status);
    },
  );

  it('refuses the offer that the session was started with', async () => {
    // Prepare
    const gls = await start();
    const offer = anOffer();
    const id = idIn((await gls.startSession({ SignalRequest: offer })).Arn);
    await gls.clock.advance(ACTIVATION_MS);

    // Act
    const failure = await failureOf(gls.connect(id, offer));

    // Assess
    expect(failure.name).toBe('ValidationException');
    expect((await gls.get(id)).Status).toBe('ACTIVE');
  });

  it('refuses NO_CLIENT_CONNECTION in place of an offer, without harm to the session', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession(pending);

    // Act
    const failure = await failureOf(gls.connect(id, 'NO_CLIENT_CONNECTION'));

    // Assess
    expect(failure.name).toBe('ValidationException');
    expect((await gls.get(id)).Status).toBe('PENDING_CLIENT_RECONNECTION');
  });

  it('takes as long as connectionMs says', async () => {
    // Prepare
    const gls = await start({ connectionMs: 700 });
    const { streamSessionId: id } = await gls.control.startSession(pending);
    let answeredAtMs = 0;

    // Act
    await gls.passing(2_000, async () => {
      await gls.beginConnection(id);
      answeredAtMs = gls.clock.nowMs();
    });

    // Assess
    const { connections } = await gls.control.session(id);
    expect(connections).toMatchObject([{ acceptedAtMs: answeredAtMs - 700, outcome: 'answered' }]);
  });

  it('records each accepted connection with its ClientToken and the digest of its offer', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession(pending);
    const offer = anOffer();

    // Act
    await gls.connect(id, offer, aClientToken('one'));
    await gls.connect(id, offer, aClientToken('two'));

    // Assess
    expect((await gls.control.session(id)).connections).toEqual([
      {
        acceptedAtMs: expect.any(Number),
        clientToken: aClientToken('one'),
        signalRequestSha256: sha256(offer),
        outcome: 'answered',
      },
      {
        acceptedAtMs: expect.any(Number),
        clientToken: aClientToken('two'),
        signalRequestSha256: sha256(offer),
        outcome: 'answered',
      },
    ]);
  });
});

describe('the ClientToken of a connection', () => {
  it('replays the first answer without a second effect, even when the session has moved on', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession(pending);
    const offer = anOffer();
    const first = await gls.connect(id, offer, aClientToken());
    await gls.control.clientConnects(id);

    // Act
    const again = await gls.beginConnection(id, offer, aClientToken());

    // Assess
    expect(again.SignalResponse).toBe(first.SignalResponse);
    const record = await gls.control.session(id);
    expect(record.status).toBe('CONNECTED');
    expect(record.connections).toHaveLength(1);
    expect((await gls.control.counters()).CreateStreamSessionConnection).toMatchObject({
      calls: 2,
      accepted: 2,
      replayed: 1,
    });
  });

  it('means the same session by id and by ARN', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id, arn } = await gls.control.startSession(pending);
    const offer = anOffer();
    const first = await gls.connect(id, offer, aClientToken());

    // Act
    const again = await gls.client.send(
      new CreateStreamSessionConnectionCommand({
        Identifier: STREAM_GROUP_ID,
        StreamSessionIdentifier: arn,
        SignalRequest: offer,
        ClientToken: aClientToken(),
      }),
    );

    // Assess
    expect(again.SignalResponse).toBe(first.SignalResponse);
  });

  it('is refused with another offer or another session', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession(pending);
    const { streamSessionId: otherId } = await gls.control.startSession(pending);
    const offer = anOffer();
    await gls.connect(id, offer, aClientToken());

    // Act
    const withOtherOffer = await failureOf(gls.beginConnection(id, anOffer(), aClientToken()));
    const forOtherSession = await failureOf(gls.beginConnection(otherId, offer, aClientToken()));

    // Assess
    expect([withOtherOffer.name, forOtherSession.name]).toEqual(['ConflictException', 'ConflictException']);
    expect((await gls.control.session(otherId)).status).toBe('PENDING_CLIENT_RECONNECTION');
  });

  it('lets two calls at the same time share one effect', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession(pending);
    const offer = anOffer();

    // Act
    const [first, second] = await Promise.all([
      gls.clock.track(() => gls.beginConnection(id, offer, aClientToken())),
      gls.clock.track(() => gls.beginConnection(id, offer, aClientToken())),
      gls.clock.advance(CONNECTION_MS),
    ]);

    // Assess
    expect(first.SignalResponse).toBeDefined();
    expect(second.SignalResponse).toBe(first.SignalResponse);
    expect((await gls.control.session(id)).connections).toHaveLength(1);
  });

  it('is free again after a call that was refused, and after one that failed', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession();
    const { streamSessionId: otherId } = await gls.control.startSession(pending);
    const offer = anOffer();
    const refused = await failureOf(gls.beginConnection(id, offer, aClientToken()));
    const failed = await failureOf(gls.connect(otherId, 'no offer', aClientToken('b')));
    await gls.control.clientDrops(id);

    // Act
    const first = await gls.connect(id, offer, aClientToken());
    const second = await gls.connect(id, offer, aClientToken('b'));

    // Assess
    expect([refused.name, failed.name]).toEqual(['ConflictException', 'ValidationException']);
    expect(first.SignalResponse).toBeDefined();
    expect(second.SignalResponse).not.toBe(first.SignalResponse);
  });

  it('may be left out: then every call is its own', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession(pending);
    const body = JSON.stringify({ SignalRequest: anOffer() });
    const post = () =>
      fetch(`${gls.server.url}/streamgroups/${STREAM_GROUP_ID}/streamsessions/${id}/connections`, {
        method: 'POST',
        body,
      });

    // Act
    await gls.passing(CONNECTION_MS, post);
    await gls.passing(CONNECTION_MS, post);

    // Assess
    const { connections } = await gls.control.session(id);
    expect(connections).toHaveLength(2);
    expect(connections.map(({ clientToken }) => clientToken)).toEqual([undefined, undefined]);
  });

  it('is forgotten after a day', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession(pending);
    const { streamSessionId: laterId } = await gls.control.startSession({
      status: 'ACTIVE',
      sessionLengthSeconds: 86_400,
    });
    await gls.connect(id, anOffer(), aClientToken());
    const dayMs = 24 * 3_600_000;

    // Act
    await gls.clock.advance(dayMs - CONNECTION_MS);
    const kept = await failureOf(gls.beginConnection(laterId, anOffer(), aClientToken()));
    await gls.clock.advance(1);
    const { streamSessionId: newId } = await gls.control.startSession(pending);
    const { SignalResponse } = await gls.connect(newId, anOffer(), aClientToken());

    // Assess
    expect(kept.message).toContain('ClientToken');
    expect(SignalResponse).toBeDefined();
  });
});

describe('the ClientToken of a start', () => {
  it('replays the first reply without a second session, even when the session has moved on', async () => {
    // Prepare
    const gls = await start();
    const input = { SignalRequest: anOffer(), ClientToken: aClientToken(), UserId: 'player-1' };
    const first = await gls.startSession(input);
    await gls.clock.advance(ACTIVATION_MS);

    // Act
    const again = await gls.startSession(input);

    // Assess
    expect(again.Arn).toBe(first.Arn);
    expect(again.Status).toBe('ACTIVATING');
    expect(await gls.control.sessions()).toHaveLength(1);
  });

  it('is refused with other parameters', async () => {
    // Prepare
    const gls = await start();
    const input = { SignalRequest: anOffer(), ClientToken: aClientToken() };
    await gls.startSession({ ...input, AdditionalEnvironmentVariables: { A: '1', B: '2' } });

    // Act
    const reordered = await gls.startSession({
      ...input,
      AdditionalEnvironmentVariables: { B: '2', A: '1' },
    });
    const failure = await failureOf(
      gls.startSession({ ...input, AdditionalEnvironmentVariables: { A: '1', B: '3' } }),
    );

    // Assess
    expect(reordered.$metadata.httpStatusCode).toBe(201);
    expect(failure.name).toBe('ConflictException');
    expect(await gls.control.sessions()).toHaveLength(1);
  });

  it('is none of a connection with the same text', async () => {
    // Prepare
    const gls = await start();
    const { Arn } = await gls.startSession({ ClientToken: aClientToken() });
    await gls.clock.advance(ACTIVATION_MS);

    // Act
    const { SignalResponse } = await gls.connect(idIn(Arn), anOffer(), aClientToken());

    // Assess
    expect(SignalResponse).toBeDefined();
  });
});
