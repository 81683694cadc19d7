import { GameLiftStreamsClient, GetStreamSessionCommand } from '@aws-sdk/client-gameliftstreams';
import { describe, expect, it } from 'vitest';
import { LOCAL_CREDENTIALS } from '../src/credentials.ts';
import { InProcessNetwork } from '../src/in-process-network.ts';

describe('a network without sockets', () => {
  it('ends a call when its caller aborts it, and tells the server', async () => {
    const network = new InProcessNetwork();
    const caller = new AbortController();
    let isGone = false;
    const { url } = await network.startServer({
      port: 0,
      maxBodyBytes: 1024,
      handle: ({ callerGone }) => {
        callerGone?.addEventListener('abort', () => {
          isGone = true;
        });
        setImmediate(() => caller.abort());
        return new Promise(() => {});
      },
    });
    const client = new GameLiftStreamsClient({
      endpoint: url,
      region: 'us-west-2',
      credentials: LOCAL_CREDENTIALS,
      requestHandler: network.requestHandler,
      maxAttempts: 1,
    });

    const call = client.send(
      new GetStreamSessionCommand({ Identifier: 'sg-1', StreamSessionIdentifier: 'session' }),
      { abortSignal: caller.signal },
    );

    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    expect(isGone).toBe(true);
  });
});
