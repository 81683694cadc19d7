import { HANG_UP, type LoopbackReply, type LoopbackRequest } from 'local-server-kit';
import { errorReply, readMembers, successReply } from '../protocol/protocol.ts';
import { type Call, matchRoute } from '../protocol/routes.ts';
import { ServiceError, throttling, unknownOperation } from '../protocol/service-error.ts';
import { errorOf, type FaultsOfCall, NO_FAULTS, spoilAnswer } from '../sessions/faults.ts';
import { randomUuid } from '../sessions/randomness.ts';
import type { Waiting } from '../sessions/sleeper.ts';
import type { StreamClients } from '../sessions/stream-clients.ts';
import type { World } from '../sessions/world.ts';
import { OPERATIONS, type OperationResult } from './operations.ts';

/** Answers a request to the service: its quota first, then the planned faults, then the operation. */
export async function answerService(
  world: World,
  waiting: Waiting,
  request: LoopbackRequest,
  clients?: StreamClients,
): Promise<LoopbackReply | typeof HANG_UP> {
  const requestId = randomUuid(world.random);
  const route = matchRoute(request.method, request.target);
  if (route.kind !== 'call') {
    const message =
      route.kind === 'notImplemented'
        ? `The local stand-in for GameLift Streams does not implement ${route.operation}.`
        : 'GameLift Streams has no operation with this method and path.';
    return errorReply(unknownOperation(message), requestId);
  }
  const { call } = route;
  const arrivedAtMs = world.settle();
  const isInQuota = world.quotas.take(call.operation, arrivedAtMs);
  const faults = isInQuota ? world.faults.take(call.operation, sessionIdOf(call), arrivedAtMs) : NO_FAULTS;
  const { until: waitUntil } = waiting;
  await waitUntil(arrivedAtMs + faults.requestLatencyMs);
  if (faults.fault?.kind === 'noReply') {
    world.counters.count(call.operation, { httpStatus: undefined });
    await waiting.inVain(request.callerGone);
    return HANG_UP;
  }
  const reply = await carryOut({ world, waitUntil, call, request, requestId, isInQuota, faults, clients });
  await waitUntil(world.settle() + faults.replyLatencyMs);
  return isLost(faults) ? HANG_UP : reply;
}

interface Arrival {
  readonly world: World;
  readonly waitUntil: Waiting['until'];
  readonly call: Call;
  readonly request: LoopbackRequest;
  readonly requestId: string;
  readonly isInQuota: boolean;
  readonly faults: FaultsOfCall;
  readonly clients: StreamClients | undefined;
}

async function carryOut(arrival: Arrival): Promise<LoopbackReply> {
  const { world, waitUntil, call, request, requestId, isInQuota, faults, clients } = arrival;
  const { operation } = call;
  if (faults.fault?.kind === 'unavailable') {
    world.counters.count(operation, { httpStatus: 503 });
    return { status: 503 };
  }
  try {
    if (!isInQuota) throw throttling();
    const injected = errorOf(faults.fault);
    if (injected !== undefined) throw injected;
    const members = () => readMembers(request.body);
    const result = await OPERATIONS[operation]({ world, call, members, waitUntil, clients });
    world.counters.count(operation, { ...result, isLost: isLost(faults) });
    return successReply(result.httpStatus, requestId, bodyOf(result, faults));
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    world.counters.count(operation, { httpStatus: error.httpStatus, isLost: isLost(faults) });
    return errorReply(error, requestId);
  }
}

/** The session may be named by its ARN, whose last part is the id. */
const sessionIdOf = (call: Call) => call.labels['StreamSessionIdentifier']?.split('/').at(-1);

const isLost = ({ fault }: FaultsOfCall) => fault?.kind === 'lostReply';

function bodyOf(result: OperationResult, { fault }: FaultsOfCall): object | undefined {
  return fault?.kind === 'badAnswer' ? spoilAnswer(fault.answer) : result.body;
}
