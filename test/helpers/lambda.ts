import type { APIGatewayProxyEvent, Context } from 'aws-lambda';
import { onTestFinished, vi } from 'vitest';

export function lambdaContext(): Context {
  return {
    callbackWaitsForEmptyEventLoop: false,
    functionName: 'function',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:us-west-2:111122223333:function:function',
    memoryLimitInMB: '512',
    awsRequestId: 'invocation-1',
    logGroupName: '/aws/lambda/function',
    logStreamName: 'stream',
    getRemainingTimeInMillis: () => 10_000,
    done: () => {},
    fail: () => {},
    succeed: () => {},
  };
}

export const ACCOUNT_ID = '111122223333';

/** An API request as API Gateway's Lambda proxy integration hands it on. */
export function apiEvent(overrides: Partial<APIGatewayProxyEvent> = {}): APIGatewayProxyEvent {
  const path = '/streamgroups/sg-1AB2C3De4/streamsessions/ABC123def4567/window';
  return {
    resource: '/streamgroups/{Identifier}/streamsessions/{StreamSessionIdentifier}/window',
    path,
    httpMethod: 'GET',
    headers: {},
    multiValueHeaders: {},
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    pathParameters: { Identifier: 'sg-1AB2C3De4', StreamSessionIdentifier: 'ABC123def4567' },
    stageVariables: null,
    requestContext: {
      accountId: ACCOUNT_ID,
      apiId: 'a1b2c3d4e5',
      authorizer: null,
      httpMethod: 'GET',
      identity: {
        accessKey: null,
        accountId: ACCOUNT_ID,
        apiKey: null,
        apiKeyId: null,
        caller: null,
        clientCert: null,
        cognitoAuthenticationProvider: null,
        cognitoAuthenticationType: null,
        cognitoIdentityId: null,
        cognitoIdentityPoolId: null,
        principalOrgId: null,
        sourceIp: '203.0.113.10',
        user: null,
        userAgent: null,
        userArn: null,
      },
      path: `/dev${path}`,
      protocol: 'HTTP/1.1',
      requestId: '4f1d2c3b-5a69-4788-97a6-b5c4d3e2f101',
      requestTimeEpoch: 1_767_225_600_000,
      resourceId: 'x1y2z3',
      resourcePath: path,
      stage: 'dev',
    },
    body: null,
    isBase64Encoded: false,
    ...overrides,
  };
}

/** Everything that the process writes until the test ends: as text, the log's lines, and the metrics emitted. */
export function captureOutput() {
  const chunks: string[] = [];
  const keep = (chunk: string | Uint8Array) => {
    chunks.push(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'));
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(keep),
    vi.spyOn(process.stderr, 'write').mockImplementation(keep),
  ];
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore();
  });
  const text = () => chunks.join('');
  const documents = (): Record<string, unknown>[] =>
    text()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
  const isMetrics = (document: Record<string, unknown>) => '_aws' in document;
  return {
    text,
    lines: () => documents().filter((document) => !isMetrics(document)),
    metrics: () => documents().filter(isMetrics),
  };
}
