import {
  type Clock,
  type InvokeLambda,
  type LambdaResult,
  type LoopbackReply,
  type LoopbackRequest,
  type StartServer,
  startLoopbackServer,
} from 'local-server-kit';
import type { Route } from '../service/service.ts';
import { randomUuid } from '../shared/random-uuid.ts';
import {
  GATEWAY_RESPONSES,
  gatewayReply,
  TOO_LARGE_FOR_GATEWAY,
  TOO_LARGE_FOR_LAMBDA,
} from './gateway-errors.ts';
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
  const server = await startServer({
    port: options.port,
    maxBodyBytes: MAX_BODY_BYTES,
    tooLarge: () => TOO_LARGE_FOR_GATEWAY,
    handle: async (request) => {
      const ids = requestIds(options);
      const reply = await answer(request, options, ids, cancels);
      return { ...reply, headers: { ...reply.headers, ...ids.headers } };
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

/** What every reply carries, errors included; only a body over 10 MB is refused before it gets any. */
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
  if (match.type === 'malformed') return gatewayReply(GATEWAY_RESPONSES.DEFAULT_4XX);
  if (match.type === 'none') return gatewayReply(GATEWAY_RESPONSES.MISSING_AUTHENTICATION_TOKEN);
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
  if (result === 'too slow') return gatewayReply(GATEWAY_RESPONSES.INTEGRATION_TIMEOUT);
  if (result.ok) return mapReply(result.payload) ?? gatewayReply(GATEWAY_RESPONSES.DEFAULT_5XX);
  const { errorType } = result.failure;
  // Lambda takes 6 MB, less than API Gateway does.
  if (errorType === 'Lambda.RequestTooLargeException') return TOO_LARGE_FOR_LAMBDA;
  // An Invoke that Lambda itself refuses, a throttled one above all, is a 500; a function that fails is a 502.
  return gatewayReply(GATEWAY_RESPONSES.DEFAULT_5XX, errorType.startsWith('Lambda.') ? 500 : 502);
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
