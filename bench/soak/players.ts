import { setTimeout as sleep } from 'node:timers/promises';
import { CreateStreamSessionConnectionCommand, GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import { anOffer, type SessionRecord } from 'game-lift-streams-local';
import { LOCAL_CREDENTIALS } from 'local-server-kit';
import { z } from 'zod';
import type { Stack } from '../../local/stack.ts';
import type { Fate } from './fates.ts';

const answerSchema = z.object({ SignalResponse: z.string() });
const windowSchema = z.object({ phase: z.string() });

const UNTIL_NOTICED_MS = 10_000;
/**
 * Outcomes wait for their reads, 15 a second of all windows: two thousand take over two minutes. A player who drops again
 * before that is still in the first window, and the two disconnects have one outcome.
 */
const RECORDED_WITHIN_MS = 240_000;

export interface Play {
  readonly stack: Stack;
  readonly session: SessionRecord;
  readonly fate: Fate;
  /** When the player, or the end, comes after the drop. */
  readonly afterMs: number;
  readonly untilMs: number;
}

/** Plays one session's fate, from its drop to where nothing more is done about it. */
export async function play({ stack, session, fate, afterMs, untilMs }: Play): Promise<void> {
  const { control } = stack;
  const { streamSessionId } = session;
  if (fate === 'neverComesBack') return;
  await sleep(afterMs);
  // What is over before the watcher's look nobody has seen: it has no window, and no outcome.
  if (!(await windowIs(stack, session, untilMs, (phase) => phase !== undefined))) return;
  if (fate === 'applicationExits') {
    await control.applicationExits(streamSessionId);
  } else if (fate === 'sessionFails') {
    await control.sessionFails(streamSessionId);
  } else if (fate === 'comesBackUnseen') {
    await comeBackUnseen(stack, session);
  } else if (
    (await comeBack(stack, session, untilMs)) &&
    fate === 'comesBackTwice' &&
    (await windowIs(stack, session, untilMs + RECORDED_WITHIN_MS, (phase) => phase === 'CLOSED'))
  ) {
    await control.clientDrops(streamSessionId);
    // Sooner than the watcher looks there would be no window to record: nobody reports anything here.
    await sleep(UNTIL_NOTICED_MS);
    await comeBack(stack, session, Date.now() + session.connectionTimeoutSeconds * 1000);
  }
}

/** As a backend does: again when told to, with the same offer. @returns whether the player is connected. */
async function comeBack(
  { endpoints, control }: Stack,
  session: SessionRecord,
  untilMs: number,
): Promise<boolean> {
  const body = JSON.stringify({ SignalRequest: anOffer() });
  while (Date.now() < untilMs) {
    const response = await fetch(`${urlOf(endpoints.api, session)}/connections`, { method: 'POST', body });
    if (response.status === 200) {
      const { SignalResponse } = answerSchema.parse(await response.json());
      await control.clientConnects(session.streamSessionId, SignalResponse);
      return true;
    }
    await response.arrayBuffer();
    const retryAfterSeconds = response.headers.get('retry-after');
    // Too late, or lost: the service's history says which, and the outcome must say the same.
    if (retryAfterSeconds === null && response.status !== 500) return false;
    await sleep(Number(retryAfterSeconds ?? 1) * 1000);
  }
  return false;
}

async function comeBackUnseen({ endpoints, control, service }: Stack, session: SessionRecord): Promise<void> {
  const { streamGroupId, streamSessionId } = session;
  const { region } = service;
  const credentials = LOCAL_CREDENTIALS;
  const client = new GameLiftStreamsClient({
    region,
    credentials,
    endpoint: endpoints.gameLiftStreams,
    maxAttempts: 8,
  });
  const { SignalResponse } = await client.send(
    new CreateStreamSessionConnectionCommand({
      Identifier: streamGroupId,
      StreamSessionIdentifier: streamSessionId,
      SignalRequest: anOffer(),
    }),
  );
  client.destroy();
  await control.clientConnects(streamSessionId, SignalResponse);
}

/** @returns whether the session's window came to such a phase in time; undefined is no window. */
async function windowIs(
  { endpoints }: Stack,
  session: SessionRecord,
  untilMs: number,
  wanted: (phase: string | undefined) => boolean,
): Promise<boolean> {
  while (Date.now() < untilMs) {
    const response = await fetch(`${urlOf(endpoints.api, session)}/window`);
    const body: unknown = await response.json();
    if (wanted(response.ok ? windowSchema.parse(body).phase : undefined)) return true;
    await sleep(2000);
  }
  return false;
}

function urlOf(api: string, { streamGroupId, streamSessionId }: SessionRecord): string {
  return `${api}/streamgroups/${streamGroupId}/streamsessions/${streamSessionId}`;
}
