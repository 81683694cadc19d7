/**
 * Pushes what happens to a session to its player's browser, as server-sent events: `new EventSource('/sessions/…')`. On the
 * local stack (`npm run start` prints the bus's address):
 *
 *   npx node feeds/consumers/push-to-browser.ts <address of the local event bus> [port]
 *
 * A browser learns the state, the deadline and the cause, and nothing that is meant for operators.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { followLocalBus, LatestWindows, type WindowEvent, windowEventOf } from './window-events.ts';

/** What a browser gets. */
export type PushedState =
  | { readonly state: 'waiting'; readonly deadline: string }
  | { readonly state: 'over'; readonly outcome: string; readonly cause: string };

const HEADERS = { 'content-type': 'text/event-stream', 'cache-control': 'no-store' };
/** The browser reconnects by itself after this time. */
const RETRY_MS = 2000;
const MAX_STATES = 10_000;

/**
 * Makes the two halves: `consume` for the events of windows, `serve` for browsers.
 *
 * @param sessionOf returns the session that the request's player is in, as `<stream group>/<stream session>`. Check the login
 *   here: a listener of a session learns when its player is away. Undefined is a 404.
 */
export function pushToBrowser(sessionOf: (request: IncomingMessage) => string | undefined) {
  const latest = new LatestWindows();
  const states = new Map<string, PushedState>();
  const listeners = new Map<string, Set<ServerResponse>>();

  return {
    consume: async (raw: unknown): Promise<void> => {
      const event = windowEventOf(raw);
      if (event === undefined) return;
      await latest.ifNews(event, () => {
        const state = stateOf(event);
        states.delete(event.session);
        states.set(event.session, state);
        if (states.size > MAX_STATES) states.delete(states.keys().next().value ?? '');
        for (const response of listeners.get(event.session) ?? []) response.write(messageOf(state));
      });
    },
    serve: (request: IncomingMessage, response: ServerResponse): void => {
      const session = sessionOf(request);
      if (session === undefined) {
        response.writeHead(404).end();
        return;
      }
      const ofSession = listeners.get(session) ?? new Set();
      listeners.set(session, ofSession.add(response));
      response.on('close', () => {
        ofSession.delete(response);
        if (ofSession.size === 0 && listeners.get(session) === ofSession) listeners.delete(session);
      });
      response.writeHead(200, HEADERS).write(`retry: ${RETRY_MS}\n\n`);
      // A browser that comes later, or back, learns where the session stands.
      const state = states.get(session);
      if (state !== undefined) response.write(messageOf(state));
    },
  };
}

function stateOf(event: WindowEvent): PushedState {
  return event.kind === 'opened'
    ? { state: 'waiting', deadline: event.deadline.toISOString() }
    : { state: 'over', outcome: event.outcome, cause: event.cause };
}

function messageOf(state: PushedState): string {
  return `data: ${JSON.stringify(state)}\n\n`;
}

if (import.meta.main) {
  const [busUrl, port = '8080'] = process.argv.slice(2);
  if (busUrl === undefined)
    throw new Error('Usage: push-to-browser.ts <address of the local event bus> [port]');
  // On a laptop there is no login: the path names the session.
  const { consume, serve } = pushToBrowser(({ url = '' }) => /^\/sessions\/([^/]+\/[^/]+)$/.exec(url)?.[1]);
  createServer(serve).listen(Number(port), '127.0.0.1');
  process.stdout.write(`Listen at http://127.0.0.1:${port}/sessions/<stream group>/<stream session>\n`);
  await followLocalBus(busUrl, consume);
}
