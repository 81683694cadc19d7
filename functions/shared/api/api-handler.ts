import middy, { type MiddyfiedHandler } from '@middy/core';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { SessionKey } from '../contracts/index.ts';
import { createLog, type Log } from '../runtime/logging.ts';
import { type Metrics, measured } from '../runtime/metrics.ts';
import { originOf, type RequestOrigin } from './origin.ts';
import { errorReply } from './replies.ts';
import { InvalidRequestError } from './request-error.ts';
import { type Home, parseSessionPath } from './session-path.ts';

export interface ApiRequest {
  readonly session: SessionKey;
  /** API Gateway's id of the request, unique. */
  readonly requestId: string;
  /** As it came, decoded from base64 where API Gateway says so; empty when there was none. */
  readonly body: string;
}

/** What a route's decision gets beside its own dependencies. */
interface RequestTools {
  readonly log: Log;
  readonly metrics: Metrics;
}

/**
 * The glue of an API route: the path is parsed once, the log carries the session, a caller's mistake becomes a
 * 400 that names the field, and everything else that is thrown a 500 that says nothing.
 *
 * @param onInvalidPath told of a request whose path names no session, before its 400 goes out.
 */
export function apiHandler<Dependencies extends { readonly settings: { readonly AWS_REGION: string } }>(
  decide: (
    request: ApiRequest,
    dependencies: Dependencies & RequestTools,
    origin: RequestOrigin,
  ) => Promise<APIGatewayProxyResult>,
  dependencies: Dependencies,
  onInvalidPath?: (origin: RequestOrigin, dependencies: Dependencies & RequestTools) => Promise<void>,
): MiddyfiedHandler<APIGatewayProxyEvent, APIGatewayProxyResult> {
  return middy<APIGatewayProxyEvent, APIGatewayProxyResult>({ timeoutEarlyInMillis: 0 }).handler(
    async (event: APIGatewayProxyEvent) => {
      const { requestId, accountId } = event.requestContext;
      let log = createLog({ requestId });
      try {
        const home = { region: dependencies.settings.AWS_REGION, accountId };
        const origin = originOf(event);
        return await measured(log, async (metrics) => {
          const session = await sessionOf(event.pathParameters, home, () =>
            onInvalidPath?.(origin, { ...dependencies, log, metrics }),
          );
          log = log.with(session);
          const request = { session, requestId, body: bodyOf(event) };
          return decide(request, { ...dependencies, log, metrics }, origin);
        });
      } catch (error) {
        if (error instanceof InvalidRequestError) {
          // The message is this project's own and names the field, never a value.
          log.info('RequestRefused', { reason: error.message });
          return errorReply(error.code, error.message);
        }
        log.error('RequestFailed', error);
        return errorReply('REQUEST_FAILED', 'The request could not be handled. Try again.', {
          retryAfterSeconds: 1,
        });
      }
    },
  );
}

async function sessionOf(
  pathParameters: APIGatewayProxyEvent['pathParameters'],
  home: Home,
  onInvalidPath: () => Promise<void> | undefined,
): Promise<SessionKey> {
  try {
    return parseSessionPath(pathParameters, home);
  } catch (error) {
    await onInvalidPath();
    throw error;
  }
}

function bodyOf(event: APIGatewayProxyEvent): string {
  const body = event.body ?? '';
  return event.isBase64Encoded ? Buffer.from(body, 'base64').toString('utf8') : body;
}
