import type { Route } from '../service/service.ts';
import type { Clock } from '../shared/clock.ts';
import type { InvokeLambda, LambdaResult } from '../shared/invoke-lambda.ts';
import {
  type LoopbackReply,
  type LoopbackRequest,
  type StartServer,
  startLoopbackServer,
} from '../shared/loopback-server.ts';
import { randomUuid } from '../shared/random-uuid.ts';
import { GATEWAY_ERRORS } from './gateway-errors.ts';
import { proxyEvent, splitTarget } from './proxy-event.ts';
import { mapReply } from './proxy-reply.ts';
import { matchRoute } from './router.ts';

/** API Gateway's limits for a REST API: a body of 10 MB, and 29 s for an integration to answer. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;
const INTEGRATION_TIMEOUT_MS = 29_000;

export interface RestApiOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly routes: readonly Route[];
  readonly invokeLambda: InvokeLambda;
  readonly clock: Clock;
  readonly random: () => number;
  readonly account: string;
  readonly region: string;
  readonly stage: string;
  /** The default listens on loopback. */
  readonly startServer?: StartServer;
}

export interface RestApiServer {
  /** The base of every route; unlike a deployed API's it does not end with the stage. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * A REST API of API Gateway on 127.0.0.1, with Lambda proxy integrations. README.md says what it promises.
 *
 * @throws the system's error (EADDRINUSE, …) when the port cannot be had.
 */
export async function startRestApi(options: RestApiOptions): Promise<RestApiServer> {
  const { startServer = startLoopbackServer } = options;
  const cancels = new Set<() => void>();
  const withRequestIds = (reply: LoopbackReply, ids = requestIds(options)): LoopbackReply => ({
    ...reply,
    headers: { ...reply.headers, ...ids.headers },
  });
  const server = await startServer({
    port: options.port,
    maxBodyBytes: MAX_BODY_BYTES,
    tooLarge: () => withRequestIds(GATEWAY_ERRORS.REQUEST_TOO_LARGE),
    handle: async (request) => {
      const ids = requestIds(options);
      return withRequestIds(await answer(request, options, ids, cancels), ids);
    },
  });
  return {
    url: server.url,
    port: server.port,
    close: () => {
      for (const cancel of cancels) cancel();
      return server.close();
    },
  };
}

interface RequestIds {
  readonly requestId: string;
  readonly extendedRequestId: string;
  readonly traceId: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What every reply carries, errors included. */
function requestIds({ clock, random }: RestApiOptions): RequestIds {
  const requestId = randomUuid(random);
  const extendedRequestId = `${randomUuid(random).replaceAll('-', '').slice(0, 15)}=`;
  const seconds = Math.floor(clock.nowMs() / 1000).toString(16);
  const traceId = `Root=1-${seconds}-${randomUuid(random).replaceAll('-', '').slice(0, 24)}`;
  const headers = {
    'x-amzn-requestid': requestId,
    'x-amz-apigw-id': extendedRequestId,
    'x-amzn-trace-id': traceId,
  };
  return { requestId, extendedRequestId, traceId, headers };
}

async function answer(
  request: LoopbackRequest,
  options: RestApiOptions,
  ids: RequestIds,
  cancels: Set<() => void>,
): Promise<LoopbackReply> {
  const { routes, account, region, stage, clock } = options;
  const match = matchRoute(routes, request.method, splitTarget(request.target).path);
  if (match.type === 'malformed') return GATEWAY_ERRORS.DEFAULT_4XX;
  if (match.type === 'none') return GATEWAY_ERRORS.MISSING_AUTHENTICATION_TOKEN;
  const { route, pathParameters } = match;
  const { requestId, extendedRequestId, traceId } = ids;
  const nowMs = clock.nowMs();
  const event = proxyEvent(request, {
    route,
    pathParameters,
    account,
    region,
    stage,
    nowMs,
    requestId,
    extendedRequestId,
    traceId,
  });
  const result = await invokeInTime(route.functionName, event, options, cancels);
  if (result === 'too slow') return GATEWAY_ERRORS.INTEGRATION_TIMEOUT;
  if (result.ok) return mapReply(result.payload) ?? GATEWAY_ERRORS.DEFAULT_5XX;
  // Lambda takes 6 MB, less than API Gateway does.
  return result.failure.errorType === 'Lambda.RequestTooLargeException'
    ? GATEWAY_ERRORS.REQUEST_TOO_LARGE
    : GATEWAY_ERRORS.DEFAULT_5XX;
}

/** A function that is too slow goes on working; nobody waits for it any more. */
async function invokeInTime(
  functionName: string,
  event: object,
  { invokeLambda, clock }: RestApiOptions,
  cancels: Set<() => void>,
): Promise<LambdaResult | 'too slow'> {
  return new Promise((resolve) => {
    const cancel = clock.setTimer(INTEGRATION_TIMEOUT_MS, () => settle('too slow'));
    const settle = (result: LambdaResult | 'too slow') => {
      cancel();
      cancels.delete(cancel);
      resolve(result);
    };
    cancels.add(cancel);
    invoke(invokeLambda, functionName, event).then(settle);
  });
}

/** An invoker should not throw; what it throws may quote the request, so its name alone goes on. */
async function invoke(
  invokeLambda: InvokeLambda,
  functionName: string,
  event: object,
): Promise<LambdaResult> {
  try {
    return await invokeLambda(functionName, event);
  } catch (error) {
    const errorType = error instanceof Error ? error.name : typeof error;
    return { ok: false, failure: { errorType, errorMessage: 'The invoker threw.' } };
  }
}
