import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { SessionKey } from '../contracts/index.ts';
import {
  type ClientName,
  defineFunction,
  edge,
  emitMetrics,
  type FunctionDefinition,
  type Given,
  type Middleware,
  type Needs,
  type SettingName,
} from '../runtime/definition.ts';
import { type ReadSwitch, switchReader } from '../runtime/switch.ts';
import { errorReply, InvalidRequestError } from './replies.ts';
import { originOf, parseSessionPath, type RequestOrigin } from './request.ts';

export interface ApiRequest {
  /** Tells the routes of one function apart. Absent where it has one. */
  readonly method?: string;
  readonly session: SessionKey;
  /** API Gateway's id of the request, unique. */
  readonly requestId: string;
  /** As it came, decoded from base64 where API Gateway says so; empty when there was none. */
  readonly body: string;
}

type RouteDependencies<Client extends ClientName, Name extends SettingName> = Given<
  Client,
  Name | 'AWS_REGION'
> & { readonly readSwitch: ReadSwitch };

interface RouteDefinition<Client extends ClientName, Name extends SettingName> extends Needs<Client, Name> {
  readonly decide: (
    request: ApiRequest,
    dependencies: RouteDependencies<Client, Name>,
    origin: RequestOrigin,
  ) => Promise<APIGatewayProxyResult>;
  /** Told of a request whose path names no session, before its 400 goes out. */
  readonly onInvalidPath?: (
    origin: RequestOrigin,
    dependencies: RouteDependencies<Client, Name>,
  ) => Promise<void>;
}

/**
 * Defines a route of the API. Its path is parsed once, its log carries the request and the session, a caller's mistake
 * becomes a 400 that names the field, and everything else that is thrown a 500 that says nothing.
 */
export function defineRoute<const Client extends ClientName = never, const Name extends SettingName = never>({
  settings = [],
  clients = [],
  decide,
  onInvalidPath,
}: RouteDefinition<Client, Name>): FunctionDefinition<Client, APIGatewayProxyEvent, APIGatewayProxyResult> {
  const needs = { settings: ['AWS_REGION', ...settings], clients } as const;
  return defineFunction(needs, (common) => {
    const prepared = { ...common, readSwitch: switchReader(common) };
    return edge<APIGatewayProxyEvent, APIGatewayProxyEvent, APIGatewayProxyResult>(
      [replyToErrors(), emitMetrics()],
      async (event, invocation) => {
        const { requestId, accountId } = event.requestContext;
        const { metrics } = invocation;
        invocation.log = invocation.log.with({ requestId });
        const origin = originOf(event);
        const home = { region: common.settings.AWS_REGION, accountId };
        let session: SessionKey;
        try {
          session = parseSessionPath(event.pathParameters, home);
        } catch (error) {
          await onInvalidPath?.(origin, { ...prepared, log: invocation.log, metrics });
          throw error;
        }
        const log = invocation.log.with(session);
        invocation.log = log;
        const request = { method: event.httpMethod, session, requestId, body: bodyOf(event) };
        return decide(request, { ...prepared, log, metrics }, origin);
      },
    );
  });
}

function replyToErrors(): Middleware {
  return {
    onError: (request) => {
      const { error } = request;
      const { log } = request.context;
      if (error instanceof InvalidRequestError) {
        // The message is this project's own and names the field, never a value.
        log.info('RequestRefused', { reason: error.message });
        request.response = errorReply(error.code, error.message);
        return;
      }
      log.error('RequestFailed', error);
      request.response = errorReply('REQUEST_FAILED', 'The request could not be handled. Try again.', {
        retryAfterSeconds: 1,
      });
    },
  };
}

function bodyOf(event: APIGatewayProxyEvent): string {
  const body = event.body ?? '';
  return event.isBase64Encoded ? Buffer.from(body, 'base64').toString('utf8') : body;
}
