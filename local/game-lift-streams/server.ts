import type { Clock } from '../shared/clock.ts';
import {
  HANG_UP,
  type LoopbackReply,
  type LoopbackRequest,
  startLoopbackServer,
} from '../shared/loopback-server.ts';
import { answerControl, CONTROL_PATH } from './control-api.ts';
import { errorOf, type FaultsOfCall, spoilAnswer } from './faults.ts';
import { OPERATIONS, type OperationResult } from './operations.ts';
import { errorReply, readMembers, successReply } from './protocol.ts';
import { DEFAULT_QUOTAS, type Quotas } from './quotas.ts';
import { type Random, randomUuid } from './randomness.ts';
import { type Call, matchRoute } from './routes.ts';
import { ServiceError, throttling, unknownOperation } from './service-error.ts';
import { type Activity, ClockSleeper, sleepUntil } from './sleeper.ts';
import { World } from './world.ts';

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
  /** From TERMINATING to TERMINATED. The default is 1000 ms. */
  readonly terminationMs?: number;
  /**
   * How a call waits inside the server, for `connectionMs` and latency faults. With a VirtualClock pass the
   * clock itself: its `sleep` lets time move on while the caller's tracked work waits for the reply. The
   * default waits by `clock.setTimer`.
   */
  readonly activity?: Activity;
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
 * A stand-in for Amazon GameLift Streams on 127.0.0.1, for the stream session operations. README.md in this
 * folder says what it promises and how a test moves its time.
 *
 * @throws the system's error (EADDRINUSE, …) when the port cannot be had
 */
export async function startGameLiftStreams(options: GameLiftStreamsOptions): Promise<GameLiftStreamsServer> {
  const { clock, random } = options;
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
      },
      streamGroupIds: options.streamGroupIds ?? [DEFAULT_STREAM_GROUP_ID],
    });
  let world = newWorld();
  const waitUntil = (atMs: number) => sleepUntil(clock, activity, atMs);
  const reset = () => {
    world = newWorld();
  };

  const server = await startLoopbackServer({
    port: options.port,
    maxBodyBytes: MAX_BODY_BYTES,
    handle: async (request) => {
      if (request.target.startsWith(CONTROL_PATH)) return answerControl(world, reset, request);
      return answerService(world, waitUntil, request);
    },
  });
  return {
    url: server.url,
    port: server.port,
    close: () => {
      sleeper.close();
      return server.close();
    },
  };
}

type WaitUntil = (atMs: number) => Promise<void>;

async function answerService(
  world: World,
  waitUntil: WaitUntil,
  request: LoopbackRequest,
): Promise<LoopbackReply | typeof HANG_UP> {
  const requestId = randomUuid(world.random);
  const route = matchRoute(request.method, request.target);
  if (route.kind === 'call') return answerCall(world, waitUntil, route.call, request, requestId);
  const message =
    route.kind === 'notImplemented'
      ? `The local stand-in for GameLift Streams does not implement ${route.operation}.`
      : 'GameLift Streams has no operation with this method and path.';
  return errorReply(unknownOperation(message), requestId);
}

async function answerCall(
  world: World,
  waitUntil: WaitUntil,
  call: Call,
  request: LoopbackRequest,
  requestId: string,
): Promise<LoopbackReply | typeof HANG_UP> {
  const { operation } = call;
  const arrivedAtMs = world.settle();
  const isInQuota = world.quotas.take(operation, arrivedAtMs);
  const faults: FaultsOfCall = isInQuota
    ? world.faults.take(operation, call.labels['StreamSessionIdentifier']?.split('/').at(-1))
    : { requestLatencyMs: 0, replyLatencyMs: 0, fault: undefined };
  await waitUntil(arrivedAtMs + faults.requestLatencyMs);

  const isLost = faults.fault?.kind === 'lostReply';
  const answer = async (): Promise<LoopbackReply> => {
    if (faults.fault?.kind === 'unavailable') {
      world.counters.count(operation, { httpStatus: 503 });
      return { status: 503 };
    }
    try {
      if (!isInQuota) throw throttling();
      const injected = errorOf(faults.fault);
      if (injected !== undefined) throw injected;
      const members = () => readMembers(request.body);
      const result = await OPERATIONS[operation]({ world, call, members, waitUntil });
      world.counters.count(operation, { ...result, isLost });
      return successReply(result.httpStatus, requestId, bodyOf(result, faults));
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      world.counters.count(operation, { httpStatus: error.httpStatus, isLost });
      return errorReply(error, requestId);
    }
  };
  const reply = await answer();
  await waitUntil(world.settle() + faults.replyLatencyMs);
  return isLost ? HANG_UP : reply;
}

function bodyOf(result: OperationResult, { fault }: FaultsOfCall): object | undefined {
  return fault?.kind === 'badAnswer' ? spoilAnswer(fault.answer) : result.body;
}
