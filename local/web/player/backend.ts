/** The page's calls to its own server, which holds the credentials. */
import { fetchBackend } from 'reconnection-client';
import type * as z from 'zod';
import {
  type ControlState,
  controlStateSchema,
  type Mishap,
  type StartedSession,
  type StormRequest,
  startedSessionSchema,
  type WatchedSession,
  type WindowView,
  watchedSessionSchema,
  windowSchema,
} from '../backend/messages.ts';

/** The server has refused, or does not answer. The message is for people. */
export class BackendError extends Error {
  override readonly name = 'BackendError';
}

export function startSession(
  signalRequest: string,
  connectionTimeoutSeconds: number,
): Promise<StartedSession> {
  const body = { signalRequest, connectionTimeoutSeconds };
  return call(startedSessionSchema, 'POST', '/backend/sessions', body);
}

export function readSession(streamSessionId: string): Promise<WatchedSession> {
  return call(watchedSessionSchema, 'GET', `/backend/sessions/${encodeURIComponent(streamSessionId)}`);
}

/** What the reconnector tells the game's backend: an offer to come back, the end, and that the page goes away. */
export const reconnection = fetchBackend(
  (streamSessionId) => `/backend/sessions/${encodeURIComponent(streamSessionId)}/connections`,
);

/** @returns null before the session's first window */
export async function readWindow(streamSessionId: string): Promise<WindowView | null> {
  const reply = await send('GET', `/backend/sessions/${encodeURIComponent(streamSessionId)}/window`);
  return reply.status === 204 ? null : windowSchema.parse(await reply.json());
}

export function readControlState(streamSessionId: string | undefined): Promise<ControlState> {
  const query = streamSessionId === undefined ? '' : `?session=${encodeURIComponent(streamSessionId)}`;
  return call(controlStateSchema, 'GET', `/control/state${query}`);
}

export async function causeMishap(mishap: Mishap): Promise<void> {
  await send('POST', '/control/mishaps', mishap);
}

export async function clearMishaps(): Promise<void> {
  await send('DELETE', '/control/mishaps');
}

export async function startStorm(storm: StormRequest): Promise<void> {
  await send('POST', '/control/storm', storm);
}

async function call<Schema extends z.ZodType>(
  schema: Schema,
  method: string,
  path: string,
  body?: object,
): Promise<z.output<Schema>> {
  const reply = await send(method, path, body);
  return schema.parse(await reply.json());
}

async function send(method: string, path: string, body?: object): Promise<Response> {
  const reply = await fetch(path, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  }).catch(() => {
    throw new BackendError('The local stack does not answer. Is npm start still running?');
  });
  if (!reply.ok) throw new BackendError(await messageOf(reply));
  return reply;
}

async function messageOf(reply: Response): Promise<string> {
  const text = await reply.text();
  try {
    const { message } = JSON.parse(text);
    return typeof message === 'string' ? message : text;
  } catch {
    return text;
  }
}
