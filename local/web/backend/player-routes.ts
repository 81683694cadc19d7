import { randomUUID } from 'node:crypto';
import { GameLiftStreamsServiceException } from '@aws-sdk/client-gameliftstreams';
import type { LoopbackReply, LoopbackRequest } from 'local-server-kit';
import { fetchHandler } from 'reconnection-client/backend';
import { type GameBackend, NotYourSessionError } from './game-backend.ts';
import { BadRequestError, json, readJson, refusal } from './json-routes.ts';
import { startSchema, streamSessionIdSchema } from './messages.ts';

const PREFIX = '/backend/sessions';
/** Stands in for the game's own sign-in: it says which player this browser is, in all its tabs. */
const COOKIE = 'player';

/** @returns undefined when the request is not for the backend */
export async function answerPlayer(
  request: LoopbackRequest,
  backend: GameBackend,
): Promise<LoopbackReply | undefined> {
  const [path = ''] = request.target.split('?', 1);
  if (path !== PREFIX && !path.startsWith(`${PREFIX}/`)) return undefined;
  const [id = '', what = '', ...more] = path.slice(PREFIX.length + 1).split('/');
  const route = `${request.method} ${id === '' ? '' : ':id'}${what === '' ? '' : `/${what}`}`;
  if (more.length > 0) return refusal(404, 'NotFound', 'The backend has no such path.');
  try {
    return await answer(route, id, request, backend);
  } catch (error) {
    return refusalOf(error);
  }
}

async function answer(
  route: string,
  id: string,
  request: LoopbackRequest,
  backend: GameBackend,
): Promise<LoopbackReply> {
  const userId = userIdIn(request);
  if (route === 'POST ') {
    const { signalRequest, connectionTimeoutSeconds } = readJson(startSchema, request);
    const newUserId = userId ?? randomUUID();
    const session = await backend.start(newUserId, signalRequest, connectionTimeoutSeconds);
    const cookie = `${COOKIE}=${newUserId}; Path=/backend; HttpOnly; SameSite=Strict`;
    return json(201, session, { 'set-cookie': cookie });
  }
  if (userId === undefined || !streamSessionIdSchema.safeParse(id).success) {
    throw new NotYourSessionError('This browser has started no such session.');
  }
  switch (route) {
    case 'GET :id':
      return json(200, await backend.session(userId, id));
    case 'POST :id/connections':
      return connect(request, userId, id, backend);
    case 'GET :id/window': {
      const window = await backend.window(userId, id);
      // Most of a session's life there is none: no error that a browser's log should fill with.
      return window === undefined ? { status: 204 } : json(200, window);
    }
    default:
      return refusal(405, 'MethodNotAllowed', 'The backend does not do that.');
  }
}

/** The handler that every game's backend can mount, between this server's requests and those of `fetch`. */
async function connect(
  { method, target, headers, body }: LoopbackRequest,
  userId: string,
  id: string,
  backend: GameBackend,
): Promise<LoopbackReply> {
  // What cannot be read is told by `authorize`.
  const leavingWithinSeconds = await backend.leavingWithinSeconds(id).catch(() => undefined);
  const handle = fetchHandler({
    client: backend.api,
    leavingWithinSeconds,
    authorize: async () => {
      try {
        return await backend.sessionOf(userId, id);
      } catch (error) {
        if (error instanceof NotYourSessionError) return undefined;
        throw error;
      }
    },
  });
  const response = await handle(
    new Request(new URL(target, 'http://127.0.0.1'), {
      method,
      headers: { 'content-type': headers['content-type'] ?? '' },
      body: body.toString('utf8'),
    }),
  );
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
  };
}

function refusalOf(error: unknown): LoopbackReply {
  if (error instanceof BadRequestError) return refusal(400, error.name, error.message);
  if (error instanceof NotYourSessionError) return refusal(403, error.name, error.message);
  if (error instanceof GameLiftStreamsServiceException) {
    return refusal(error.$metadata.httpStatusCode ?? 500, error.name, error.message);
  }
  throw error;
}

function userIdIn({ headers }: LoopbackRequest): string | undefined {
  return new RegExp(`(?:^|; )${COOKIE}=([0-9a-f-]{36})(?:;|$)`).exec(headers.cookie ?? '')?.[1];
}
