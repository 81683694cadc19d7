import { StreamSessionAccessNotReadyException } from '@aws-sdk/client-gameliftstreams';
import { describe, expect, it } from 'vitest';
import { failureOf, start } from './harness.ts';

const unlimited = { quotas: { CreateStreamSessionAdminShell: Number.POSITIVE_INFINITY } };

describe('CreateStreamSessionAdminShell', () => {
  it.each(['ACTIVE', 'CONNECTED', 'PENDING_CLIENT_RECONNECTION', 'RECONNECTING'] as const)(
    'gives new credentials each time in %s',
    async (status) => {
      // Prepare
      const gls = await start(unlimited);
      const { streamSessionId: id } = await gls.control.startSession({
        status: status === 'RECONNECTING' ? 'ACTIVE' : status,
      });
      if (status === 'RECONNECTING') {
        void gls.clock.track(() => gls.beginConnection(id)).catch(() => undefined);
        await gls.clock.advance(1);
      }
      expect((await gls.get(id)).Status).toBe(status);

      // Act
      const first = await gls.adminShell(id);
      const second = await gls.adminShell(id);

      // Assess
      expect(first).toMatchObject({
        $metadata: { httpStatusCode: 200 },
        SessionId: expect.stringMatching(/^[\w-]{1,256}$/),
        StreamUrl: `wss://ssmmessages.us-west-2.amazonaws.com/v1/data-channel/${first.SessionId}?role=publish_subscribe`,
        TokenValue: expect.stringMatching(/^[\w+/=]{200,1024}$/),
      });
      expect(second.SessionId).not.toBe(first.SessionId);
      expect(second.TokenValue).not.toBe(first.TokenValue);
      expect((await gls.control.session(id)).adminShells).toBe(2);
    },
  );

  it.each(['ACTIVATING', 'TERMINATING', 'TERMINATED', 'ERROR'] as const)(
    'is refused in %s with 400, or with 404 when the settings say so',
    async (status) => {
      // Prepare
      const gls = await start(unlimited);
      const { streamSessionId: id } = await gls.control.startSession({
        status: status === 'ACTIVATING' ? 'ACTIVATING' : 'CONNECTED',
      });
      if (status === 'TERMINATING') await gls.terminate(id);
      if (status === 'TERMINATED') await gls.control.applicationExits(id);
      if (status === 'ERROR') await gls.control.sessionFails(id);

      // Act
      const first = await failureOf(gls.adminShell(id));
      await gls.control.changeSettings({ wrongStatusAdminShellHttpStatus: 404 });
      const second = await failureOf(gls.adminShell(id));

      // Assess
      expect(first).toMatchObject({ name: 'ValidationException', $metadata: { httpStatusCode: 400 } });
      expect(second).toMatchObject({ name: 'ResourceNotFoundException', $metadata: { httpStatusCode: 404 } });
      expect((await gls.control.session(id)).adminShells).toBe(0);
    },
  );

  it('answers StreamSessionAccessNotReadyException until the session is ready for access', async () => {
    // Prepare
    const gls = await start(unlimited);
    const { streamSessionId: id } = await gls.control.startSession();
    const { streamSessionId: otherId } = await gls.control.startSession();

    // Act
    await gls.control.adminShellsNotReady({ streamSessionId: id, notReadySeconds: 5 });
    const other = await gls.adminShell(otherId);
    await gls.clock.advance(4_999);
    const failure = await failureOf(gls.adminShell(id));
    await gls.clock.advance(1);
    const ready = await gls.adminShell(id);

    // Assess
    expect(other.TokenValue).toBeDefined();
    expect(failure).toBeInstanceOf(StreamSessionAccessNotReadyException);
    expect(failure.$metadata.httpStatusCode).toBe(409);
    expect(ready.TokenValue).toBeDefined();
  });

  it('is not ready for any session when none is named, for those to come either', async () => {
    // Prepare
    const gls = await start(unlimited);
    await gls.control.adminShellsNotReady({ notReadySeconds: 5 });
    const { streamSessionId: id } = await gls.control.startSession();

    // Act
    const failure = await failureOf(gls.adminShell(id));

    // Assess
    expect(failure.name).toBe('StreamSessionAccessNotReadyException');
  });
});
