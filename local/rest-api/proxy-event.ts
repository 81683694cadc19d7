import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { LoopbackRequest } from 'local-server-kit';
import type { Route } from '../service/service.ts';
import { callerOf } from './caller.ts';

export interface EventContext {
  readonly route: Route;
  /** As they came, still percent-encoded. */
  readonly pathParameters: Readonly<Record<string, string>>;
  readonly account: string;
  readonly region: string;
  readonly stage: string;
  readonly nowMs: number;
  readonly requestId: string;
  readonly extendedRequestId: string;
  /** The X-Ray trace header's value. */
  readonly traceId: string;
}

const API_ID = 'localapi00';
const SOURCE_IP = '127.0.0.1';

/**
 * What API Gateway does not hand on to a function (developer guide, Important notes, the column for Lambda).
 * `Content-Length` is generated from the body and does not appear in events; `Keep-Alive` belongs to
 * `Connection`.
 */
const DROPPED_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'content-md5',
  'expect',
  'keep-alive',
  'max-forwards',
  'proxy-authenticate',
  'server',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'www-authenticate',
]);

/** The event of a REST API's Lambda proxy integration (payload format 1.0). */
export function proxyEvent(request: LoopbackRequest, context: EventContext): APIGatewayProxyEvent {
  const { route, pathParameters, account, region, stage, nowMs } = context;
  const { path, query } = splitTarget(request.target);
  const multiValueHeaders = headersOf(request, context);
  const multiValueQuery = multiValuesOf(query);
  return {
    resource: route.path,
    path,
    httpMethod: request.method,
    headers: lastValues(multiValueHeaders),
    multiValueHeaders,
    queryStringParameters: nullIfEmpty(lastValues(multiValueQuery)),
    multiValueQueryStringParameters: nullIfEmpty(multiValueQuery),
    pathParameters: nullIfEmpty({ ...pathParameters }),
    stageVariables: null,
    requestContext: {
      resourceId: 'local0',
      resourcePath: route.path,
      httpMethod: request.method,
      extendedRequestId: context.extendedRequestId,
      requestTime: commonLogTime(nowMs),
      path: `/${stage}${path}`,
      accountId: account,
      protocol: 'HTTP/1.1',
      stage,
      domainPrefix: API_ID,
      requestTimeEpoch: nowMs,
      requestId: context.requestId,
      identity: {
        ...callerOf(request.headers.authorization, query, account),
        apiKey: null,
        apiKeyId: null,
        clientCert: null,
        cognitoAuthenticationProvider: null,
        cognitoAuthenticationType: null,
        cognitoIdentityId: null,
        cognitoIdentityPoolId: null,
        principalOrgId: null,
        sourceIp: SOURCE_IP,
        userAgent: request.headers['user-agent'] ?? null,
      },
      domainName: `${API_ID}.execute-api.${region}.amazonaws.com`,
      apiId: API_ID,
      authorizer: null,
    },
    // Without binary media types, which the service has none of, a body is text whatever its content type.
    body: request.body.length === 0 ? null : request.body.toString('utf8'),
    isBase64Encoded: false,
  };
}

/** A request's target is a path, and a query behind the first question mark. */
export function splitTarget(target: string): { readonly path: string; readonly query: URLSearchParams } {
  const mark = target.indexOf('?');
  if (mark < 0) return { path: target, query: new URLSearchParams() };
  return { path: target.slice(0, mark), query: new URLSearchParams(target.slice(mark + 1)) };
}

/** By the name that came first, whatever the case of the others; and what API Gateway adds. */
function headersOf(
  { rawHeaders }: LoopbackRequest,
  { traceId, route }: EventContext,
): Record<string, string[]> {
  const isIamRoute = route.authorizer === 'AWS_IAM';
  const byLowerName = new Map<string, { name: string; values: string[] }>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    const lowerName = name.toLowerCase();
    const value = rawHeaders[index + 1] ?? '';
    if (DROPPED_HEADERS.has(lowerName)) continue;
    if (lowerName === 'authorization' && (isIamRoute || isSignature(value))) continue;
    const header = byLowerName.get(lowerName) ?? { name, values: [] };
    header.values.push(value);
    byLowerName.set(lowerName, header);
  }
  const added = {
    'X-Amzn-Trace-Id': traceId,
    'X-Forwarded-For': SOURCE_IP,
    'X-Forwarded-Port': '443',
    'X-Forwarded-Proto': 'https',
  };
  for (const [name, value] of Object.entries(added)) {
    byLowerName.set(name.toLowerCase(), { name, values: [value] });
  }
  return Object.fromEntries([...byLowerName.values()].map(({ name, values }) => [name, values]));
}

/** "The Authorization header is dropped if it contains a Signature Version 4 signature" (same table). */
function isSignature(authorization: string): boolean {
  return authorization.startsWith('AWS4-');
}

function multiValuesOf(query: URLSearchParams): Record<string, string[]> {
  return Object.fromEntries([...new Set(query.keys())].map((name) => [name, query.getAll(name)]));
}

/** Where a form has room for one value it is the last. */
function lastValues(multiValues: Readonly<Record<string, readonly string[]>>): Record<string, string> {
  return Object.fromEntries(Object.entries(multiValues).map(([name, values]) => [name, values.at(-1) ?? '']));
}

function nullIfEmpty<Value extends object>(value: Value): Value | null {
  return Object.keys(value).length === 0 ? null : value;
}

/** `10/Jul/2026:19:19:04 +0000` */
function commonLogTime(timeMs: number): string {
  // "Fri, 10 Jul 2026 19:19:04 GMT"
  const [, day = '', month = '', year = '', time = ''] = new Date(timeMs).toUTCString().split(' ');
  return `${day}/${month}/${year}:${time} +0000`;
}
