/**
 * The service's own SDK client, on this API instead of on Amazon GameLift Streams: all that a backend in JavaScript
 * or TypeScript has to change. In the cloud API Gateway takes signatures for `execute-api` only, while the SDK signs
 * for `gameliftstreams`. Credentials are found as ever. To try it:
 *
 *   node clients/javascript/reconnection-client.ts <API> <stream group> <stream session> <file with the offer> [user id]
 */
import { readFile } from 'node:fs/promises';
import {
  CreateStreamSessionConnectionCommand,
  GameLiftStreamsClient,
  type GameLiftStreamsClientConfig,
} from '@aws-sdk/client-gameliftstreams';

/** @param endpoint the API with its stage, such as https://a1b2c3d4e5.execute-api.us-west-2.amazonaws.com/dev */
export function reconnectionClient(
  endpoint: string,
  config: GameLiftStreamsClientConfig = {},
): GameLiftStreamsClient {
  return new GameLiftStreamsClient({
    ...config,
    endpoint,
    httpAuthSchemeProvider: (parameters) => [
      {
        schemeId: 'aws.auth#sigv4',
        // It must be `signingName`: with `name`, as the SDK's own provider has it, this would be of no effect.
        signingProperties: { signingName: 'execute-api', signingRegion: parameters.region },
        propertiesExtractor: (clientConfig, context) => ({
          signingProperties: { config: clientConfig, context },
        }),
      },
    ],
  });
}

/**
 * Asks for the answer to a player's offer. The client's own retries keep the ClientToken.
 *
 * @param userId who asks, as the session's UserId says it, where the API checks that (`userIdCheck`).
 */
export async function reconnect(
  client: GameLiftStreamsClient,
  session: { readonly streamGroup: string; readonly streamSession: string },
  signalRequest: string,
  userId?: string,
): Promise<string> {
  const command = new CreateStreamSessionConnectionCommand({
    Identifier: session.streamGroup,
    StreamSessionIdentifier: session.streamSession,
    SignalRequest: signalRequest,
  });
  if (userId !== undefined) {
    command.middlewareStack.add(
      (next) => (args) => {
        const { request } = args;
        if (typeof request === 'object' && request !== null && 'headers' in request) {
          Object.assign(request.headers ?? {}, { 'x-user-id': userId });
        }
        return next(args);
      },
      // Before the request is signed.
      { step: 'build', name: 'userId' },
    );
  }
  const { SignalResponse: signalResponse } = await client.send(command);
  if (signalResponse === undefined) throw new Error('The API gave no answer.');
  return signalResponse;
}

if (import.meta.main) {
  const [endpoint, streamGroup, streamSession, offerFile, userId] = process.argv.slice(2);
  if (
    endpoint === undefined ||
    streamGroup === undefined ||
    streamSession === undefined ||
    offerFile === undefined
  ) {
    throw new Error(
      'Usage: reconnection-client.ts <API> <stream group> <stream session> <file with the offer> [user id]',
    );
  }
  const offer = await readFile(offerFile, 'utf8');
  console.log(
    await reconnect(reconnectionClient(endpoint), { streamGroup, streamSession }, offer.trim(), userId),
  );
}
