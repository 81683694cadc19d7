import {
  CreateStreamSessionAdminShellCommand,
  CreateStreamSessionConnectionCommand,
  GameLiftStreamsClient,
  type GameLiftStreamsServiceException,
  GetStreamSessionCommand,
  ListStreamSessionsCommand,
  StartStreamSessionCommand,
  type StartStreamSessionCommandInput,
  TerminateStreamSessionCommand,
} from '@aws-sdk/client-gameliftstreams';
import { seededRandom, VirtualClock } from 'local-server-kit';
import { onTestFinished } from 'vitest';
import { GameLiftStreamsControl } from '../src/control/client.ts';
import { anOffer } from '../src/index.ts';
import { type GameLiftStreamsOptions, startGameLiftStreams } from '../src/server.ts';

export const STREAM_GROUP_ID = 'sg-local0001';
export const REGION = 'us-west-2';
export const ACCOUNT_ID = '123456789012';
export const CONNECTION_MS = 50;
export const ACTIVATION_MS = 3000;

export const aClientToken = (seed = 'a') => seed.padEnd(32, '0');

/** A running stand-in on a virtual clock, the real SDK client, and the control client. */
export async function start(options: Partial<GameLiftStreamsOptions> = {}) {
  const clock = new VirtualClock();
  const server = await startGameLiftStreams({
    port: 0,
    clock,
    // A test with a clock of its own waits by that clock's timers.
    ...(options.clock === undefined ? { activity: clock } : {}),
    random: seededRandom(),
    connectionMs: CONNECTION_MS,
    activationMs: ACTIVATION_MS,
    ...options,
  });
  const client = clientOf(server.url);
  const control = new GameLiftStreamsControl(server.url);
  onTestFinished(async () => {
    client.destroy();
    await server.close();
  });

  /** Real time for the call, virtual time for what it waits for inside the server. */
  const passing = async <Result>(durationMs: number, call: () => Promise<Result>): Promise<Result> => {
    const [result] = await Promise.all([clock.track(call), clock.advance(durationMs)]);
    return result;
  };

  const path = (streamSessionId: string) => ({
    Identifier: STREAM_GROUP_ID,
    StreamSessionIdentifier: streamSessionId,
  });

  return {
    clock,
    server,
    client,
    control,
    passing,
    get: (id: string) => client.send(new GetStreamSessionCommand(path(id))),
    list: (status?: 'ACTIVE' | 'PENDING_CLIENT_RECONNECTION') =>
      client.send(
        new ListStreamSessionsCommand({
          Identifier: STREAM_GROUP_ID,
          ...(status === undefined ? {} : { Status: status }),
        }),
      ),
    terminate: (id: string) => client.send(new TerminateStreamSessionCommand(path(id))),
    adminShell: (id: string) => client.send(new CreateStreamSessionAdminShellCommand(path(id))),
    startSession: (input: Partial<StartStreamSessionCommandInput> = {}) =>
      client.send(
        new StartStreamSessionCommand({
          Identifier: STREAM_GROUP_ID,
          Protocol: 'WebRTC',
          SignalRequest: anOffer(),
          ApplicationIdentifier: 'a-local0001',
          ...input,
        }),
      ),
    /** Does not wait: the call is under way until time moves on by CONNECTION_MS. */
    beginConnection: (id: string, offer = anOffer(), ClientToken?: string) =>
      client.send(
        new CreateStreamSessionConnectionCommand({
          ...path(id),
          SignalRequest: offer,
          ...(ClientToken === undefined ? {} : { ClientToken }),
        }),
      ),
    /** A connection whose caller can give up. */
    abortable: (id: string, abortSignal: AbortSignal) =>
      client.send(new CreateStreamSessionConnectionCommand({ ...path(id), SignalRequest: anOffer() }), {
        abortSignal,
      }),
    connect: (id: string, offer = anOffer(), ClientToken?: string) =>
      passing(CONNECTION_MS, () =>
        client.send(
          new CreateStreamSessionConnectionCommand({
            ...path(id),
            SignalRequest: offer,
            ...(ClientToken === undefined ? {} : { ClientToken }),
          }),
        ),
      ),
  };
}

export type Harness = Awaited<ReturnType<typeof start>>;

/** The real client, with one attempt: what is measured is the server, not the SDK's retries. */
export function clientOf(endpoint: string): GameLiftStreamsClient {
  return new GameLiftStreamsClient({
    endpoint,
    region: REGION,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
}

/** The session's id, which an ARN ends with. */
export function idIn(arn: string | undefined): string {
  const id = arn?.split('/').at(-1);
  if (id === undefined) throw new Error('There is no ARN.');
  return id;
}

/** What a call that must fail failed with. */
export async function failureOf(call: Promise<unknown>): Promise<GameLiftStreamsServiceException> {
  const error: unknown = await call.then(
    () => new Error('The call succeeded.'),
    (reason: unknown) => reason,
  );
  if (isServiceException(error)) return error;
  throw error;
}

function isServiceException(error: unknown): error is GameLiftStreamsServiceException {
  return error instanceof Error && '$metadata' in error;
}
