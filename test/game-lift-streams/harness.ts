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
import { VirtualClock } from 'local-server-kit';
import { onTestFinished } from 'vitest';
import { NO_CERTIFICATE } from '../../local/game-lift-streams/answers.ts';
import { GameLiftStreamsControl } from '../../local/game-lift-streams/control-client.ts';
import { type GameLiftStreamsOptions, startGameLiftStreams } from '../../local/game-lift-streams/server.ts';

export const STREAM_GROUP_ID = 'sg-local0001';
export const REGION = 'us-west-2';
export const ACCOUNT_ID = '123456789012';
export const CONNECTION_MS = 50;
export const ACTIVATION_MS = 3000;

/** A seeded generator (mulberry32), so that a failing run can be repeated. */
export function seededRandom(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

let offers = 0;

/** An offer as the Web SDK generates it, each with its own ICE user. */
export function anOffer(): string {
  const sdp = [
    'v=0',
    `o=- ${++offers} 2 IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    'a=group:BUNDLE 0 1 2',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111 0',
    'c=IN IP4 0.0.0.0',
    `a=ice-ufrag:offer${offers}`,
    NO_CERTIFICATE,
    'a=mid:0',
    'a=recvonly',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:111 opus/48000/2',
    'm=video 9 UDP/TLS/RTP/SAVPF 96 102',
    'c=IN IP4 0.0.0.0',
    'a=mid:1',
    'a=recvonly',
    'a=rtpmap:96 VP8/90000',
    'a=rtpmap:102 H264/90000',
    'a=fmtp:102 packetization-mode=1',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    'a=mid:2',
    'a=sctp-port:5000',
  ];
  return JSON.stringify({ type: 'offer', sdp: `${sdp.join('\r\n')}\r\n`, webSdkVersion: '1.2.0' });
}

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
