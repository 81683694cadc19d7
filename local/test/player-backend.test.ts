import type { StreamSessionStatus } from '@aws-sdk/client-gameliftstreams';
import {
  anOffer,
  GameLiftStreamsControl,
  type GameLiftStreamsServer,
  startGameLiftStreams,
} from 'game-lift-streams-local';
import {
  type LoopbackReply,
  type LoopbackRequest,
  type LoopbackServer,
  seededRandom,
  startLoopbackServer,
  systemClock,
} from 'local-server-kit';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { type PlayerBackend, startPlayerBackend } from '../web/backend/backend.ts';
import { dropsOf } from '../web/backend/control-strip.ts';
import { startWebServer } from '../web/server.ts';

let gameLiftStreams: GameLiftStreamsServer;
let api: LoopbackServer;
let backend: PlayerBackend;
let web: LoopbackServer;
let control: GameLiftStreamsControl;
let apiRequests: LoopbackRequest[];
/** The API answers nobody before. */
let apiIsOpen: Promise<unknown>;
/** What the service's API says to the next requests; the last one goes on being said. */
let apiReplies: LoopbackReply[];

const reply = (status: number, body: object, headers: Record<string, string> = {}): LoopbackReply => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

beforeEach(async () => {
  apiRequests = [];
  apiIsOpen = Promise.resolve();
  apiReplies = [reply(200, { SignalResponse: 'the answer' })];
  gameLiftStreams = await startGameLiftStreams({
    port: 0,
    clock: systemClock,
    random: seededRandom(),
    activationMs: 0,
  });
  api = await startLoopbackServer({
    port: 0,
    maxBodyBytes: 100_000,
    handle: async (request) => {
      apiRequests.push(request);
      await apiIsOpen;
      return (apiReplies.length > 1 ? apiReplies.shift() : apiReplies[0]) ?? { status: 500 };
    },
  });
  control = new GameLiftStreamsControl(gameLiftStreams.url);
  const endpoints = {
    gameLiftStreams: gameLiftStreams.url,
    stepFunctions: api.url,
    eventBus: api.url,
    dynamoDb: api.url,
    api: api.url,
    sqs: api.url,
  };
  backend = startPlayerBackend({ endpoints, control, service: inject('service') }, seededRandom());
  web = await startWebServer({ port: 0, endpoints, playerBackend: backend });
});

afterEach(async () => {
  await web.close();
  await backend.close();
  await api.close();
  await gameLiftStreams.close();
});

interface Call {
  readonly cookie?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** A call as the page makes it. */
async function call(method: string, path: string, { cookie = '', body, headers = {} }: Call = {}) {
  const response = await fetch(`${web.url}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(cookie === '' ? {} : { cookie }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    setCookie: response.headers.get('set-cookie') ?? '',
    json: text === '' ? undefined : JSON.parse(text),
  };
}

/** A browser that has started a session, with what it knows. */
async function aPlayer(connectionTimeoutSeconds = 60) {
  const body = { signalRequest: anOffer(), connectionTimeoutSeconds };
  const { json, setCookie } = await call('POST', '/backend/sessions', { body });
  return {
    id: String(json.streamSessionId),
    cookie: setCookie.split(';', 1).join(''),
    setCookie,
  };
}

describe('the backend of the player page', () => {
  it('starts a session in the name of its player, and gives the answer to whoever started it', async () => {
    const { id, cookie, setCookie } = await aPlayer();

    const { json } = await call('GET', `/backend/sessions/${id}`, { cookie });

    expect(json).toMatchObject({ status: 'ACTIVE' });
    expect(JSON.parse(json.signalResponse)).toMatchObject({ type: 'answer' });
    const { userId, connectionTimeoutSeconds } = await control.session(id);
    expect(cookie).toBe(`player=${userId}`);
    expect(connectionTimeoutSeconds).toBe(60);
    expect(setCookie).toMatch(/; HttpOnly; SameSite=Strict$/);
  });

  it('keeps a player who starts another session', async () => {
    const { cookie } = await aPlayer();

    const body = { signalRequest: anOffer(), connectionTimeoutSeconds: 60 };
    const { setCookie } = await call('POST', '/backend/sessions', { cookie, body });

    expect(setCookie.split(';', 1)).toEqual([cookie]);
  });

  it('reconnects through the API, in the player’s name', async () => {
    const { id, cookie } = await aPlayer();

    const { json } = await call('POST', `/backend/sessions/${id}/connections`, {
      cookie,
      body: { SignalRequest: 'a new offer' },
    });

    expect(json).toEqual({ SignalResponse: 'the answer' });
    const [request] = apiRequests;
    expect(request?.target).toBe(`/streamgroups/sg-local0001/streamsessions/${id}/connections`);
    expect(`player=${request?.headers['x-user-id']}`).toBe(cookie);
    expect(JSON.parse(String(request?.body))).toMatchObject({ SignalRequest: 'a new offer' });
  });

  it('tells the page when to come again, and makes one request for each of the page’s', async () => {
    const { id, cookie } = await aPlayer();
    apiReplies = [
      reply(
        429,
        { Message: 'Too many.' },
        {
          'x-amzn-errortype': 'ThrottlingException',
          'x-reconnection-code': 'TURN_LATER',
          'retry-after': '4',
        },
      ),
    ];

    const { status, json } = await call('POST', `/backend/sessions/${id}/connections`, {
      cookie,
      body: { SignalRequest: 'a new offer' },
    });

    expect(status).toBe(200);
    expect(json).toEqual({
      status: 429,
      code: 'TURN_LATER',
      type: 'ThrottlingException',
      retryAfterSeconds: 4,
    });
    expect(apiRequests).toHaveLength(1);
  });

  it('ends the session of a player who leaves, in the player’s name', async () => {
    const { id, cookie } = await aPlayer();
    apiReplies = [{ status: 204 }];

    const ended = await call('POST', `/backend/sessions/${id}/connections`, { cookie, body: { End: true } });

    expect([ended.status, ended.json]).toEqual([200, { Ended: true }]);
    expect(apiRequests.map(({ method, target }) => [method, target.split('/').at(-1)])).toEqual([
      ['DELETE', id],
    ]);
    expect(apiRequests[0]?.headers['x-user-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each([
    [60, 15],
    [8, 8],
    [3, 5],
  ])(
    'tells the API which connection goes away when the page of a session of %d s is closed',
    async (timeoutSeconds, withinSeconds) => {
      const { id, cookie } = await aPlayer(timeoutSeconds);
      apiReplies = [{ status: 204 }];
      const body = { Leaving: true, ClientToken: 'a'.repeat(32) };

      const told = await call('POST', `/backend/sessions/${id}/connections`, { cookie, body });

      expect([told.status, told.json]).toEqual([200, { Leaving: true }]);
      expect(apiRequests.map(({ method, target }) => [method, target.split('/').at(-1)])).toEqual([
        ['POST', 'leaving'],
      ]);
      expect(JSON.parse(apiRequests[0]?.body.toString() ?? '')).toEqual({
        clientToken: body.ClientToken,
        withinSeconds,
      });
    },
  );

  it('passes the window on as the API has it, and says nothing while there is none', async () => {
    const { id, cookie } = await aPlayer();
    const window = { phase: 'AWAITING_RECONNECTION', generation: 1, remainingSeconds: 7.5 };
    apiReplies = [
      reply(
        404,
        { Message: 'None.' },
        { 'x-amzn-errortype': 'ResourceNotFoundException', 'x-reconnection-code': 'WINDOW_NOT_FOUND' },
      ),
      reply(200, window),
    ];

    const none = await call('GET', `/backend/sessions/${id}/window`, { cookie });
    const open = await call('GET', `/backend/sessions/${id}/window`, { cookie });

    expect(none).toMatchObject({ status: 204, json: undefined });
    expect(open).toMatchObject({ status: 200, json: window });
  });

  it.each([
    ['GET', ''],
    ['GET', '/window'],
    ['POST', '/connections'],
  ])('lets nobody else %s a player’s session%s', async (method, what) => {
    const { id } = await aPlayer();
    const stranger = await aPlayer();
    const body = method === 'POST' ? { body: { SignalRequest: 'an offer' } } : {};

    const withAnotherCookie = await call(method, `/backend/sessions/${id}${what}`, {
      cookie: stranger.cookie,
      ...body,
    });
    const withoutCookie = await call(method, `/backend/sessions/${id}${what}`, body);

    expect(withAnotherCookie).toMatchObject(
      method === 'POST'
        ? { status: 200, json: { status: 403, code: 'NOT_THE_USERS_SESSION' } }
        : { status: 403, json: { name: 'NotYourSessionError' } },
    );
    expect(withoutCookie).toMatchObject({ status: 403, json: { name: 'NotYourSessionError' } });
    expect(apiRequests).toEqual([]);
  });

  it('says so when the service refuses to start a session', async () => {
    await control.injectFault({ operation: 'StartStreamSession', kind: 'validation' });

    const body = { signalRequest: anOffer(), connectionTimeoutSeconds: 60 };
    const { status, json } = await call('POST', '/backend/sessions', { body });

    expect([status, json.name]).toEqual([400, 'ValidationException']);
  });

  it.each([
    ['no time to come back', { signalRequest: 'an offer' }],
    ['an offer of more than 64 KiB', { signalRequest: 'x'.repeat(65_537), connectionTimeoutSeconds: 60 }],
    ['a window of two hours', { signalRequest: 'an offer', connectionTimeoutSeconds: 7200 }],
  ])('refuses %s, and quotes nothing', async (_what, body) => {
    const { status, json } = await call('POST', '/backend/sessions', { body });

    expect([status, json.name]).toEqual([400, 'BadRequestError']);
    expect(json.message).not.toContain('xxxx');
  });

  it.each(['/backend/sessions', '/control/mishaps', '/control/storm'])(
    'takes nothing at %s from a page of another site',
    async (path) => {
      const foreign = await fetch(`${web.url}${path}`, {
        method: 'POST',
        headers: { origin: 'http://game.example', 'content-type': 'application/json' },
        body: '{}',
      });
      const simple = await call('POST', path, { headers: { 'content-type': 'text/plain' } });

      expect(foreign.status).toBe(403);
      expect(simple.status).toBe(400);
    },
  );
});

describe('the control strip', () => {
  it.each([
    ['throttling', { kind: 'throttling' }],
    ['conflict', { kind: 'conflict' }],
    ['lostReply', { kind: 'lostReply' }],
    ['internalServer', { kind: 'internalServer' }],
    ['slow', { kind: 'latency', latencyMs: 3_000 }],
  ])('plans %s for the next connections, and takes it back', async (kind, planned) => {
    await call('POST', '/control/mishaps', { body: { kind, calls: 3 } });

    expect(await control.faults()).toEqual([
      expect.objectContaining({ operation: 'CreateStreamSessionConnection', calls: 3, ...planned }),
    ]);
    const { json } = await call('GET', '/control/state');
    expect(json.pendingMishaps).toEqual([{ kind: planned.kind, calls: 3 }]);

    await call('DELETE', '/control/mishaps');

    expect(await control.faults()).toEqual([]);
  });

  it.each([
    ['mishaps', { kind: 'earthquake', calls: 1 }],
    ['mishaps', { kind: 'conflict', calls: 101 }],
    ['storm', { players: 501, connectionTimeoutSeconds: 60 }],
    ['storm', { players: 0, connectionTimeoutSeconds: 60 }],
  ])('refuses %s of %j', async (what, body) => {
    const { status } = await call('POST', `/control/${what}`, { body });

    expect(status).toBe(400);
  });

  it('has a storm of players drop at once and come back, each as it is told', async () => {
    apiReplies = [
      reply(429, { Message: 'Too many.' }, { 'x-amzn-errortype': 'ThrottlingException', 'retry-after': '1' }),
      reply(200, { SignalResponse: 'the answer' }),
    ];

    const opening = Promise.withResolvers<void>();
    apiIsOpen = opening.promise;
    await call('POST', '/control/storm', { body: { players: 4, connectionTimeoutSeconds: 8 } });
    const second = await call('POST', '/control/storm', {
      body: { players: 1, connectionTimeoutSeconds: 5 },
    });
    await expect.poll(async () => (await control.sessions()).length, { timeout: 10_000 }).toBe(4);
    const before = await call('GET', '/control/state');
    opening.resolve();
    await expect
      .poll(async () => (await call('GET', '/control/state')).json.storm.isOver, { timeout: 15_000 })
      .toBe(true);

    expect(second).toMatchObject({ status: 409, json: { name: 'StormUnderWay' } });
    expect(before.json.storm).toMatchObject({ players: 4, isOver: false });
    const { json } = await call('GET', '/control/state');
    // The stand-in for the API made no connection at the service, so nobody could use an answer.
    expect(json.storm).toMatchObject({ waiting: 0, back: 0, lost: 4, requests: 5, toldToWait: 1 });
  });

  it('counts each drop once, by what became of it', () => {
    const history = (...statuses: StreamSessionStatus[]) => ({
      history: statuses.map((status, atMs) => ({ status, atMs })),
    });
    const pending = 'PENDING_CLIENT_RECONNECTION' as const;

    expect(
      dropsOf([
        history('ACTIVATING', 'ACTIVE', 'CONNECTED'),
        history('CONNECTED', pending, 'RECONNECTING', 'ACTIVE', 'CONNECTED'),
        history('CONNECTED', pending, 'RECONNECTING', 'ACTIVE', 'CONNECTED', pending),
        history('CONNECTED', pending, 'RECONNECTING', 'ACTIVE', 'TERMINATED'),
        history('CONNECTED', pending, 'TERMINATED'),
        history('CONNECTED', pending, 'RECONNECTING', 'ERROR'),
        history('CONNECTED', 'TERMINATED'),
        {
          history: [
            { status: pending, atMs: 0 },
            { status: 'TERMINATED', atMs: 1, reason: 'apiTerminated' },
          ],
        },
      ]),
    ).toEqual({ saved: 2, lost: 3, open: 1 });
  });
});
