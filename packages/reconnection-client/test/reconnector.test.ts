import { VirtualClock } from 'local-server-kit';
import { fetchBackend, keptSession, type ReconnectorOptions } from 'reconnection-client';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { answer, FakeClient, fakeLocks, openPage, refusal, reply, SECOND } from './page.ts';

describe('a connection', () => {
  it('that runs at the start is connected', async () => {
    const { names } = await openPage();

    expect(names()).toEqual(['connected']);
  });

  it('that is interrupted is suspect, and connected again when it heals', async () => {
    const { first, names, clock, asked } = await openPage();

    first.state('disconnected');
    await clock.advance(2 * SECOND);
    first.state('connected');
    await clock.advance(60 * SECOND);

    expect(names()).toEqual(['connected', 'suspect', 'connected']);
    expect(asked).toEqual([]);
  });

  it('that does not heal within 3 s comes back by itself', async () => {
    const { first, names, clock } = await openPage();

    first.state('disconnected');
    await clock.advance(3 * SECOND);

    expect(names()).toEqual(['connected', 'suspect', 'away', 'answering', 'back']);
  });

  it.each<[string, (client: FakeClient) => void]>([
    ['fails', (client) => client.state('failed')],
    ['is closed', (client) => client.state('closed')],
    ['has a channel error', (client) => client.tell({ type: 'error' })],
    ['hangs up with an unknown reason', (client) => client.tell({ type: 'serverDisconnect', reason: 'new' })],
  ])('that %s comes back without waiting', async (_what, happen) => {
    const { first, names, clock } = await openPage();

    happen(first);
    await clock.idle();

    expect(names()).toEqual(['connected', 'away', 'answering', 'back']);
  });

  it.each(['terminated', 'idle'])('that the server ends as %s is over', async (reason) => {
    const { first, states, clock, asked } = await openPage();

    first.tell({ type: 'serverDisconnect', reason });
    await clock.advance(3600 * SECOND);

    expect(states.at(-1)).toEqual({ name: 'over', reason });
    expect([first.isClosed, asked]).toEqual([true, []]);
  });

  it('that is back is lost and comes back again', async () => {
    const { lose, names, clients } = await openPage();

    await lose();
    await lose();

    expect(names()).toEqual(['connected', 'away', 'answering', 'back', 'away', 'answering', 'back']);
    expect(clients.map(({ isClosed }) => isClosed)).toEqual([true, false]);
  });

  it('that was closed for a new one is heard no more', async () => {
    const { first, lose, names } = await openPage();
    await lose();

    first.state('failed');
    first.tell({ type: 'serverDisconnect', reason: 'terminated' });

    expect(names().at(-1)).toBe('back');
  });
});

describe('a request', () => {
  it('is the same one, when it was told to come again', async () => {
    const { lose, asked, clock, states } = await openPage({
      replies: [refusal(429, 'TURN_LATER', '7'), refusal(409, 'LOSS_NOT_NOTICED', '1')],
      environment: { random: () => 0 },
    });

    await lose();
    const told = states.at(-1);
    await clock.advance(10 * SECOND);

    expect(told).toMatchObject({
      name: 'waiting',
      reason: 'TURN_LATER',
      retryAt: clock.nowMs() - 3 * SECOND,
    });
    expect(asked).toEqual([
      { offer: 'offer 1', atMs: 0 },
      { offer: 'offer 1', atMs: 7 * SECOND },
      { offer: 'offer 1', atMs: 8 * SECOND },
    ]);
    expect(states.at(-1)).toEqual({ name: 'back' });
  });

  it.each([
    [1, 1.6],
    [10, 11.5],
    [100, 105],
  ])(
    'that 200 players are told to repeat in %i s comes spread up to %d s, never sooner',
    async (told, last) => {
      const asked: number[] = [];
      for (let player = 0; player < 200; player++) {
        const page = await openPage({
          replies: [refusal(503, 'SWITCHED_OFF', String(told))],
          environment: { random: () => player / 200 },
        });
        await page.lose();
        await page.clock.advance(110 * SECOND);
        asked.push((page.asked[1]?.atMs ?? 0) / SECOND);
        page.reconnector.stop();
      }

      expect(Math.min(...asked)).toBe(told);
      expect(Math.max(...asked)).toBeLessThanOrEqual(last);
      const inOneTenth = Math.max(
        ...asked.map((at) => asked.filter((other) => other >= at && other < at + 0.1).length),
      );
      expect(inOneTenth).toBeLessThanOrEqual(40);
    },
  );

  it('that is told to come near the deadline comes before it', async () => {
    const { lose, asked, clock } = await openPage({
      replies: [refusal(429, 'NOT_IN_TIME', '9')],
      connectionTimeoutSeconds: 10,
    });

    await lose();
    await clock.advance(10 * SECOND);

    expect(asked.map(({ atMs }) => atMs)).toEqual([0, 9.5 * SECOND]);
  });

  it('backs off to 15 s where nothing was told, the same offer each time', async () => {
    const replies = Array.from({ length: 7 }, () => new TypeError('Failed to fetch'));
    const { lose, asked, clock, names } = await openPage({ replies });

    await lose();
    await clock.advance(120 * SECOND);

    expect(asked.map(({ atMs }) => atMs / SECOND)).toEqual([0, 1, 3, 7, 15, 30, 45, 60]);
    expect(new Set(asked.map(({ offer }) => offer))).toEqual(new Set(['offer 1']));
    expect(names().at(-1)).toBe('back');
  });

  it('backs off with full jitter, and never less than 250 ms', async () => {
    const replies = Array.from({ length: 5 }, () => reply(503));
    const { lose, asked, clock } = await openPage({ replies, environment: { random: () => 0 } });

    await lose();
    await clock.advance(5 * SECOND);

    expect(asked.map(({ atMs }) => atMs)).toEqual([0, 250, 500, 750, 1000, 1250]);
  });

  it('that gets no reply in 35 s is sent again', async () => {
    const { lose, asked, clock, names } = await openPage({ replies: ['never'] });

    await lose();
    await clock.advance(40 * SECOND);

    expect(asked.map(({ atMs }) => atMs / SECOND)).toEqual([0, 36]);
    expect(names().at(-1)).toBe('back');
  });

  it('is given up an hour after the loss, with the last reason', async () => {
    const replies = Array.from({ length: 1000 }, () => reply(502, '<html>Bad gateway</html>'));
    const { lose, states, clock, asked } = await openPage({ replies });

    await lose();
    await clock.advance(2 * 3600 * SECOND);

    expect(states.at(-1)).toEqual({ name: 'failed', reason: 'HTTP_502' });
    expect(asked.at(-1)?.atMs).toBeGreaterThan(3600 * SECOND);
    expect(asked.length).toBeLessThan(250);
  });

  it('that gets no reply is given up a minute after a known deadline', async () => {
    const replies = Array.from({ length: 1000 }, () => new TypeError('Failed to fetch'));
    const { lose, states, clock, asked } = await openPage({ replies, connectionTimeoutSeconds: 120 });

    await lose();
    await clock.advance(3600 * SECOND);

    expect(states.at(-1)).toEqual({ name: 'failed', reason: 'UNREACHABLE' });
    expect((asked.at(-1)?.atMs ?? 0) / SECOND).toBeLessThan(200);
  });

  it('goes on after the deadline while the API says when to come again', async () => {
    const replies = Array.from({ length: 20 }, () => refusal(503, 'SWITCHED_OFF', '30'));
    const { lose, names, clock } = await openPage({ replies, connectionTimeoutSeconds: 120 });

    await lose();
    await clock.advance(900 * SECOND);

    expect(names().at(-1)).toBe('back');
  });

  it('has the same token as its repeats, and a new offer has a new one', async () => {
    const { lose, asked, tokens, clock } = await openPage({
      replies: [new TypeError('Failed to fetch'), refusal(409, 'NEW_OFFER_NEEDED')],
      environment: { random: Math.random },
    });

    await lose();
    await clock.advance(10 * SECOND);

    expect(asked.map(({ offer }) => offer)).toEqual(['offer 1', 'offer 1', 'offer 2']);
    expect(tokens[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(tokens[1]).toBe(tokens[0]);
    expect(tokens[2]).not.toBe(tokens[0]);
  });

  it('has its number since the loss, and tells its reply', async () => {
    const { reconnector, lose, clock } = await openPage({ replies: [refusal(429, 'TURN_LATER', '1')] });
    const told: unknown[] = [];
    reconnector.on('request', ({ number }) => told.push(number));
    reconnector.on('reply', ({ kind }) => told.push(kind));

    await lose();
    await clock.advance(2 * SECOND);
    await lose();

    expect(told).toEqual([1, 'refused', 2, 'answer', 1, 'answer']);
  });
});

describe('a new offer', () => {
  it.each(['OFFER_REJECTED', 'NEW_OFFER_NEEDED', 'INVALID_REQUEST', 'CLIENT_TOKEN_REUSED'])(
    'on a new connection follows %s, and the old connection is closed',
    async (code) => {
      const { lose, asked, clients, clock, names } = await openPage({ replies: [refusal(409, code)] });

      await lose();
      await clock.advance(SECOND);

      expect(asked.map(({ offer }) => offer)).toEqual(['offer 1', 'offer 2']);
      expect(clients.map(({ isClosed }) => isClosed)).toEqual([true, false]);
      expect(names().slice(1)).toEqual(['away', 'waiting', 'away', 'answering', 'back']);
    },
  );

  it.each(['noMedia', 'throws', 'fails'] as const)('follows an answer that %s', async (onAnswer) => {
    const { lose, asked, clock, states } = await openPage({ onAnswer: [onAnswer, 'connects'] });

    await lose();
    await clock.advance(12 * SECOND);

    expect(asked.map(({ offer }) => offer)).toEqual(['offer 1', 'offer 2']);
    expect(states.find(({ name }) => name === 'waiting')).toMatchObject({ reason: 'NO_MEDIA' });
    expect(states.at(-1)).toEqual({ name: 'back' });
  });

  it.each<[string, Pick<ReconnectorOptions, 'newClient'>]>([
    [
      'cannot be made',
      {
        newClient: () => {
          throw new Error('This browser has no WebRTC.');
        },
      },
    ],
    ['is rejected', { newClient: () => withOffer(() => Promise.reject(new Error('There is no H.264.'))) }],
    ['never comes', { newClient: () => withOffer(() => new Promise(() => {})) }],
  ])('that %s fails after three tries', async (_what, options) => {
    const { lose, states, clock } = await openPage(options);

    await lose();
    await clock.advance(70 * SECOND);

    expect(states.at(-1)).toEqual({ name: 'failed', reason: 'CLIENT_FAILED' });
  });

  it('is not made a fourth time', async () => {
    const { lose, states, clock, asked } = await openPage({ onAnswer: ['noMedia'] });

    await lose();
    await clock.advance(600 * SECOND);

    expect([asked.length, states.at(-1)]).toEqual([3, { name: 'failed', reason: 'NO_MEDIA' }]);
  });

  it('follows a sleep of an hour, because the old one is stale', async () => {
    const { lose, asked, clock, happens, names } = await openPage({
      replies: [reply(503), refusal(409, 'SESSION_BUSY')],
      environment: { setTimer: () => () => {} },
    });
    await lose();

    await clock.advance(3600 * SECOND);
    await happens('shown');

    expect(asked.map(({ offer }) => offer)).toEqual(['offer 1', 'offer 2']);
    expect(names().at(-1)).toBe('waiting');
  });
});

function withOffer(generateSignalRequest: () => Promise<string>): FakeClient {
  return Object.assign(new FakeClient('none'), { generateSignalRequest });
}

describe('an end', () => {
  it.each([
    [refusal(409, 'SESSION_ENDED'), { name: 'over', reason: 'SESSION_ENDED' }],
    [refusal(404, 'SESSION_NOT_FOUND'), { name: 'over', reason: 'SESSION_NOT_FOUND' }],
    [
      reply(200, { status: 409, code: 'SESSION_ENDED', statusReason: 'reconnectionTimeout' }),
      { name: 'over', reason: 'reconnectionTimeout' },
    ],
    [refusal(409, 'SOMEBODY_CONNECTED'), { name: 'takenOver', by: 'anotherClient' }],
    [refusal(409, 'NEWER_OFFER'), { name: 'takenOver', by: 'anotherClient' }],
    [refusal(403, 'NOT_THE_USERS_SESSION'), { name: 'failed', reason: 'NOT_THE_USERS_SESSION' }],
    [reply(401), { name: 'failed', reason: 'HTTP_401' }],
  ] as const)('stops asking and closes the connection: %#', async (last, state) => {
    const { lose, states, clock, asked, clients } = await openPage({ replies: [last] });

    await lose();
    await clock.advance(3600 * SECOND);

    expect(states.at(-1)).toEqual(state);
    expect([asked.length, clients[0]?.isClosed]).toEqual([1, true]);
  });

  it('that failed or was taken over is left by comeBack()', async () => {
    const { lose, reconnector, clock, names } = await openPage({
      replies: [refusal(409, 'SOMEBODY_CONNECTED'), reply(403)],
    });
    await lose();

    reconnector.comeBack();
    await clock.idle();
    reconnector.comeBack();
    await clock.idle();

    expect(names().slice(1)).toEqual(['away', 'takenOver', 'away', 'failed', 'away', 'answering', 'back']);
  });

  it('that is over stays over', async () => {
    const { lose, reconnector, clock, names } = await openPage({ replies: [refusal(409, 'SESSION_ENDED')] });
    await lose();

    reconnector.comeBack();
    reconnector.hintNow();
    await reconnector.leave();
    await clock.advance(SECOND);

    expect(names().at(-1)).toBe('over');
  });
});

describe('hintNow(), as when the network or the page is back,', () => {
  it.each(['online', 'shown'] as const)('ends a backoff at %s', async (event) => {
    const { lose, asked, happens, clock } = await openPage({ replies: [new Error('Failed to fetch')] });
    await lose();
    await clock.advance(100);

    await happens(event);

    expect(asked.map(({ atMs }) => atMs)).toEqual([0, 100]);
  });

  it('does not end a wait that the service asked for', async () => {
    const { lose, asked, reconnector, clock } = await openPage({
      replies: [refusal(429, 'TURN_LATER', '5')],
      environment: { random: () => 0 },
    });
    await lose();
    await clock.advance(SECOND);

    reconnector.hintNow();
    await clock.advance(10 * SECOND);

    expect(asked.map(({ atMs }) => atMs)).toEqual([0, 5 * SECOND]);
  });

  it('ends such a wait when a timer of a tab in the background is late', async () => {
    const { lose, asked, happens, clock } = await openPage({
      replies: [refusal(429, 'TURN_LATER', '5')],
      environment: { setTimer: () => () => {} },
    });
    await lose();
    await clock.advance(30 * SECOND);

    await happens('shown');

    expect(asked.map(({ atMs }) => atMs)).toEqual([0, 30 * SECOND]);
  });

  it('is not needed while the browser is offline: nothing is asked until it is online', async () => {
    const { lose, asked, setOnline, clock, states } = await openPage();
    await setOnline(false);
    await lose();
    await clock.advance(10 * SECOND);
    const offline = states.at(-1);

    await setOnline(true);

    expect(offline).toMatchObject({ name: 'waiting', reason: 'OFFLINE' });
    expect(asked.map(({ atMs }) => atMs)).toEqual([10 * SECOND]);
  });

  it.each([
    ['an hour after the loss', undefined, 3600],
    ['a minute after a known deadline', 120, 180],
  ])('does not come to a tab that is offline for good: it fails %s', async (_when, timeout, seconds) => {
    const { lose, clock, states, asked } = await openPage({
      connectionTimeoutSeconds: timeout,
      replies: Array.from({ length: 1000 }, () => new TypeError('Failed to fetch')),
      environment: { isOnline: () => false },
    });

    await lose();
    await clock.advance((seconds - 1) * SECOND);
    const before = states.at(-1)?.name;
    await clock.advance(60 * SECOND);

    expect(['waiting', 'away']).toContain(before);
    expect(states.at(-1)).toEqual({ name: 'failed', reason: 'OFFLINE' });
    expect(asked.length).toBeLessThan(250);
  });

  it('ends in a failure when an offline tab only wakes up now and then', async () => {
    const { lose, clock, happens, states, asked, clients } = await openPage({
      environment: { setTimer: () => () => {}, isOnline: () => false },
    });
    await lose();

    for (let wakeUps = 0; wakeUps < 20; wakeUps++) {
      await clock.advance(600 * SECOND);
      await happens('shown');
    }

    expect(states.at(-1)).toEqual({ name: 'failed', reason: 'OFFLINE' });
    // One new connection for each wake-up within the hour, and none after it.
    expect([asked.length, clients.length]).toEqual([0, 8]);
  });

  it('is not needed where a browser is wrongly offline: it asks after 15 s', async () => {
    const { lose, clock, setOnline, names } = await openPage();
    await setOnline(false);

    await lose();
    await clock.advance(15 * SECOND);

    expect(names().at(-1)).toBe('back');
  });
});

describe('the deadline', () => {
  it('is the loss plus the timeout of the session', async () => {
    const { lose, states, clock } = await openPage({ connectionTimeoutSeconds: 120 });

    await lose();

    expect(states.find(({ name }) => name === 'away')).toEqual({
      name: 'away',
      deadline: clock.nowMs() + 120 * SECOND,
    });
  });

  it('is what the backend says is left, by the local clock', async () => {
    const { lose, states, clock } = await openPage({
      replies: [refusal(429, 'TURN_LATER', '5')],
      connectionTimeoutSeconds: 120,
      secondsLeft: async () => 42.5,
    });

    await lose();

    expect(states.at(-1)).toMatchObject({ name: 'waiting', deadline: clock.nowMs() + 42.5 * SECOND });
  });

  it.each([
    ['nothing', async () => undefined],
    ['no number', async () => Number.NaN],
    [
      'an error',
      async () => {
        throw new Error('Not found');
      },
    ],
  ])('stays what it was when the backend says %s', async (_what, secondsLeft) => {
    const { lose, states } = await openPage({ replies: [refusal(429, 'TURN_LATER', '5')], secondsLeft });

    await lose();

    expect(states.at(-1)).toMatchObject({ name: 'waiting', deadline: undefined });
  });
});

describe('leaving', () => {
  it('closes the stream, ends the session and forgets it', async () => {
    const ended: string[] = [];
    const endSession = async (session: string) => ended.push(session);
    const { reconnector, first, states, kept } = await openPage({ endSession });

    await reconnector.leave();
    await reconnector.leave();

    expect(states.at(-1)).toEqual({ name: 'left' });
    expect([first.isClosed, ended, kept.size]).toEqual([true, ['session-1'], 0]);
  });

  it('is done where the backend cannot end sessions, or fails to', async () => {
    const endSession = () => Promise.reject(new Error('Failed to fetch'));
    const pages = [await openPage(), await openPage({ endSession })];

    for (const { reconnector } of pages) await reconnector.leave();

    expect(pages.map(({ reconnector }) => reconnector.state.name)).toEqual(['left', 'left']);
  });

  it('while an answer is on its way is final', async () => {
    const { reconnector, lose, clock, names } = await openPage({ onAnswer: ['noMedia'] });
    await lose();

    await reconnector.leave();
    await clock.advance(60 * SECOND);

    expect(names().slice(-2)).toEqual(['answering', 'left']);
  });

  it('does not end a session that is played elsewhere', async () => {
    const ended: string[] = [];
    const { reconnector, lose } = await openPage({
      replies: [refusal(409, 'SOMEBODY_CONNECTED')],
      endSession: async (session) => ended.push(session),
    });
    await lose();

    await reconnector.leave();

    expect([reconnector.state.name, ended]).toEqual(['left', []]);
  });

  it('is perhaps meant when the page is hidden, which the backend is told where it wants it', async () => {
    const said: string[] = [];
    const page = await openPage({ sayPerhapsLeaving: (session) => said.push(session) });
    const without = await openPage();

    await page.happens('hidden');
    await without.happens('hidden');
    await page.reconnector.leave();
    await page.happens('hidden');

    expect(said).toEqual(['session-1']);
    expect(without.reconnector.state.name).toBe('connected');
  });
});

describe('perhaps leaving', () => {
  it('names the connection that goes away, as its request did', async () => {
    const said: string[] = [];
    const { lose, happens, tokens } = await openPage({
      sayPerhapsLeaving: (_session, clientToken) => said.push(clientToken),
      environment: { random: Math.random },
    });

    await happens('hidden');
    await lose();
    await happens('hidden');

    // The API knows no token of the session's first connection, so this one only has to be another one.
    expect(said[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(said).toEqual([expect.not.stringMatching(tokens[0] ?? ''), tokens[0]]);
  });

  it.each<[string, () => void]>([
    [
      'throws',
      () => {
        throw new TypeError('Blocked');
      },
    ],
    ['is not there', () => {}],
  ])('does not disturb a page whose beacon %s', async (_what, sayPerhapsLeaving) => {
    const { happens, reconnector, reported } = await openPage({ sayPerhapsLeaving });

    await happens('hidden');

    expect([reconnector.state.name, reported]).toEqual(['connected', []]);
  });

  it.each(['over', 'takenOver', 'left'] as const)('is not said of a session that is %s', async (end) => {
    const said: string[] = [];
    const code = end === 'over' ? 'SESSION_ENDED' : 'SOMEBODY_CONNECTED';
    const { lose, happens, reconnector } = await openPage({
      replies: [refusal(409, code)],
      sayPerhapsLeaving: (session) => said.push(session),
    });
    if (end === 'left') await reconnector.leave();
    else await lose();

    await happens('hidden');

    expect([reconnector.state.name, said]).toEqual([end, []]);
  });
});

describe('fetchBackend()', () => {
  it('asks, ends and says "perhaps leaving" at one route, and the last two outlive the page', async () => {
    const sent: unknown[] = [];
    const send = async (url: string | URL | Request, init: RequestInit = {}) => {
      sent.push([url, init.method, init.keepalive ?? false, init.headers, JSON.parse(String(init.body))]);
      throw new TypeError('Failed to fetch');
    };
    vi.stubGlobal('fetch', send);
    onTestFinished(() => void vi.unstubAllGlobals());
    const backend = fetchBackend((id) => `/api/${id}`, { headers: { authorization: 'Bearer 1' } });
    const { signal } = new AbortController();

    const asked = backend.ask({ session: 's', signalRequest: 'offer', clientToken: 'token', signal });
    const ended = backend.endSession('s');
    backend.sayPerhapsLeaving('s', 'token');

    await expect(asked).rejects.toThrow(TypeError);
    await expect(ended).rejects.toThrow(TypeError);
    const headers = { 'content-type': 'application/json', authorization: 'Bearer 1' };
    expect(sent).toEqual([
      ['/api/s', 'POST', false, headers, { SignalRequest: 'offer', ClientToken: 'token' }],
      ['/api/s', 'POST', true, headers, { End: true }],
      ['/api/s', 'POST', true, headers, { Leaving: true, ClientToken: 'token' }],
    ]);
  });
});

describe('a reload', () => {
  it('comes back by itself, with the session that the page before has kept', async () => {
    const before = await openPage();
    before.reconnector.stop();
    const storage = { getItem: (key: string) => before.kept.get(key) ?? null, setItem() {}, removeItem() {} };

    const session = keptSession({ storage });
    const after = await openPage({ session: session ?? '', client: undefined });

    expect(session).toBe('session-1');
    expect(after.names()).toEqual(['answering', 'back']);
  });

  it.each([
    ['over', [refusal(409, 'SESSION_ENDED')], 0],
    ['takenOver', [refusal(409, 'SOMEBODY_CONNECTED')], 0],
    ['failed', [reply(403)], 1],
  ] as const)('after %s finds %#', async (_state, replies, count) => {
    const { lose, kept } = await openPage({ replies });

    await lose();

    expect(kept.size).toBe(count);
  });

  it('does without storage where the browser forbids it', async () => {
    const forbidden = () => {
      throw new DOMException('The operation is insecure.', 'SecurityError');
    };
    const storage = { getItem: forbidden, setItem: forbidden, removeItem: forbidden };
    const { lose, names, reconnector } = await openPage({ environment: { storage } });

    await lose();
    await reconnector.leave();

    expect(keptSession({ storage })).toBeUndefined();
    expect(names()).toEqual(['connected', 'away', 'answering', 'back', 'left']);
  });
});

describe('a page from the back/forward cache', () => {
  it('makes a new connection, because the old one did not survive', async () => {
    const { happens, clients, names } = await openPage();

    await happens('restored');

    expect(clients).toHaveLength(1);
    expect(names()).toEqual(['connected', 'away', 'answering', 'back']);
  });

  it('asks nothing when its session is over', async () => {
    const { happens, reconnector, asked } = await openPage();
    await reconnector.leave();

    await happens('restored');

    expect(asked).toEqual([]);
  });
});

describe('two tabs of one browser', () => {
  async function openTabs() {
    const clock = new VirtualClock();
    const locks = fakeLocks();
    const first = await openPage({ clock, environment: { locks } });
    const second = await openPage({ clock, client: undefined, environment: { locks } });
    await clock.advance(2 * SECOND);
    return { clock, first, second };
  }

  it('have one player: the second waits for its turn', async () => {
    const { first, second } = await openTabs();

    expect(first.reconnector.state).toEqual({ name: 'connected' });
    expect(second.reconnector.state).toEqual({ name: 'takenOver', by: 'anotherTab' });
    expect(second.asked).toEqual([]);
  });

  it('change places when the player wants the second, and the first knows it', async () => {
    const { clock, first, second } = await openTabs();

    second.reconnector.comeBack();
    await clock.advance(SECOND);

    expect(second.reconnector.state).toEqual({ name: 'back' });
    expect(first.reconnector.state).toEqual({ name: 'takenOver', by: 'anotherTab' });
    expect(first.first.isClosed).toBe(true);
  });

  it.each(['leave', 'stop'] as const)('leave the session to the other after %s()', async (end) => {
    const { clock, first } = await openTabs();
    const locks = fakeLocks();
    const holder = await openPage({ clock, environment: { locks } });

    await holder.reconnector[end]();
    const next = await openPage({ clock, client: undefined, environment: { locks } });

    expect(first.names()).toEqual(['connected']);
    expect(next.reconnector.state).toEqual({ name: 'back' });
  });

  it('may both try where the browser forbids locks: the API decides', async () => {
    const locks = { request: () => Promise.reject(new DOMException('Insecure', 'SecurityError')) };

    const page = await openPage({ client: undefined, environment: { locks } });

    expect(page.reconnector.state).toEqual({ name: 'back' });
  });
});

describe('a reconnector', () => {
  it('that is stopped closes its stream, listens no more and keeps the session', async () => {
    const { reconnector, first, kept, listenerCount, names, clock } = await openPage();

    reconnector.stop();
    await clock.advance(60 * SECOND);

    expect([first.isClosed, listenerCount(), kept.size]).toEqual([true, 0, 1]);
    expect(names()).toEqual(['connected']);
  });

  it('that is stopped while its connection is suspect does not come back', async () => {
    const { reconnector, clock, first, asked, clients } = await openPage();
    first.state('disconnected');

    reconnector.stop();
    await clock.advance(10 * SECOND);

    expect([clients, asked]).toEqual([[], []]);
  });

  it('goes on when a listener of the game throws, and reports it', async () => {
    const { reconnector, lose, reported } = await openPage();
    const error = new Error('A defect of the game');
    reconnector.on('away', () => {
      throw error;
    });

    await lose();

    expect(reconnector.state).toEqual({ name: 'back' });
    expect(reported).toEqual([error]);
  });

  it.each(['waiting', 'away', 'answering'] as const)(
    'may be left by a listener of %s, and then keeps no timer',
    async (name) => {
      const timers = new Set<object>();
      const clock = new VirtualClock();
      const setTimer = (delayMs: number, act: () => void) => {
        const timer = {};
        timers.add(timer);
        const cancel = clock.setTimer(delayMs, () => {
          timers.delete(timer);
          act();
        });
        return () => {
          timers.delete(timer);
          cancel();
        };
      };
      const { reconnector, lose, asked } = await openPage({
        clock,
        replies: [refusal(429, 'TURN_LATER', '60')],
        environment: { setTimer },
      });
      reconnector.on(name, () => void reconnector.leave());

      await lose();
      const askedBefore = asked.length;
      await clock.advance(name === 'answering' ? 66 * SECOND : 0);

      expect(reconnector.state).toEqual({ name: 'left' });
      expect([timers.size, askedBefore]).toEqual([0, name === 'away' ? 0 : 1]);
    },
  );

  it('calls a listener no more after it has been taken off', async () => {
    const { reconnector, lose } = await openPage();
    const seen: string[] = [];
    const stop = reconnector.on('away', ({ name }) => seen.push(name));

    await lose();
    stop();
    await lose();

    expect(seen).toEqual(['away']);
  });

  it.each<[string, number]>([
    ['back', -600],
    ['forward', 600],
  ])('is not stopped by a clock that jumps 10 minutes %s', async (_where, seconds) => {
    let offsetMs = 0;
    const clock = new VirtualClock();
    const { lose, names } = await openPage({
      clock,
      replies: [reply(503), reply(503), answer()],
      environment: { now: () => clock.nowMs() + offsetMs },
    });
    await lose();

    offsetMs = seconds * SECOND;
    await clock.advance(10 * SECOND);

    expect(names().at(-1)).toBe('back');
  });
});
