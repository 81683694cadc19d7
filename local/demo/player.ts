import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateStreamSessionConnectionCommand,
  GameLiftStreamsClient,
  TerminateStreamSessionCommand,
} from '@aws-sdk/client-gameliftstreams';
import type { SessionRecord } from 'game-lift-streams-local';
import { LOCAL_CREDENTIALS } from 'local-server-kit';
import { z } from 'zod';
import { resolveEnvironment } from '../service/read-service.ts';
import type { Stack } from '../stack.ts';

const sample = join(
  import.meta.dirname,
  '../../events/samples/create-stream-session-connection.request.json',
);
const sampleSchema = z.object({ SignalRequest: z.string() });
const windowSchema = z.object({
  phase: z.string(),
  remainingSeconds: z.number(),
  outcome: z.string().optional(),
  statusReason: z.string().optional(),
});
export type WindowView = z.infer<typeof windowSchema>;

/**
 * One session's player and the game's backend, as they are in real life: the backend reports the disconnect to
 * the event bus and calls the API with the SDK that it calls Amazon GameLift Streams with.
 */
export class Player {
  readonly session: SessionRecord;
  readonly #stack: Stack;
  readonly #api: GameLiftStreamsClient;
  readonly #eventBridge: EventBridgeClient;

  constructor(stack: Stack, session: SessionRecord) {
    const { region } = stack.service;
    this.session = session;
    this.#stack = stack;
    this.#api = new GameLiftStreamsClient({
      region,
      credentials: LOCAL_CREDENTIALS,
      endpoint: stack.endpoints.api,
      maxAttempts: 1,
    });
    this.#eventBridge = new EventBridgeClient({
      region,
      credentials: LOCAL_CREDENTIALS,
      endpoint: stack.endpoints.eventBus,
    });
  }

  /** The connection is lost, and nobody says so. @returns when, in epoch milliseconds */
  async dropsUnreported(): Promise<number> {
    const dropped = await this.#stack.control.clientDrops(this.session.streamSessionId);
    return dropped[0]?.history.at(-1)?.atMs ?? Date.now();
  }

  /** The connection is lost, and the backend says so. */
  async drops(): Promise<void> {
    const { streamGroupId, streamSessionId, connectionTimeoutSeconds } = this.session;
    const droppedAtMs = await this.dropsUnreported();
    const { EVENT_BUS_NAME, EVENT_SOURCE } = resolveEnvironment(this.#stack.service, 'onStatusChange');
    await this.#eventBridge.send(
      new PutEventsCommand({
        Entries: [
          {
            EventBusName: EVENT_BUS_NAME,
            Source: EVENT_SOURCE,
            DetailType: 'Stream Session Status Change',
            Detail: JSON.stringify({
              version: '1',
              streamGroupId,
              streamSessionId,
              status: 'PENDING_CLIENT_RECONNECTION',
              statusChangedAt: new Date(droppedAtMs).toISOString(),
              connectionTimeoutSeconds,
            }),
          },
        ],
      }),
    );
  }

  /** Makes a new offer and asks for an answer to it. @throws the service's errors by name, as the SDK does */
  async asksToReconnect(): Promise<string> {
    const { SignalResponse: answer } = await this.#api.send(
      new CreateStreamSessionConnectionCommand({
        Identifier: this.session.streamGroupId,
        StreamSessionIdentifier: this.session.streamSessionId,
        SignalRequest: newOffer(),
      }),
    );
    if (answer === undefined) throw new Error('The API gave no answer.');
    return answer;
  }

  /** Uses the answer: the stream is up again. */
  async connects(answer: string): Promise<void> {
    await this.#stack.control.clientConnects(this.session.streamSessionId, answer);
  }

  /** Leaves on purpose: the backend ends the session through the API. */
  async leaves(): Promise<void> {
    await this.#api.send(
      new TerminateStreamSessionCommand({
        Identifier: this.session.streamGroupId,
        StreamSessionIdentifier: this.session.streamSessionId,
      }),
    );
  }

  /** What a waiting page would show; undefined before there is a window. */
  async window(): Promise<WindowView | undefined> {
    const { streamGroupId, streamSessionId } = this.session;
    const path = `streamgroups/${streamGroupId}/streamsessions/${streamSessionId}/window`;
    const response = await fetch(`${this.#stack.endpoints.api}/${path}`);
    if (response.status === 404) return undefined;
    if (!response.ok) throw new Error(`GET …/window answered ${response.status}.`);
    return windowSchema.parse(await response.json());
  }

  /** Waits for a window. @throws when there is none after `patienceSeconds` */
  async windowOpens(patienceSeconds: number): Promise<void> {
    const patientUntilMs = Date.now() + patienceSeconds * 1000;
    while ((await this.window()) === undefined) {
      if (Date.now() > patientUntilMs) throw new Error(`No window has opened in ${patienceSeconds} s.`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  close(): void {
    this.#api.destroy();
    this.#eventBridge.destroy();
  }
}

/** The offer that a real browser made for `events/samples/`, with an ICE user of its own, as each offer has. */
function newOffer(): string {
  const { SignalRequest: text } = sampleSchema.parse(JSON.parse(readFileSync(sample, 'utf8')));
  const user = randomBytes(3).toString('base64url');
  return text.replace(/a=ice-ufrag:[^\\]+/g, `a=ice-ufrag:${user}`);
}
