import { request as httpRequest } from 'node:http';
import {
  CreateStreamSessionConnectionCommand,
  GameLiftStreamsClient,
  ResourceNotFoundException,
} from '@aws-sdk/client-gameliftstreams';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { type LambdaResult, VirtualClock } from 'local-server-kit';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type RestApiOptions, type RestApiServer, startRestApi } from '../rest-api/server.ts';
import type { Route } from '../service/service.ts';

const NOW_MS = Date.UTC(2026, 6, 10, 19, 19, 4, 836);
const GROUP_ARN = 'arn:aws:gameliftstreams:us-west-2:123456789012:streamgroup/sg-1AB2C3De4';
const SESSION_ARN = 'arn:aws:gameliftstreams:us-west-2:123456789012:streamsession/sg-1AB2C3De4/ABC123def4567';

/** As Node joins two headers: the deployment's, and API Gateway's own. */
const FAILED_TYPES = 'InternalServerException:, InternalServerErrorException';

interface Invocation {
  readonly functionName: string;
  readonly event: APIGatewayProxyEvent;
}

let server: RestApiServer | undefined;
let clock: VirtualClock;
let invocations: Invocation[];

afterEach(async () => {
  await server?.close();
});

function route(overrides: Partial<Route> = {}): Route {
  return {
    method: 'POST',
    path: '/streamgroups/{Identifier}/streamsessions/{StreamSessionIdentifier}/connections',
    functionName: 'request-connection',
    authorizer: 'AWS_IAM',
    ...overrides,
  };
}

const things = (path = '/things/{Thing}'): Route => route({ method: 'GET', path, functionName: path });

async function start(
  routes: Route[],
  handle: (event: APIGatewayProxyEvent) => LambdaResult | Promise<LambdaResult> = () => ok({}),
  overrides: Partial<RestApiOptions> = {},
): Promise<string> {
  clock = new VirtualClock(NOW_MS);
  invocations = [];
  server = await startRestApi({
    port: 0,
    routes,
    clock,
    random: Math.random,
    account: '123456789012',
    region: 'us-west-2',
    stage: 'local',
    invokeLambda: async (functionName, payload) => {
      if (!isProxyEvent(payload)) throw new Error('The payload is no proxy event.');
      invocations.push({ functionName, event: payload });
      return handle(payload);
    },
    ...overrides,
  });
  return server.url;
}

function isProxyEvent(value: unknown): value is APIGatewayProxyEvent {
  return typeof value === 'object' && value !== null && 'requestContext' in value;
}

function ok(reply: Partial<APIGatewayProxyResult>): LambdaResult {
  return { ok: true, payload: { statusCode: 200, body: '{}', ...reply } };
}

function onlyEvent(): APIGatewayProxyEvent {
  const [invocation, ...others] = invocations;
  if (invocation === undefined || others.length > 0) throw new Error(`${invocations.length} invocations`);
  return invocation.event;
}

/** `fetch` would mend the path and join headers. */
function send(
  url: string,
  path: string,
  headers: Record<string, string | string[]> = {},
): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    httpRequest({ hostname, port, path, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    })
      .on('error', reject)
      .end();
  });
}

describe('the SDK of GameLift Streams, with the API as its endpoint', () => {
  function clientOf(endpoint: string): GameLiftStreamsClient {
    return new GameLiftStreamsClient({
      endpoint,
      region: 'us-west-2',
      credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'local' },
      maxAttempts: 1,
    });
  }

  it.each([
    ['ids', 'sg-1AB2C3De4', 'ABC123def4567'],
    ['ARNs', GROUP_ARN, SESSION_ARN],
  ])(
    'reaches the function of POST …/connections by %s',
    async (_title, Identifier, StreamSessionIdentifier) => {
      // Prepare
      const url = await start([route()], () => ok({ body: '{"SignalResponse":"answer"}' }));

      // Act
      const reply = await clientOf(url).send(
        new CreateStreamSessionConnectionCommand({
          Identifier,
          StreamSessionIdentifier,
          SignalRequest: 'offer',
        }),
      );

      // Assess
      expect(reply.SignalResponse).toBe('answer');
      expect(invocations[0]?.functionName).toBe('request-connection');
      expect(onlyEvent()).toMatchObject({
        resource: '/streamgroups/{Identifier}/streamsessions/{StreamSessionIdentifier}/connections',
        pathParameters: {
          Identifier: encodeURIComponent(Identifier),
          StreamSessionIdentifier: encodeURIComponent(StreamSessionIdentifier),
        },
        requestContext: {
          identity: { accessKey: 'AKIAIOSFODNN7EXAMPLE', userArn: 'arn:aws:iam::123456789012:user/local' },
        },
      });
      expect(JSON.parse(onlyEvent().body ?? '')).toMatchObject({ SignalRequest: 'offer' });
    },
  );

  it('throws the error that the function names', async () => {
    // Prepare
    const url = await start([route()], () =>
      ok({
        statusCode: 404,
        headers: { 'x-amzn-errortype': 'ResourceNotFoundException' },
        body: '{"Message":"No such session."}',
      }),
    );

    // Act
    const sending = clientOf(url).send(
      new CreateStreamSessionConnectionCommand({
        Identifier: 'sg-1',
        StreamSessionIdentifier: 'a',
        SignalRequest: 'offer',
      }),
    );

    // Assess
    await expect(sending).rejects.toThrow(ResourceNotFoundException);
    await expect(sending).rejects.toThrow('No such session.');
  });

  it("throws the gateway's own errors by their names too", async () => {
    const url = await start([]);
    const sending = clientOf(url).send(
      new CreateStreamSessionConnectionCommand({
        Identifier: 'sg-1',
        StreamSessionIdentifier: 'a',
        SignalRequest: 'offer',
      }),
    );
    await expect(sending).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: 'The request is not signed, or the API has no route with this method and path.',
      $metadata: { httpStatusCode: 403, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    });
  });
});

describe('the event', () => {
  it('is that of the Lambda proxy integration', async () => {
    // Prepare
    const url = await start([things()]);

    // Act
    const reply = await send(url, '/things/a%20b?x=1&x=%2B2&y=a+b&empty=', {
      'X-Probe': ['first', 'second'],
      'User-Agent': 'probe/1',
    });

    // Assess
    expect(onlyEvent()).toEqual({
      resource: '/things/{Thing}',
      path: '/things/a%20b',
      httpMethod: 'GET',
      headers: {
        Host: new URL(url).host,
        'X-Probe': 'second',
        'User-Agent': 'probe/1',
        'X-Amzn-Trace-Id': reply.headers['x-amzn-trace-id'],
        'X-Forwarded-For': '127.0.0.1',
        'X-Forwarded-Port': '443',
        'X-Forwarded-Proto': 'https',
      },
      multiValueHeaders: {
        Host: [new URL(url).host],
        'X-Probe': ['first', 'second'],
        'User-Agent': ['probe/1'],
        'X-Amzn-Trace-Id': [reply.headers['x-amzn-trace-id']],
        'X-Forwarded-For': ['127.0.0.1'],
        'X-Forwarded-Port': ['443'],
        'X-Forwarded-Proto': ['https'],
      },
      queryStringParameters: { x: '+2', y: 'a b', empty: '' },
      multiValueQueryStringParameters: { x: ['1', '+2'], y: ['a b'], empty: [''] },
      pathParameters: { Thing: 'a%20b' },
      stageVariables: null,
      requestContext: {
        resourceId: 'local0',
        resourcePath: '/things/{Thing}',
        httpMethod: 'GET',
        extendedRequestId: reply.headers['x-amz-apigw-id'],
        requestTime: '10/Jul/2026:19:19:04 +0000',
        requestTimeEpoch: NOW_MS,
        path: '/local/things/a%20b',
        accountId: '123456789012',
        protocol: 'HTTP/1.1',
        stage: 'local',
        domainName: 'localapi00.execute-api.us-west-2.amazonaws.com',
        domainPrefix: 'localapi00',
        apiId: 'localapi00',
        requestId: reply.headers['x-amzn-requestid'],
        authorizer: null,
        identity: {
          accessKey: null,
          accountId: null,
          apiKey: null,
          apiKeyId: null,
          caller: null,
          clientCert: null,
          cognitoAuthenticationProvider: null,
          cognitoAuthenticationType: null,
          cognitoIdentityId: null,
          cognitoIdentityPoolId: null,
          principalOrgId: null,
          sourceIp: '127.0.0.1',
          user: null,
          userAgent: 'probe/1',
          userArn: null,
        },
      },
      body: null,
      isBase64Encoded: false,
    });
  });

  it.each([
    ['AWS_IAM', 'Bearer abc'],
    ['NONE', 'AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-west-2/execute-api/aws4_request'],
  ] as const)(
    'has no Authorization of a route with authorizer %s for %s',
    async (authorizer, authorization) => {
      const url = await start([{ ...things(), authorizer }]);

      await send(url, '/things/a', { Authorization: authorization, 'X-Probe': 'here' });

      expect(Object.keys(onlyEvent().headers)).toContain('X-Probe');
      expect(Object.keys(onlyEvent().headers)).not.toContain('Authorization');
      expect(Object.keys(onlyEvent().multiValueHeaders)).not.toContain('Authorization');
    },
  );

  it('has none of the headers that API Gateway drops', async () => {
    const url = await start([things()]);
    const dropped = ['Content-MD5', 'Max-Forwards', 'Proxy-Authenticate', 'Server', 'TE', 'WWW-Authenticate'];

    await send(url, '/things/a', Object.fromEntries(dropped.map((name) => [name, 'x'])));

    expect(Object.keys(onlyEvent().headers).filter((name) => dropped.includes(name))).toEqual([]);
  });

  it('has null where there is nothing', async () => {
    const url = await start([things('/things')]);
    await send(url, '/things');
    expect(onlyEvent()).toMatchObject({
      queryStringParameters: null,
      multiValueQueryStringParameters: null,
      pathParameters: null,
      body: null,
    });
  });

  it.each([
    [
      'the header',
      '/things/a',
      {
        authorization:
          'AWS4-HMAC-SHA256 Credential=AKIDONE/20260710/us-west-2/execute-api/aws4_request, SignedHeaders=host, Signature=00',
      },
      'AKIDONE',
    ],
    [
      'the query',
      '/things/a?X-Amz-Credential=AKIDTWO%2F20260710%2Fus-west-2%2Fexecute-api%2Faws4_request',
      {},
      'AKIDTWO',
    ],
    ['another scheme', '/things/a', { authorization: 'Bearer abc' }, null],
    ['a broken signature', '/things/a', { authorization: 'AWS4-HMAC-SHA256 Credential=AKIDONE' }, null],
  ])('names the access key that %s gives', async (_title, path, headers, accessKey) => {
    const url = await start([things()]);
    expect((await send(url, path, headers)).status).toBe(200);
    expect(onlyEvent().requestContext.identity.accessKey).toBe(accessKey);
  });
});

describe('a path', () => {
  it.each([
    ['/things/arn%3Aaws%3Ax%3A%3A%3Aa%2Fb', { Thing: 'arn%3Aaws%3Ax%3A%3A%3Aa%2Fb' }],
    ['/things/plain', { Thing: 'plain' }],
    ['/%74hings/a%25', { Thing: 'a%25' }],
  ])('%s matches by its segments, before they are decoded', async (path, pathParameters) => {
    const url = await start([things()]);
    expect((await send(url, path)).status).toBe(200);
    expect(onlyEvent().pathParameters).toEqual(pathParameters);
  });

  it('prefers a literal segment to a parameter', async () => {
    const url = await start([
      things('/things/{Thing}/{Part}'),
      things('/things/{Thing}/all'),
      things('/things/new/{Part}'),
    ]);
    await send(url, '/things/new/all');
    await send(url, '/things/old/all');
    expect(invocations.map(({ functionName }) => functionName)).toEqual([
      '/things/new/{Part}',
      '/things/{Thing}/all',
    ]);
  });

  it.each(['/things', '/things/', '/things/a/b', '/things/a/', '/other/a', '/'])(
    '%s has no route',
    async (path) => {
      // Prepare
      const url = await start([things()]);

      // Act
      const reply = await send(url, path);

      // Assess
      expect(reply).toMatchObject({
        status: 403,
        headers: {
          'x-amzn-errortype': 'AccessDeniedException:, MissingAuthenticationTokenException',
          'x-amzn-requestid': expect.any(String),
          'content-type': 'application/json',
        },
        body: '{"Message":"The request is not signed, or the API has no route with this method and path."}',
      });
      expect(invocations).toEqual([]);
    },
  );

  it('of another method has no route', async () => {
    const url = await start([things()]);
    expect((await fetch(`${url}/things/a`, { method: 'DELETE' })).status).toBe(403);
  });

  it.each(['/things/%', '/things/%zz', '/things/%ff'])(
    '%s is a 400, for it cannot be decoded',
    async (path) => {
      const url = await start([things()]);
      expect(await send(url, path)).toMatchObject({
        status: 400,
        headers: { 'x-amzn-errortype': 'ValidationException:, BadRequestException' },
      });
      expect(invocations).toEqual([]);
    },
  );
});

describe("a function's reply", () => {
  it('goes out with its status, headers of both forms, and body', async () => {
    // Prepare
    const url = await start([things()], () =>
      ok({
        statusCode: 429,
        headers: { 'Retry-After': 2, 'X-One': 'a', 'Content-Length': '999' },
        multiValueHeaders: { 'x-one': ['b', 'a'], 'Set-Cookie': ['c=1', 'd=2'] },
        body: '{"Message":"Slow down"}',
      }),
    );

    // Act
    const reply = await send(url, '/things/a');

    // Assess
    expect(reply).toMatchObject({
      status: 429,
      headers: {
        'retry-after': '2',
        'x-one': 'b, a',
        'set-cookie': ['c=1', 'd=2'],
        'content-type': 'application/json',
        'x-amzn-remapped-content-length': '999',
        'x-amzn-requestid': onlyEvent().requestContext.requestId,
      },
      body: '{"Message":"Slow down"}',
    });
  });

  it('keeps its own content type, and is not decoded without binary media types', async () => {
    const url = await start([things()], () =>
      ok({ headers: { 'Content-Type': 'text/plain' }, body: 'aGk=', isBase64Encoded: true }),
    );
    expect(await send(url, '/things/a')).toMatchObject({
      headers: { 'content-type': 'text/plain' },
      body: 'aGk=',
    });
  });

  it.each([
    ['nothing', null],
    ['text', 'fine'],
    ['no status', { body: '{}' }],
    ['a status that is none', { statusCode: 42 }],
    ['a body that is no text', { statusCode: 200, body: { a: 1 } }],
    ['a header that cannot be sent', { statusCode: 200, headers: { 'x-a': 'one\r\nx-b: two' } }],
    ['headers in a list', { statusCode: 200, headers: ['x'] }],
  ])('that is %s is a 502', async (_title, payload) => {
    const url = await start([things()], () => ({ ok: true, payload }));
    expect(await send(url, '/things/a')).toMatchObject({
      status: 502,
      headers: { 'x-amzn-errortype': FAILED_TYPES, 'x-amzn-requestid': expect.any(String) },
      body: '{"Message":"The request could not be handled. Try again."}',
    });
  });

  it.each([
    [502, FAILED_TYPES, 'Error'],
    [502, FAILED_TYPES, 'Sandbox.Timedout'],
    [500, FAILED_TYPES, 'Lambda.TooManyRequestsException'],
    [413, 'BadRequestException', 'Lambda.RequestTooLargeException'],
  ])('is a %i %s when the function fails with %s', async (status, type, errorType) => {
    // Prepare
    const failure = { errorType, errorMessage: 'a secret' };
    const url = await start([things()], () => ({ ok: false, failure }));

    // Act
    const reply = await send(url, '/things/a');

    // Assess
    expect(reply).toMatchObject({ status, headers: { 'x-amzn-errortype': type } });
    expect(reply.body).not.toContain('secret');
  });

  it('is a 502 when the invoker throws', async () => {
    const url = await start([things()], () => {
      throw new Error('a secret');
    });
    const reply = await send(url, '/things/a');
    expect(reply.status).toBe(502);
    expect(reply.body).not.toContain('secret');
  });

  it('is a 504 when it takes longer than 29 s', async () => {
    // Prepare
    const url = await start([things()], () => new Promise(() => {}));
    const sending = send(url, '/things/a');
    await vi.waitFor(() => expect(invocations).toHaveLength(1));

    // Act
    await clock.advance(28_999);
    const early = await Promise.race([sending, new Promise((resolve) => setTimeout(resolve, 50, 'pending'))]);
    await clock.advance(1);

    // Assess
    expect(early).toBe('pending');
    expect(await sending).toMatchObject({
      status: 504,
      headers: { 'x-amzn-errortype': FAILED_TYPES },
    });
  });
});

describe('a body', () => {
  it('of 10 MB is handed on as text, and one byte more is a 413', async () => {
    // Prepare
    const url = await start([route({ path: '/things' })]);
    const post = (body: string) => fetch(`${url}/things`, { method: 'POST', body });
    const limit = 10 * 1024 * 1024;

    // Act
    const fits = await post(`€${'x'.repeat(limit - 3)}`);
    const tooLarge = await post('x'.repeat(limit + 1));

    // Assess
    expect(fits.status).toBe(200);
    expect(onlyEvent().body?.startsWith('€x')).toBe(true);
    expect(tooLarge.status).toBe(413);
    expect(tooLarge.headers.get('x-amzn-errortype')).toBeNull();
    expect(await tooLarge.text()).toBe('HTTP content length exceeded 10485760 bytes.');
  });
});

describe('a closed API', () => {
  it('cuts what it still answers', async () => {
    const url = await start([things()], () => new Promise(() => {}));
    const sending = send(url, '/things/a');
    await vi.waitFor(() => expect(invocations).toHaveLength(1));
    const refused = expect(sending).rejects.toThrow();
    await server?.close();
    await refused;
  });
});
