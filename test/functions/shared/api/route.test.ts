import type { APIGatewayProxyEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { InvalidRequestError, okReply } from '../../../../functions/shared/api/replies.ts';
import { type ApiRequest, defineRoute } from '../../../../functions/shared/api/route.ts';
import { DependencyUnavailableException } from '../../../../functions/shared/runtime/errors.ts';
import { apiEvent, captureOutput, lambdaContext } from '../../../helpers/lambda.ts';
import { tableAt } from '../../../helpers/table.ts';

const SECRET = 'a=ice-pwd:SECRET';
const { documents } = tableAt('http://127.0.0.1:1');
const surroundings = { environment: { TABLE_NAME: 'the-table', AWS_REGION: 'us-west-2' } };

function prepare(decide: (request: ApiRequest) => Promise<object> = async () => ({})) {
  const output = captureOutput();
  const requests: ApiRequest[] = [];
  const route = defineRoute({
    decide: async (request, { log }) => {
      requests.push(request);
      log.info('WindowRead', { phase: 'CLOSED' });
      return okReply(await decide(request));
    },
  });
  const handler = route.handler({ documents }, surroundings);
  const invoke = (event: Partial<APIGatewayProxyEvent> = {}) => handler(apiEvent(event), lambdaContext());
  return { output, requests, invoke };
}

describe('a request', () => {
  it('comes to the decision with its session, its id and its body', async () => {
    const { invoke, requests } = prepare(async () => ({ phase: 'CLOSED' }));

    const reply = await invoke({ body: '{"SignalRequest":"é"}' });

    expect(requests).toEqual([
      {
        session: { streamGroupId: 'sg-1AB2C3De4', streamSessionId: 'ABC123def4567' },
        requestId: '4f1d2c3b-5a69-4788-97a6-b5c4d3e2f101',
        method: 'GET',
        body: '{"SignalRequest":"é"}',
      },
    ]);
    expect(reply).toEqual({
      statusCode: 200,
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
      body: '{"phase":"CLOSED"}',
    });
  });

  it('has its body decoded where API Gateway has encoded it', async () => {
    const { invoke, requests } = prepare();

    await invoke({ body: Buffer.from('{"é":1}').toString('base64'), isBase64Encoded: true });

    expect(requests[0]?.body).toBe('{"é":1}');
  });

  it('may have no body', async () => {
    const { invoke, requests } = prepare();

    await invoke({ body: null });

    expect(requests[0]?.body).toBe('');
  });

  it('may name its session by ARNs of the account that the API is in', async () => {
    const { invoke, requests } = prepare();
    const arn = (resource: string) =>
      encodeURIComponent(`arn:aws:gameliftstreams:us-west-2:111122223333:${resource}`);

    await invoke({
      pathParameters: {
        Identifier: arn('streamgroup/sg-2'),
        StreamSessionIdentifier: arn('streamsession/sg-2/other'),
      },
    });

    expect(requests[0]?.session).toEqual({ streamGroupId: 'sg-2', streamSessionId: 'other' });
  });

  it('has its session and its id on every line of the log', async () => {
    const { invoke, output } = prepare();

    await invoke();

    expect(output.lines()).toMatchObject([
      {
        level: 'INFO',
        message: 'WindowRead',
        phase: 'CLOSED',
        requestId: '4f1d2c3b-5a69-4788-97a6-b5c4d3e2f101',
        streamGroupId: 'sg-1AB2C3De4',
        streamSessionId: 'ABC123def4567',
      },
    ]);
  });

  it('leaves nothing of itself in the log of the next', async () => {
    const { invoke, output } = prepare();

    await Promise.all(
      ['first', 'second'].map((StreamSessionIdentifier) =>
        invoke({ pathParameters: { Identifier: 'sg-1', StreamSessionIdentifier } }),
      ),
    );

    expect(output.lines().map(({ streamSessionId }) => streamSessionId)).toEqual(['first', 'second']);
  });
});

describe("a caller's mistake", () => {
  it("is a 400 in the service's shape, with the message that names the field", async () => {
    const { invoke } = prepare(() => Promise.reject(new InvalidRequestError('SignalRequest is no offer.')));

    expect(await invoke()).toEqual({
      statusCode: 400,
      headers: {
        'content-type': 'application/json',
        'cache-control': 'no-store',
        'x-amzn-errortype': 'ValidationException',
        'x-reconnection-code': 'INVALID_REQUEST',
      },
      body: '{"Message":"SignalRequest is no offer."}',
    });
  });

  it('is on the log with the session and the field, for whoever looks why a player was turned away', async () => {
    const { invoke, output } = prepare(() =>
      Promise.reject(new InvalidRequestError('SignalRequest is no offer.')),
    );

    await invoke();

    expect(output.lines().at(-1)).toMatchObject({
      message: 'RequestRefused',
      reason: 'SignalRequest is no offer.',
      streamSessionId: expect.any(String),
    });
  });

  it('in the path never comes to the decision', async () => {
    const { invoke, requests } = prepare();

    const reply = await invoke({ pathParameters: { Identifier: 'sg-1' } });

    expect(reply).toMatchObject({
      statusCode: 400,
      body: '{"Message":"StreamSessionIdentifier must be 1 to 128 characters long."}',
    });
    expect(requests).toEqual([]);
  });

  it('in the path is told, with who sent it, to whoever keeps a record, before the reply', async () => {
    captureOutput();
    const told: unknown[] = [];
    const route = defineRoute({
      decide: async () => okReply({}),
      onInvalidPath: async (origin, { settings, log, metrics }) => {
        await Promise.resolve();
        told.push([origin.requestId, settings.AWS_REGION, typeof log.info, typeof metrics.add]);
      },
    });
    const handler = route.handler({ documents }, surroundings);

    const reply = await handler(apiEvent({ pathParameters: null }), lambdaContext());

    expect(reply).toMatchObject({ statusCode: 400 });
    expect(told).toEqual([['4f1d2c3b-5a69-4788-97a6-b5c4d3e2f101', 'us-west-2', 'function', 'function']]);
  });

  it('is one too when there is no path', async () => {
    expect(await prepare().invoke({ pathParameters: null })).toMatchObject({ statusCode: 400 });
  });
});

describe('any other error', () => {
  it.each<[string, unknown, string]>([
    ['one that quotes its input', new SyntaxError(`Unexpected token in ${SECRET}`), 'SyntaxError'],
    [
      'a known one',
      new DependencyUnavailableException({ cause: new Error(SECRET) }),
      'DependencyUnavailableException',
    ],
    ['one whose message looks like a stack', new Error(`failed\n    at ${SECRET}`), 'Error'],
    ['something that is no error', SECRET, 'string'],
    ['nothing', undefined, 'undefined'],
  ])('is a 500 with fixed words, and nothing of it is said anywhere: %s', async (_, error, errorName) => {
    const { invoke, output } = prepare(() => Promise.reject(error));

    const reply = await invoke({ body: SECRET });

    expect(reply).toEqual({
      statusCode: 500,
      headers: {
        'content-type': 'application/json',
        'cache-control': 'no-store',
        'x-amzn-errortype': 'InternalServerException',
        'x-reconnection-code': 'REQUEST_FAILED',
        'retry-after': '1',
      },
      body: '{"Message":"The request could not be handled. Try again."}',
    });
    expect(output.text()).not.toContain('SECRET');
    expect(output.lines().at(-1)).toMatchObject({ level: 'ERROR', message: 'RequestFailed', errorName });
  });

  it('is logged with the request and the session that it hit', async () => {
    const { invoke, output } = prepare(() => Promise.reject(new Error('failed')));

    await invoke();

    expect(output.lines().at(-1)).toMatchObject({
      message: 'RequestFailed',
      requestId: '4f1d2c3b-5a69-4788-97a6-b5c4d3e2f101',
      streamGroupId: 'sg-1AB2C3De4',
      streamSessionId: 'ABC123def4567',
    });
  });
});
