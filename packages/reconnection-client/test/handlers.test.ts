import { once } from 'node:events';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { GameLiftStreamsClient, ThrottlingException } from '@aws-sdk/client-gameliftstreams';
import { nextStep, readReply } from 'reconnection-client';
import {
  expressHandler,
  fetchHandler,
  type ReconnectionClient,
  type SessionOfUser,
} from 'reconnection-client/backend';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

const SESSION: SessionOfUser = { streamGroup: 'sg-1', streamSession: 's-1', userId: 'player-1' };
const JSON_TYPE = { 'content-type': 'application/json' };

function apiThat(
  reconnect: ReconnectionClient['reconnect'],
  end: ReconnectionClient['end'] = async () => {},
) {
  const asked: unknown[] = [];
  const client: ReconnectionClient = {
    sdk: new GameLiftStreamsClient({ region: 'us-west-2' }),
    reconnect: (session, signalRequest, { clientToken } = {}) => {
      asked.push([session, signalRequest, ...(clientToken === undefined ? [] : [clientToken])]);
      return reconnect(session, signalRequest);
    },
    end: (session, options) => {
      asked.push([session, 'end']);
      return end(session, options);
    },
    sayPerhapsLeaving: async (session, leaving) => {
      asked.push([session, leaving]);
    },
    window: async () => undefined,
    destroy: () => {},
  };
  return { client, asked };
}

const answering = () => apiThat(async () => 'the answer');

/** Every style of server, called with the same request. */
const STYLES = [
  [
    'fetch',
    async (options: Options, body: string, headers: Record<string, string> = JSON_TYPE) =>
      fetchHandler(options)(new Request('http://game.example/', { method: 'POST', headers, body })),
  ],
  [
    'Express, with a parsed body',
    (options: Options, body: string, headers: Record<string, string> = JSON_TYPE) => {
      const request = Object.assign(Readable.from([]), { headers, body: parsed(body) });
      return throughExpress(options, request);
    },
  ],
  [
    "Node's own requests",
    (options: Options, body: string, headers: Record<string, string> = JSON_TYPE) => {
      const bytes = Buffer.from(body);
      const chunks = [bytes.subarray(0, 5), bytes.subarray(5)];
      return throughExpress(
        options,
        Object.assign(Readable.from(chunks, { objectMode: false }), { headers }),
      );
    },
  ],
] as const;

interface Options {
  readonly client: ReconnectionClient;
  readonly authorize: (request: unknown) => Promise<SessionOfUser | null | undefined>;
  readonly onError?: (error: unknown) => void;
  readonly leavingWithinSeconds?: number;
}

const TOKEN = 'a'.repeat(32);

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

async function throughExpress(
  options: Options,
  request: Parameters<ReturnType<typeof expressHandler>>[0],
): Promise<Response> {
  let status = 0;
  let headers: Readonly<Record<string, string>> = {};
  let body = '';
  await expressHandler(options)(request, {
    writeHead: (given, more) => {
      status = given;
      headers = more;
    },
    end: (text) => {
      body = text;
    },
  });
  return new Response(body, { status, headers });
}

describe.each(STYLES)('a handler for %s', (_style, call) => {
  const authorize = async () => SESSION;

  it("hands an answer on, in the player's name", async () => {
    const { client, asked } = answering();

    const response = await call({ client, authorize }, '{"SignalRequest":"öffer"}');

    expect(await response.json()).toEqual({ SignalResponse: 'the answer' });
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(asked).toEqual([[SESSION, 'öffer']]);
  });

  it.each([undefined, null])("refuses, without a call, what is not the player's: %s", async (session) => {
    const { client, asked } = answering();

    const response = await call({ client, authorize: async () => session }, '{"SignalRequest":"offer"}');

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: 403, code: 'NOT_THE_USERS_SESSION' });
    expect(asked).toEqual([]);
  });

  it.each([
    ['no JSON', 'offer', JSON_TYPE],
    ['no offer', '{}', JSON_TYPE],
    ['an offer that is no text', '{"SignalRequest":1}', JSON_TYPE],
    ['a token that is too short', '{"SignalRequest":"offer","ClientToken":"short"}', JSON_TYPE],
    ['a token with a line break', `{"SignalRequest":"offer","ClientToken":"${TOKEN}\\n"}`, JSON_TYPE],
    ['a page that leaves without a token', '{"Leaving":true}', JSON_TYPE],
    ['an end that is not meant', '{"End":"no"}', JSON_TYPE],
    ["another site's form", '{"SignalRequest":"offer"}', { 'content-type': 'text/plain' }],
  ])('refuses %s before it asks who the player is', async (_what, body, headers) => {
    const { client, asked } = answering();
    const never = async () => {
      throw new Error('It was asked.');
    };

    const response = await call({ client, authorize: never }, body, headers);

    expect(await response.json()).toEqual({ status: 400, code: 'INVALID_REQUEST' });
    expect(asked).toEqual([]);
  });

  it('hands on which connection an offer is for, so that its repeats are the same request', async () => {
    const { client, asked } = answering();

    await call({ client, authorize }, JSON.stringify({ SignalRequest: 'offer', ClientToken: TOKEN }));

    expect(asked).toEqual([[SESSION, 'offer', TOKEN]]);
  });

  it("ends the player's own session", async () => {
    const { client, asked } = answering();

    const response = await call({ client, authorize }, '{"End":true}');

    expect([response.status, await response.json()]).toEqual([200, { Ended: true }]);
    expect(asked).toEqual([[SESSION, 'end']]);
  });

  it.each([
    [15, [[SESSION, { clientToken: TOKEN, withinSeconds: 15 }]]],
    [undefined, []],
  ])('says that a page goes away only where the game wants it: %s', async (leavingWithinSeconds, calls) => {
    const { client, asked } = answering();
    const options = {
      client,
      authorize,
      ...(leavingWithinSeconds === undefined ? {} : { leavingWithinSeconds }),
    };

    const response = await call(options, JSON.stringify({ Leaving: true, ClientToken: TOKEN }));

    expect(await response.json()).toEqual({ Leaving: leavingWithinSeconds !== undefined });
    expect(asked).toEqual(calls);
  });

  it.each(['{"End":true}', `{"Leaving":true,"ClientToken":"${TOKEN}"}`])(
    "does nothing to a session that is not the player's: %s",
    async (body) => {
      const { client, asked } = answering();

      const response = await call(
        { client, authorize: async () => undefined, leavingWithinSeconds: 15 },
        body,
      );

      expect(await response.json()).toMatchObject({ code: 'NOT_THE_USERS_SESSION' });
      expect(asked).toEqual([]);
    },
  );

  it('refuses, without a call, more than an offer can have, as a 413', async () => {
    const { client, asked } = answering();
    const body = JSON.stringify({ SignalRequest: 'x'.repeat(140_000) });

    const response = await call({ client, authorize }, body);

    const reply = await readReply(response, 0);
    expect(reply).toMatchObject({ kind: 'refused', status: 413 });
    // Another offer of the same browser is as long.
    expect(nextStep(reply)).toEqual({ step: 'failed', reason: 'HTTP_413' });
    expect(asked).toEqual([]);
  });

  it('passes on the code of a refusal and its Retry-After, for scripts and for proxies', async () => {
    const { client } = apiThat(() => Promise.reject(throttling()));

    const response = await call({ client, authorize }, '{"SignalRequest":"offer"}');

    expect(response.status).toBe(200);
    expect([response.headers.get('retry-after'), response.headers.get('x-reconnection-code')]).toEqual([
      '4',
      'TURN_LATER',
    ]);
    expect(await readReply(response, 0)).toEqual({
      kind: 'refused',
      status: 429,
      code: 'TURN_LATER',
      type: 'ThrottlingException',
      retryAfterSeconds: 4,
      statusReason: undefined,
    });
  });

  it.each([
    ['the API cannot be reached', async () => SESSION, new Error('connect ECONNREFUSED 10.0.0.1')],
    ['the check of the player fails', () => Promise.reject(new Error('secret')), new Error('not called')],
  ])('lets the browser back off when %s, and tells only the backend why', async (_what, check, error) => {
    const { client } = apiThat(() => Promise.reject(error));
    const errors: unknown[] = [];

    const response = await call(
      { client, authorize: check, onError: (failure) => errors.push(failure) },
      '{"SignalRequest":"offer"}',
    );

    expect(await response.json()).toEqual({ status: 502, code: 'REQUEST_FAILED' });
    expect(errors).toEqual([expect.any(Error)]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('the log is full');
      },
    ],
    ['rejects', () => Promise.reject(new Error('the log is full'))],
  ])('replies although the log of the game %s', async (_how, onError) => {
    const { client } = apiThat(() => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.1')));

    const response = await call(
      { client, authorize: async () => SESSION, onError },
      '{"SignalRequest":"offer"}',
    );

    expect(await response.json()).toEqual({ status: 502, code: 'REQUEST_FAILED' });
  });
});

describe('an end that the API tells to wait', () => {
  const endingWith = (refusals: number, retryAfter: string) => {
    let calls = 0;
    return apiThat(
      async () => 'the answer',
      async () => {
        if (calls++ < refusals) throw throttling(retryAfter);
      },
    );
  };
  const endThrough = (client: ReconnectionClient) =>
    fetchHandler({ client, authorize: async () => SESSION })(
      new Request('http://game.example/', { method: 'POST', headers: JSON_TYPE, body: '{"End":true}' }),
    );

  it.each([
    [3, { Ended: true }, 4],
    [4, { status: 429, code: 'TURN_LATER' }, 4],
  ])('is repeated by the backend, for the player is gone: %i refusals', async (refusals, body, calls) => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { client, asked } = endingWith(refusals, '4');

    const ended = endThrough(client);
    await vi.advanceTimersByTimeAsync(30_000);

    expect(await (await ended).json()).toMatchObject(body);
    expect(asked).toHaveLength(calls);
  });

  it('is not kept in the backend for longer than 5 s', async () => {
    const { client, asked } = endingWith(1, '30');

    expect(await (await endThrough(client)).json()).toMatchObject({ status: 429, retryAfterSeconds: 30 });
    expect(asked).toHaveLength(1);
  });
});

it('a handler for fetch reads no more of a body than an offer can have', async () => {
  const { client } = answering();
  let chunks = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      chunks++;
      controller.enqueue(new Uint8Array(16_384).fill(120));
    },
  });
  const request = new Request('http://game.example/', {
    method: 'POST',
    headers: JSON_TYPE,
    body,
    duplex: 'half',
  });

  const response = await fetchHandler({ client, authorize: async () => SESSION })(request);

  expect(await response.json()).toEqual({ status: 413, code: 'HTTP_413' });
  expect(chunks).toBeLessThan(16);
});

describe("a server with Node's own requests", () => {
  async function startGame() {
    const handle = expressHandler({ client: answering().client, authorize: async () => SESSION });
    const server = createServer((request, response) => void handle(request, response).catch(() => {}));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close().closeAllConnections());
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('The server has no port.');
    return `http://127.0.0.1:${address.port}/`;
  }

  it.each([140_000, 3_000_000])(
    'replies to a body of %i bytes, instead of resetting the connection',
    async (size) => {
      const url = await startGame();
      const body = JSON.stringify({ SignalRequest: 'x'.repeat(size) });

      const response = await fetch(url, { method: 'POST', headers: JSON_TYPE, body });

      expect(await response.json()).toEqual({ status: 413, code: 'HTTP_413' });
    },
  );

  it('hangs up on a caller whose body has no end', async () => {
    const url = await startGame();
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536).fill(120));
      },
    });

    const asked = fetch(url, { method: 'POST', headers: JSON_TYPE, body, duplex: 'half' });
    await asked.then((response) => response.text()).catch(() => {});

    // The system's buffers hold a few MB beside what was read.
    expect(sent).toBeLessThan(32 * 1_048_576);
  });
});

function throttling(retryAfter = '4'): ThrottlingException {
  const error = new ThrottlingException({ message: 'Later.', Message: 'Later.', $metadata: {} });
  return Object.assign(error, {
    $response: {
      statusCode: 429,
      headers: { 'retry-after': retryAfter, 'x-reconnection-code': 'TURN_LATER' },
    },
  });
}
