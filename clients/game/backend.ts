import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createReconnectionClient, expressHandler, type SessionOfUser } from 'reconnection-client/backend';

/**
 * A game's backend, as far as reconnection needs it.
 *
 * @param api the reconnection API with its stage, such as https://a1b2c3d4e5.execute-api.us-west-2.amazonaws.com/dev
 * @param sessionOf your own sign-in: the session that this player may come back to, or undefined.
 */
export function createGameBackend(
  api: string,
  region: string,
  sessionOf: (request: IncomingMessage) => Promise<SessionOfUser | undefined>,
): Server {
  const client = createReconnectionClient({ endpoint: api, region });
  const connections = expressHandler({ client, authorize: sessionOf });
  const server = createServer((request, response) => {
    if (request.method === 'POST' && request.url === '/api/connections') void connections(request, response);
    else response.writeHead(404).end();
  });
  server.on('close', () => client.destroy());
  return server;
}
