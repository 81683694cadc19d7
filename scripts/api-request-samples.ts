/** The API request samples: the body that a backend sends, and what API Gateway makes of each request. */
import type { APIGatewayProxyEvent } from 'aws-lambda';

const ACCOUNT_ID = '111122223333';
const REGION = 'us-west-2';
const STREAM_GROUP_ID = 'sg-1AB2C3De4';
const STREAM_SESSION_ID = 'ABC123def4567';
const ARN_PREFIX = `arn:aws:gameliftstreams:${REGION}:${ACCOUNT_ID}`;

const SESSION_RESOURCE = '/streamgroups/{Identifier}/streamsessions/{StreamSessionIdentifier}';
const STAGE = 'dev';
const API_ID = 'a1b2c3d4e5';

export interface ConnectionRequestBody {
  readonly SignalRequest: string;
  readonly ClientToken: string;
}

export function connectionRequestBody(signalRequest: string): ConnectionRequestBody {
  return { SignalRequest: signalRequest, ClientToken: '0d6e4079-e367-4d15-b5c4-5f8f1e0c7a3b' };
}

/** A backend's POST …/connections. */
export function connectionRequestEvent(body: ConnectionRequestBody): APIGatewayProxyEvent {
  return requestEvent({
    action: 'connections',
    requestId: '4f1d2c3b-5a69-4788-97a6-b5c4d3e2f101',
    invocationId: '7c1f6a52-3e4b-4f0a-9d8c-2b5e6f708192',
    traceId: 'Root=1-69b5ac03-0123456789abcdef01234567',
    resourceId: 'x1y2z3',
    timeMs: Date.UTC(2026, 2, 14, 18, 42, 11, 402),
    role: 'game-backend',
    headers: {},
    body: JSON.stringify(body),
  });
}

/** An operator's POST …/access, which has no body. */
export function adminShellRequestEvent(): APIGatewayProxyEvent {
  return requestEvent({
    action: 'access',
    requestId: '9a8b7c6d-1e2f-4a3b-8c4d-5e6f70819203',
    invocationId: '1b2c3d4e-5f60-4718-a9b0-c1d2e3f40516',
    traceId: 'Root=1-69b5ac0f-89abcdef0123456701234567',
    resourceId: 'x4y5z6',
    timeMs: Date.UTC(2026, 2, 14, 18, 42, 23, 118),
    role: 'game-operator',
    headers: { 'x-reason': 'Incident 4711: black screen after the reconnection' },
    body: null,
  });
}

interface RequestParts {
  readonly action: string;
  readonly requestId: string;
  readonly invocationId: string;
  readonly traceId: string;
  readonly resourceId: string;
  readonly timeMs: number;
  /** The IAM role of the caller, and the name of its session. */
  readonly role: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/**
 * The request as a function behind a Regional REST API with IAM authorisation gets it. API Gateway leaves the
 * path and its parameters percent-encoded, and drops the Authorization header once it has checked it.
 */
function requestEvent(request: RequestParts): APIGatewayProxyEvent {
  const pathParameters = {
    Identifier: encodeURIComponent(`${ARN_PREFIX}:streamgroup/${STREAM_GROUP_ID}`),
    StreamSessionIdentifier: encodeURIComponent(
      `${ARN_PREFIX}:streamsession/${STREAM_GROUP_ID}/${STREAM_SESSION_ID}`,
    ),
  };
  const path = `/streamgroups/${pathParameters.Identifier}/streamsessions/${pathParameters.StreamSessionIdentifier}/${request.action}`;
  const resource = `${SESSION_RESOURCE}/${request.action}`;
  const principal = `AROAIOSFODNN7EXAMPLE:${request.role}`;
  const domainName = `${API_ID}.execute-api.${REGION}.amazonaws.com`;
  const userAgent = 'aws-sdk-js/3.1138.0 os/linux lang/js md/nodejs#24.21.0 api/gameliftstreams#3.1138.0';
  const sourceIp = '203.0.113.10';
  const headers = {
    ...(request.body === null ? {} : { 'Content-Type': 'application/json' }),
    Host: domainName,
    'User-Agent': userAgent,
    'X-Amz-Date': new Date(request.timeMs).toISOString().replace(/[-:]|\.\d+/g, ''),
    'X-Amzn-Trace-Id': request.traceId,
    'X-Forwarded-For': sourceIp,
    'X-Forwarded-Port': '443',
    'X-Forwarded-Proto': 'https',
    'amz-sdk-invocation-id': request.invocationId,
    'amz-sdk-request': 'attempt=1; max=3',
    ...request.headers,
  };
  return {
    resource,
    path,
    httpMethod: 'POST',
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    pathParameters,
    stageVariables: null,
    requestContext: {
      accountId: ACCOUNT_ID,
      apiId: API_ID,
      authorizer: null,
      domainName,
      domainPrefix: API_ID,
      extendedRequestId: 'ZmFrZS1leHRlbmRlZA=',
      httpMethod: 'POST',
      identity: {
        accessKey: 'ASIAIOSFODNN7EXAMPLE',
        accountId: ACCOUNT_ID,
        apiKey: null,
        apiKeyId: null,
        caller: principal,
        clientCert: null,
        cognitoAuthenticationProvider: null,
        cognitoAuthenticationType: null,
        cognitoIdentityId: null,
        cognitoIdentityPoolId: null,
        principalOrgId: null,
        sourceIp,
        user: principal,
        userAgent,
        userArn: `arn:aws:sts::${ACCOUNT_ID}:assumed-role/${request.role}/${request.role}`,
      },
      path: `/${STAGE}${path}`,
      protocol: 'HTTP/1.1',
      requestId: request.requestId,
      requestTime: commonLogTime(request.timeMs),
      requestTimeEpoch: request.timeMs,
      resourceId: request.resourceId,
      resourcePath: resource,
      stage: STAGE,
    },
    body: request.body,
    isBase64Encoded: false,
  };
}

/** `14/Mar/2026:18:42:11 +0000` */
function commonLogTime(timeMs: number): string {
  // "Sat, 14 Mar 2026 18:42:11 GMT"
  const [, day = '', month = '', year = '', time = ''] = new Date(timeMs).toUTCString().split(' ');
  return `${day}/${month}/${year}:${time} +0000`;
}
