import middy, { type MiddyfiedHandler } from '@middy/core';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { SessionKey } from '../contracts.ts';
import { createLog, type Log } from '../logging.ts';
import { errorReply } from './replies.ts';
import { InvalidRequestError } from './request-error.ts';
import { parseSessionPath } from './session-path.ts';

export interface ApiRequest {
  readonly session: SessionKey;
  /** API Gateway's id of the request, unique. */
  readonly requestId: string;
  /** As it came, decoded from base64 where API Gateway says so; empty when there was none. */
  readonly body: string;
}

/**
 * The glue of an API route: the path is parsed once, the log carries the session, a caller's mistake becomes a
 * 400 that names the field, and everything else that is thrown a 500 that says nothing.
 */
export function apiHandler<Dependencies extends { readonly settings: { readonly AWS_REGION: string } }>(
  decide: (
    request: ApiRequest,
    dependencies: Dependencies & { readonly log: Log },
  ) => Promise<APIGatewayProxyResult>,
  dependencies: Dependencies,
): MiddyfiedHandler<APIGatewayProxyEvent, APIGatewayProxyResult> {
  return middy<APIGatewayProxyEvent, APIGatewayProxyResult>({ timeoutEarlyInMillis: 0 }).handler(
    async (event: APIGatewayProxyEvent) => {
      const { requestId, accountId } = event.requestContext;
      let log = createLog({ requestId });
      try {
        const home = { region: dependencies.settings.AWS_REGION, accountId };
        const session = parseSessionPath(event.pathParameters, home);
        log = log.with(session);
        return await decide({ session, requestId, body: bodyOf(event) }, { ...dependencies, log });
      } catch (error) {
        if (error instanceof InvalidRequestError) return errorReply('ValidationException', error.message);
        log.error('RequestFailed', error);
        return errorReply('InternalServerException', 'The request could not be handled. Try again.', {
          retryAfterSeconds: 1,
        });
      }
    },
  );
}

function bodyOf(event: APIGatewayProxyEvent): string {
  const body = event.body ?? '';
  return event.isBase64Encoded ? Buffer.from(body, 'base64').toString('utf8') : body;
}
