/** The API request samples around an offer: the body that a backend sends, and what API Gateway makes of it. */
import type { APIGatewayProxyEvent } from 'aws-lambda';

const ACCOUNT_ID = '111122223333';
const REGION = 'us-west-2';
const STREAM_GROUP_ID = 'sg-1AB2C3De4';
const STREAM_SESSION_ID = 'ABC123def4567';
const ARN_PREFIX = `arn:aws:gameliftstreams:${REGION}:${ACCOUNT_ID}`;

const RESOURCE = '/streamgroups/{Identifier}/streamsessions/{StreamSessionIdentifier}/connections';
const STAGE = 'dev';
const API_ID = 'a1b2c3d4e5';
const REQUEST_TIME = '14/Mar/2026:18:42:11 +0000';
const REQUEST_TIME_MS = Date.UTC(2026, 2, 14, 18, 42, 11, 402);

export interface ConnectionRequestBody {
  readonly SignalRequest: string;
  readonly ClientToken: string;
}

export function connectionRequestBody(signalRequest: string): ConnectionRequestBody {
  return { SignalRequest: signalRequest, ClientToken: '0d6e4079-e367-4d15-b5c4-5f8f1e0c7a3b' };
}

/**
 * The request as a function behind a Regional REST API with IAM authorisation gets it. API Gateway leaves the
 * path and its parameters percent-encoded, and drops the Authorization header once it has checked it.
 */
export function connectionRequestEvent(body: ConnectionRequestBody): APIGatewayProxyEvent {
  const pathParameters = {
    Identifier: encodeURIComponent(`${ARN_PREFIX}:streamgroup/${STREAM_GROUP_ID}`),
    StreamSessionIdentifier: encodeURIComponent(
      `${ARN_PREFIX}:streamsession/${STREAM_GROUP_ID}/${STREAM_SESSION_ID}`,
    ),
  };
  const path = `/streamgroups/${pathParameters.Identifier}/streamsessions/${pathParameters.StreamSessionIdentifier}/connections`;
  const domainName = `${API_ID}.execute-api.${REGION}.amazonaws.com`;
  const userAgent = 'aws-sdk-js/3.1138.0 os/linux lang/js md/nodejs#24.21.0 api/gameliftstreams#3.1138.0';
  const sourceIp = '203.0.113.10';
  const headers = {
    'Content-Type': 'application/json',
    Host: domainName,
    'User-Agent': userAgent,
    'X-Amz-Date': '20260314T184211Z',
    'X-Amzn-Trace-Id': 'Root=1-69b5ac03-0123456789abcdef01234567',
    'X-Forwarded-For': sourceIp,
    'X-Forwarded-Port': '443',
    'X-Forwarded-Proto': 'https',
    'amz-sdk-invocation-id': '7c1f6a52-3e4b-4f0a-9d8c-2b5e6f708192',
    'amz-sdk-request': 'attempt=1; max=3',
  };
  return {
    resource: RESOURCE,
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
        caller: 'AROAIOSFODNN7EXAMPLE:game-backend',
        clientCert: null,
        cognitoAuthenticationProvider: null,
        cognitoAuthenticationType: null,
        cognitoIdentityId: null,
        cognitoIdentityPoolId: null,
        principalOrgId: null,
        sourceIp,
        user: 'AROAIOSFODNN7EXAMPLE:game-backend',
        userAgent,
        userArn: `arn:aws:sts::${ACCOUNT_ID}:assumed-role/game-backend/game-backend`,
      },
      path: `/${STAGE}${path}`,
      protocol: 'HTTP/1.1',
      requestId: '4f1d2c3b-5a69-4788-97a6-b5c4d3e2f101',
      requestTime: REQUEST_TIME,
      requestTimeEpoch: REQUEST_TIME_MS,
      resourceId: 'x1y2z3',
      resourcePath: RESOURCE,
      stage: STAGE,
    },
    body: JSON.stringify(body),
    isBase64Encoded: false,
  };
}
