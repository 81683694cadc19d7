import { seededRandom, systemClock } from 'local-server-kit';
import { describe, expect, it } from 'vitest';
import { anOffer } from '../src/index.ts';
import { ACTIVATION_MS, failureOf, idIn, STREAM_GROUP_ID, start } from './harness.ts';

const refusedWith = (httpStatus: number) => ({ name: 'ControlCallError', httpStatus });

describe('the control API', () => {
  it('starts sessions in the status that is asked for, through all that come before', async () => {
    // Prepare
    const gls = await start();

    // Act
    const [first, second] = await gls.control.startSessions({
      count: 2,
      status: 'PENDING_CLIENT_RECONNECTION',
      connectionTimeoutSeconds: 7,
      sessionLengthSeconds: 99,
      userId: 'player-1',
    });

    // Assess
    const atMs = gls.clock.nowMs();
    expect(first).toMatchObject({
      streamGroupId: STREAM_GROUP_ID,
      status: 'PENDING_CLIENT_RECONNECTION',
      connectionTimeoutSeconds: 7,
      sessionLengthSeconds: 99,
      userId: 'player-1',
      nextChange: { atMs: atMs + 7_000, status: 'TERMINATED' },
      history: [
        { status: 'ACTIVATING', atMs },
        { status: 'ACTIVE', atMs },
        { status: 'CONNECTED', atMs },
        { status: 'PENDING_CLIENT_RECONNECTION', atMs },
      ],
    });
    expect(second?.streamSessionId).not.toBe(first?.streamSessionId);
    expect((await gls.get(second?.streamSessionId ?? '')).SignalResponse).toBeDefined();
  });

  it('records reasons, and never an offer or an answer', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession({ status: 'PENDING_CLIENT_RECONNECTION' });
    await gls.connect(id, anOffer());
    await gls.clock.advance(120_000);

    // Act
    const record = await gls.control.session(id);

    // Assess
    expect(record).toMatchObject({ status: 'TERMINATED', statusReason: 'connectionTimeout' });
    expect(record.history.at(-1)).toMatchObject({ status: 'TERMINATED', reason: 'connectionTimeout' });
    expect(record.nextChange).toBeUndefined();
    expect(JSON.stringify(record)).not.toMatch(/v=0|ice-/);
  });

  it('lets something happen to all the sessions or to none', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: connected } = await gls.control.startSession();
    const { streamSessionId: active } = await gls.control.startSession({ status: 'ACTIVE' });

    // Act
    const mixed = gls.control.clientDrops([connected, active]);
    const unknown = gls.control.clientDrops([connected, 'unknown']);

    // Assess
    await expect(mixed).rejects.toMatchObject(refusedWith(409));
    await expect(unknown).rejects.toMatchObject(refusedWith(404));
    expect((await gls.control.session(connected)).status).toBe('CONNECTED');
    const [dropped] = await gls.control.clientDrops([connected, connected]);
    expect(dropped?.status).toBe('PENDING_CLIENT_RECONNECTION');
  });

  it.each([
    ['clientConnects', 'CONNECTED'],
    ['clientDrops', 'ACTIVE'],
    ['clientInput', 'ACTIVE'],
  ] as const)('refuses %s in %s', async (happening, status) => {
    // Prepare
    const gls = await start();
    const { streamSessionId } = await gls.control.startSession({ status });

    // Act
    const refused = gls.control[happening](streamSessionId);

    // Assess
    await expect(refused).rejects.toMatchObject(refusedWith(409));
  });

  it('refuses to let an ended session fail', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId } = await gls.control.startSession();
    await gls.control.applicationExits(streamSessionId);

    // Act
    const refused = gls.control.sessionFails(streamSessionId);

    // Assess
    await expect(refused).rejects.toMatchObject(refusedWith(409));
  });

  it('filters sessions by stream group and status', async () => {
    // Prepare
    const gls = await start({ streamGroupIds: [STREAM_GROUP_ID, 'sg-other'] });
    await gls.control.startSession();
    const other = await gls.control.startSession({ streamGroupId: 'sg-other' });
    const active = await gls.control.startSession({ streamGroupId: 'sg-other', status: 'ACTIVE' });

    // Act
    const ofGroup = await gls.control.sessions({ streamGroupId: 'sg-other' });
    const ofBoth = await gls.control.sessions({ streamGroupId: 'sg-other', status: 'ACTIVE' });

    // Assess
    expect(ofGroup).toEqual([other, active]);
    expect(ofBoth).toEqual([active]);
  });

  it('answers what it does not know', async () => {
    // Prepare
    const gls = await start();
    const post = (path: string, body: string, contentType = 'application/json') =>
      fetch(`${gls.server.url}/_control/${path}`, {
        method: 'POST',
        body,
        headers: { 'content-type': contentType },
      });

    // Act
    const replies = await Promise.all([
      post('nothing', '{}'),
      post('faults', '{"operation":"GetStreamSession","kind":"sabotage"}'),
      post('faults', '{'),
      post('stream-sessions', '{"colour":"red"}'),
      post('stream-sessions', '{"streamGroupId":"sg-unknown"}'),
      // What a web page can send to any port without asking.
      post('reset', '{}', 'text/plain'),
    ]);

    // Assess
    expect(replies.map(({ status }) => status)).toEqual([404, 400, 400, 400, 404, 415]);
    await expect(gls.control.session('unknown')).rejects.toMatchObject(refusedWith(404));
  });

  it('changes how long things take', async () => {
    // Prepare
    const gls = await start();

    // Act
    const settings = await gls.control.changeSettings({ activationMs: 10, connectionMs: 0 });
    const { Arn } = await gls.startSession();
    await gls.clock.advance(10);
    const { SignalResponse } = await gls.beginConnection(idIn(Arn));

    // Assess
    expect(settings).toEqual({
      wrongStatusConnectionHttpStatus: 409,
      wrongStatusAdminShellHttpStatus: 400,
      connectionMs: 0,
      activationMs: 10,
      terminationMs: 1000,
      lossNoticeMs: 0,
      overstayMs: 0,
      groupActivationMs: 60_000,
      groupDeletionMs: 60_000,
      onlyTagged: null,
      repeatedClientToken: 'firstAnswer',
      timestampUnit: 'millisecond',
      listedLaterMs: 0,
      statusReason: { kind: 'documented' },
    });
    expect(await gls.control.settings()).toEqual(settings);
    expect(SignalResponse).toBeDefined();
  });

  it('counts how the calls of each operation end', async () => {
    // Prepare
    const gls = await start({ quotas: { GetStreamSession: 2 } });
    const { streamSessionId: id } = await gls.control.startSession();
    await gls.control.injectFault({ operation: 'TerminateStreamSession', kind: 'internalServer' });

    // Act
    await gls.get(id);
    await failureOf(gls.get('unknown'));
    await failureOf(gls.get(id));
    await failureOf(gls.terminate(id));

    // Assess
    const counters = await gls.control.counters();
    const none = { accepted: 0, replayed: 0, lost: 0, throttled: 0, rejected: 0, failed: 0 };
    expect(counters.GetStreamSession).toEqual({ ...none, calls: 3, accepted: 1, rejected: 1, throttled: 1 });
    expect(counters.TerminateStreamSession).toEqual({ ...none, calls: 1, failed: 1 });
    expect(counters.ListStreamSessions).toEqual({ ...none, calls: 0 });
  });

  it('resets everything', async () => {
    // Prepare
    const gls = await start({ quotas: { GetStreamSession: 1 } });
    await gls.control.createStreamGroup({ streamGroupId: 'sg-new' });
    const { streamSessionId: id } = await gls.control.startSession();
    await gls.control.injectFault({ operation: 'GetStreamSession', kind: 'conflict', calls: 9 });
    await gls.control.changeSettings({ connectionMs: 9 });
    await gls.control.adminShellsNotReady({ notReadySeconds: 9 });
    await failureOf(gls.get(id));

    // Act
    await gls.control.reset();

    // Assess
    expect(await gls.control.sessions()).toEqual([]);
    expect(await gls.control.faults()).toEqual([]);
    expect((await gls.control.counters()).GetStreamSession.calls).toBe(0);
    expect((await gls.control.settings()).connectionMs).toBe(50);
    await expect(gls.control.startSession({ streamGroupId: 'sg-new' })).rejects.toMatchObject(
      refusedWith(404),
    );
    const { streamSessionId: newId } = await gls.control.startSession();
    expect((await gls.get(newId)).Status).toBe('CONNECTED');
    expect((await gls.adminShell(newId)).TokenValue).toBeDefined();
  });
});

describe('the stand-in', () => {
  it('repeats itself with the same randomness, and has other ids with another', async () => {
    // Prepare
    const idWith = async (seed: number) => {
      const gls = await start({ random: seededRandom(seed) });
      return (await gls.control.startSession()).streamSessionId;
    };

    // Act
    const ids = [await idWith(1), await idWith(1), await idWith(2)];

    // Assess
    expect(ids[0]).toBe(ids[1]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  it('has unique ids even when the randomness repeats itself', async () => {
    // Prepare
    const gls = await start({ random: () => 0 });

    // Act
    const sessions = await gls.control.startSessions({ count: 100 });

    // Assess
    expect(new Set(sessions.map(({ streamSessionId }) => streamSessionId)).size).toBe(100);
  });

  it('uses the Region and account that it is given', async () => {
    // Prepare
    const gls = await start({ region: 'eu-central-1', accountId: '111122223333' });

    // Act
    const { Arn, Location } = await gls.startSession();

    // Assess
    expect(Arn).toMatch(/^arn:aws:gameliftstreams:eu-central-1:111122223333:streamsession\/sg-local0001\//);
    expect(Location).toBe('eu-central-1');
  });

  it('runs by a clock that cannot sleep', async () => {
    // Prepare
    const gls = await start({ clock: systemClock, connectionMs: 30 });
    const { streamSessionId: id } = await gls.control.startSession({ status: 'PENDING_CLIENT_RECONNECTION' });

    // Act
    const { SignalResponse } = await gls.beginConnection(id);

    // Assess
    const { connections, history } = await gls.control.session(id);
    expect(SignalResponse).toBeDefined();
    expect(connections).toMatchObject([{ outcome: 'answered' }]);
    expect((history.at(-1)?.atMs ?? 0) - (connections[0]?.acceptedAtMs ?? 0)).toBe(30);
  });

  it('sets no timers for sessions: they wait for nobody to look', async () => {
    // Prepare
    const timers: number[] = [];
    const clock = {
      nowMs: () => 0,
      setTimer: (delayMs: number) => {
        timers.push(delayMs);
        return () => undefined;
      },
    };
    const gls = await start({ clock });

    // Act
    await gls.startSession();
    await gls.control.startSessions({ count: 10, status: 'PENDING_CLIENT_RECONNECTION' });
    await gls.list();

    // Assess
    expect(timers).toEqual([]);
  });

  it('closes at once while a call waits', async () => {
    // Prepare
    const gls = await start({ clock: systemClock, connectionMs: 60_000 });
    const { streamSessionId: id } = await gls.control.startSession({ status: 'PENDING_CLIENT_RECONNECTION' });
    const call = gls.beginConnection(id);
    const cut = expect(call).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect.poll(async () => (await gls.control.session(id)).status).toBe('RECONNECTING');

    // Act
    await gls.server.close();

    // Assess
    await cut;
  });

  it('tells a session of what it is to become, at the time at which it does', async () => {
    // Prepare
    const gls = await start();
    const { Arn } = await gls.startSession();
    const startedAtMs = gls.clock.nowMs();

    // Act
    await gls.clock.advance(ACTIVATION_MS + 120_000 + 5_000);

    // Assess: nobody looked in between, and yet each change has its own time.
    const { history } = await gls.control.session(idIn(Arn));
    expect(history.map(({ status, atMs }) => [status, atMs - startedAtMs])).toEqual([
      ['ACTIVATING', 0],
      ['ACTIVE', ACTIVATION_MS],
      ['TERMINATED', ACTIVATION_MS + 120_000],
    ]);
  });
});
