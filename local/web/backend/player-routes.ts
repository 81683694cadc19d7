import { randomUUID } from 'node:crypto';
import { GameLiftStreamsServiceException } from '@aws-sdk/client-gameliftstreams';
import type { LoopbackReply, LoopbackRequest } from 'local-server-kit';
import { type GameBackend, NotYourSessionError } from './game-backend.ts';
import { BadRequestError, json, readJson, refusal } from './json-routes.ts';
import {
  type ConnectionReplyMessage,
  reconnectSchema,
  startSchema,
  streamSessionIdSchema,
} from './messages.ts';

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
    case 'POST :id/connections': {
      const { signalRequest } = readJson(reconnectSchema, request);
      return json(200, await connectionReply(() => backend.reconnect(userId, id, signalRequest)));
    }
    case 'GET :id/window': {
      const reply = await backend.window(userId, id);
      // Most of a session's life there is none: no error that a browser's log should fill with.
      return reply.status === 404 ? { status: 204 } : json(reply.status, Object(await reply.json()));
    }
    default:
      return refusal(405, 'MethodNotAllowed', 'The backend does not do that.');
  }
}

/** What the service or its API refuses goes on to the page by name, with the time to come again. */
async function connectionReply(reconnect: () => Promise<string>): Promise<ConnectionReplyMessage> {
  try {
    return { kind: 'answer', signalResponse: await reconnect() };
  } catch (error) {
    if (!(error instanceof GameLiftStreamsServiceException)) throw error;
    const retryAfter = error.$response?.headers['retry-after'];
    return {
      kind: 'refused',
      status: error.$metadata.httpStatusCode ?? 500,
      name: error.name,
      message: error.message,
      ...(retryAfter === undefined ? {} : { retryAfterSeconds: Number(retryAfter) }),
    };
  }
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
