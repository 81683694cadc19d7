import { type Clock, type StartServer, startLoopbackServer } from 'local-server-kit';
import { answerControl, CONTROL_PATH } from './control/api.ts';
import { answerService } from './operations/dispatch.ts';
import type { Peers } from './peers/peers.ts';
import { DEFAULT_QUOTAS, type Quotas } from './sessions/quotas.ts';
import type { Random } from './sessions/randomness.ts';
import { type Activity, ClockSleeper, holdOpen, sleepUntil, type Waiting } from './sessions/sleeper.ts';
import { StreamClients } from './sessions/stream-clients.ts';
import { World } from './sessions/world.ts';

export interface GameLiftStreamsOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly clock: Clock;
  /** Numbers in [0, 1), for ids, answers and credentials. */
  readonly random: Random;
  /** Requests a second for each operation. What is not here keeps the service's default. */
  readonly quotas?: Partial<Quotas>;
  /** The default is `us-west-2`. */
  readonly region?: string;
  /** The default is `123456789012`. */
  readonly accountId?: string;
  /** The stream groups there are from the start. The default is `sg-local0001` alone. */
  readonly streamGroupIds?: readonly string[];
  /** How long CreateStreamSessionConnection takes. The default is 50 ms. */
  readonly connectionMs?: number;
  /** From ACTIVATING to ACTIVE. The default is 3000 ms. */
  readonly activationMs?: number;
  /** From ACTIVATING to ACTIVE of a stream group that CreateStreamGroup makes. The default is a minute. */
  readonly groupActivationMs?: number;
  /** From DeleteStreamGroup to the time when the stream group is gone. The default is a minute. */
  readonly groupDeletionMs?: number;
  /** From TERMINATING to TERMINATED. The default is 1000 ms. */
  readonly terminationMs?: number;
  /** From the loss of a client to PENDING_CLIENT_RECONNECTION. The default is at once. */
  readonly lossNoticeMs?: number;
  /**
   * How a call waits inside the server, for `connectionMs` and latency faults. With a VirtualClock pass the
   * clock itself: its `sleep` lets time move on while the caller's tracked work waits for the reply. The
   * default waits by `clock.setTimer`.
   */
  readonly activity?: Activity;
  /** The default listens on loopback. */
  readonly startServer?: StartServer;
  /**
   * Answers browsers' offers with real WebRTC peers, which the server closes with itself. Without any, an answer
   * is well-formed, and nobody is behind it. They live in real time.
   */
  readonly peers?: Peers;
}

export interface GameLiftStreamsServer {
  readonly url: string;
  readonly port: number;
  /** Closes at once; calls that wait get no reply. */
  close(): Promise<void>;
}

export const DEFAULT_STREAM_GROUP_ID = 'sg-local0001';

/** Room for the largest StartStreamSession: an offer beside 50 environment variables of 4096 characters. */
const MAX_BODY_BYTES = 2 * 1024 * 1024;

/**
 * A stand-in for Amazon GameLift Streams on 127.0.0.1, for the operations of stream sessions, stream groups and tags. README.md in this
 * folder says what it promises and how a test moves its time.
 *
 * @throws the system's error (EADDRINUSE, …) when the port cannot be had
 */
export async function startGameLiftStreams(options: GameLiftStreamsOptions): Promise<GameLiftStreamsServer> {
  const { clock, random, startServer = startLoopbackServer } = options;
  const sleeper = new ClockSleeper(clock);
  const activity = options.activity ?? sleeper;
  const newWorld = () =>
    new World({
      clock,
      random,
      account: { region: options.region ?? 'us-west-2', accountId: options.accountId ?? '123456789012' },
      quotas: { ...DEFAULT_QUOTAS, ...options.quotas },
      settings: {
        wrongStatusConnectionHttpStatus: 409,
        wrongStatusAdminShellHttpStatus: 400,
        connectionMs: options.connectionMs ?? 50,
        activationMs: options.activationMs ?? 3000,
        terminationMs: options.terminationMs ?? 1000,
        lossNoticeMs: options.lossNoticeMs ?? 0,
        overstayMs: 0,
        groupActivationMs: options.groupActivationMs ?? 60_000,
        groupDeletionMs: options.groupDeletionMs ?? 60_000,
        onlyTagged: null,
        repeatedClientToken: 'firstAnswer',
        timestampUnit: 'millisecond',
        listedLaterMs: 0,
        statusReason: { kind: 'documented' },
      },
      streamGroupIds: options.streamGroupIds ?? [DEFAULT_STREAM_GROUP_ID],
    });
  const { peers } = options;
  const clientsOf = (world: World) => (peers === undefined ? undefined : new StreamClients(world, peers));
  let world = newWorld();
  let clients = clientsOf(world);
  const waiting: Waiting = {
    until: (atMs) => sleepUntil(clock, activity, atMs),
    inVain: (callerGone) => holdOpen(clock, activity, callerGone),
  };
  const reset = () => {
    clients?.hangUpAll();
    world = newWorld();
    clients = clientsOf(world);
  };

  const server = await startServer({
    port: options.port,
    maxBodyBytes: MAX_BODY_BYTES,
    handle: async (request) => {
      if (request.target.startsWith(CONTROL_PATH)) return answerControl(world, reset, request);
      return answerService(world, waiting, request, clients);
    },
  });
  return {
    url: server.url,
    port: server.port,
    close: async () => {
      sleeper.close();
      await server.close();
      await peers?.close();
    },
  };
}
