import { describe, expect, it } from 'vitest';
import { anOffer } from '../src/index.ts';
import { aClientToken, failureOf, type Harness, start } from './harness.ts';

const MINUTE_MS = 60_000;
const PENDING = 'PENDING_CLIENT_RECONNECTION';

const statusOf = async (gls: Harness, id: string) => (await gls.get(id)).Status;

describe('the loss of a client', () => {
  it.each([0, 40_000, 180_000])('is noticed %i ms after it happened', async (lossNoticeMs) => {
    const gls = await start({ lossNoticeMs });
    const { streamSessionId: id } = await gls.control.startSession({ connectionTimeoutSeconds: 10 });
    const lostAtMs = gls.clock.nowMs();

    await gls.control.clientDrops(id);
    await gls.clock.advance(lossNoticeMs);

    const { history } = await gls.control.session(id);
    expect(history.at(-1)).toEqual({ status: PENDING, atMs: lostAtMs + lossNoticeMs });
  });

  it('leaves the session CONNECTED until it is noticed', async () => {
    const gls = await start({ lossNoticeMs: 40_000 });
    const { streamSessionId: id } = await gls.control.startSession();

    await gls.control.clientDrops(id);
    await gls.clock.advance(39_999);

    expect(await statusOf(gls, id)).toBe('CONNECTED');
    expect((await failureOf(gls.beginConnection(id))).name).toBe('ConflictException');
  });

  it('begins the time to reconnect only when it is noticed', async () => {
    const gls = await start({ lossNoticeMs: 20_000 });
    const { streamSessionId: id } = await gls.control.startSession({ connectionTimeoutSeconds: 10 });

    await gls.control.clientDrops(id);
    await gls.clock.advance(29_999);
    const before = await statusOf(gls, id);
    await gls.clock.advance(1);

    expect(before).toBe(PENDING);
    expect(await statusOf(gls, id)).toBe('TERMINATED');
  });

  it('can be noticed at another time for one session or one loss', async () => {
    const gls = await start({ lossNoticeMs: 20_000 });
    const { streamSessionId: ofSession } = await gls.control.startSession({
      settings: { lossNoticeMs: 5_000 },
    });
    const { streamSessionId: ofLoss } = await gls.control.startSession();
    await gls.control.clientDrops(ofSession);
    await gls.control.clientDrops(ofLoss, 1_000);

    await gls.clock.advance(1_000);
    const early = [await statusOf(gls, ofSession), await statusOf(gls, ofLoss)];
    await gls.clock.advance(4_000);

    expect(early).toEqual(['CONNECTED', PENDING]);
    expect(await statusOf(gls, ofSession)).toBe(PENDING);
  });

  it('is never noticed when the client recovers or the session ends before', async () => {
    const gls = await start({ lossNoticeMs: 20_000 });
    const { streamSessionId: recovered } = await gls.control.startSession();
    const { streamSessionId: ended } = await gls.control.startSession();
    await gls.control.clientDrops([recovered, ended]);

    await gls.control.clientRecovers(recovered);
    await gls.control.applicationExits(ended);
    await gls.clock.advance(MINUTE_MS);

    expect(await statusOf(gls, recovered)).toBe('CONNECTED');
    expect(await statusOf(gls, ended)).toBe('TERMINATED');
  });

  it('happens once, and a lost client does nothing', async () => {
    const gls = await start({ lossNoticeMs: 20_000 });
    const { streamSessionId: id } = await gls.control.startSession();
    await gls.control.clientDrops(id);

    const again = gls.control.clientDrops(id);
    const input = gls.control.clientInput(id);

    await expect(again).rejects.toMatchObject({ httpStatus: 409 });
    await expect(input).rejects.toMatchObject({ httpStatus: 409 });
    await gls.control.clientRecovers(id);
    await expect(gls.control.clientRecovers(id)).rejects.toMatchObject({ httpStatus: 409 });
  });
});

describe('a session that the service ends late', () => {
  it('waits for its client until then', async () => {
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession({
      connectionTimeoutSeconds: 10,
      settings: { overstayMs: MINUTE_MS },
    });
    await gls.control.clientDrops(id);

    await gls.clock.advance(10_000 + MINUTE_MS - 1);
    const before = await statusOf(gls, id);
    await gls.clock.advance(1);

    expect(before).toBe(PENDING);
    expect(await statusOf(gls, id)).toBe('TERMINATED');
  });
});

describe('TERMINATING', () => {
  it.each([0, 10 * MINUTE_MS])('lasts for %i ms', async (terminationMs) => {
    const gls = await start({ terminationMs: 1000 });
    const { streamSessionId: id } = await gls.control.startSession({ settings: { terminationMs } });
    const endsAtMs = gls.clock.nowMs() + terminationMs;

    await gls.terminate(id);
    await gls.clock.advance(terminationMs);

    const { history } = await gls.control.session(id);
    expect(history.at(-1)).toEqual({ status: 'TERMINATED', atMs: endsAtMs, reason: 'apiTerminated' });
  });

  it('takes the settings of the session from before it began', async () => {
    const gls = await start({ terminationMs: 1000 });
    const { streamSessionId: id } = await gls.control.startSession();

    await gls.control.changeSessionSettings(id, { terminationMs: 5 * MINUTE_MS });
    await gls.terminate(id);
    await gls.control.changeSessionSettings(id, { terminationMs: 0 });
    await gls.clock.advance(5 * MINUTE_MS - 1);

    expect(await statusOf(gls, id)).toBe('TERMINATING');
  });
});

describe('a connection', () => {
  it('can take nine seconds for one session alone', async () => {
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession({
      status: PENDING,
      settings: { connectionMs: 9_000 },
    });

    const call = gls.clock.track(() => gls.beginConnection(id));
    await gls.clock.advance(8_999);
    const during = await gls.control.session(id);
    await gls.clock.advance(1);

    expect(during.status).toBe('RECONNECTING');
    expect((await call).SignalResponse).toBeDefined();
  });

  it('answers a repeated ClientToken with a 409 where the settings say so', async () => {
    const gls = await start();
    await gls.control.changeSettings({ repeatedClientToken: 'conflict' });
    const { streamSessionId: id } = await gls.control.startSession({ status: PENDING });
    const offer = anOffer();
    await gls.connect(id, offer, aClientToken());

    const failure = await failureOf(gls.connect(id, offer, aClientToken()));

    expect(failure).toMatchObject({ name: 'ConflictException', $metadata: { httpStatusCode: 409 } });
    expect((await gls.control.session(id)).connections).toHaveLength(1);
  });
});

describe('an outage of one operation', () => {
  it.each([
    ['throttling', 'ThrottlingException'],
    ['internalServer', 'InternalServerException'],
    ['unavailable', 'Unknown'],
  ] as const)('of kind %s meets every call until its time', async (kind, name) => {
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession();
    const untilMs = gls.clock.nowMs() + 8 * MINUTE_MS;
    await gls.control.injectFault({ operation: 'GetStreamSession', kind, untilMs });

    const failures: string[] = [];
    for (let minute = 0; minute < 8; minute++) {
      failures.push((await failureOf(gls.get(id))).name);
      await gls.clock.advance(MINUTE_MS);
    }

    expect(failures).toEqual(Array.from({ length: 8 }, () => name));
    expect(await statusOf(gls, id)).toBe('CONNECTED');
    expect((await gls.list()).Items).toHaveLength(1);
    expect(await gls.control.faults()).toEqual([]);
  });

  it('ends by its number of calls where that comes first', async () => {
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession();
    const untilMs = gls.clock.nowMs() + MINUTE_MS;
    await gls.control.injectFault({ operation: 'GetStreamSession', kind: 'throttling', calls: 1, untilMs });

    await failureOf(gls.get(id));

    expect(await statusOf(gls, id)).toBe('CONNECTED');
  });

  it('of kind noReply gives no reply and has no effect', async () => {
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession({ status: PENDING });
    const untilMs = gls.clock.nowMs() + MINUTE_MS;
    const operation = 'CreateStreamSessionConnection';
    await gls.control.injectFault({ operation, kind: 'noReply', untilMs });
    const caller = new AbortController();
    gls.clock.setTimer(5_000, () => caller.abort());

    const call = gls.clock.track(() =>
      gls.abortable(id, caller.signal).catch((error: unknown) => (error instanceof Error ? error.name : '')),
    );
    await gls.clock.advance(5_000);

    expect(await call).toBe('AbortError');
    expect(await gls.control.session(id)).toMatchObject({ status: PENDING, connections: [] });
    expect((await gls.control.counters())[operation]).toMatchObject({ calls: 1, lost: 1, accepted: 0 });
    await gls.clock.advance(MINUTE_MS);
    expect((await gls.connect(id)).SignalResponse).toBeDefined();
  });
});

describe('an error of a skewed clock', () => {
  it.each([
    ['invalidSignature', 'InvalidSignatureException', 403],
    ['requestExpired', 'RequestExpired', 400],
    ['requestTimeout', 'RequestTimeoutException', 408],
  ] as const)('of kind %s is what AWS names it, without effect', async (kind, name, httpStatusCode) => {
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession({ status: PENDING });
    await gls.control.injectFault({ operation: 'CreateStreamSessionConnection', kind });

    const failure = await failureOf(gls.beginConnection(id));

    expect(failure).toMatchObject({ name, $metadata: { httpStatusCode } });
    expect((await gls.connect(id)).SignalResponse).toBeDefined();
  });
});

describe('a StatusReason', () => {
  it.each(['', 'x'.repeat(1000)])('can be other text than is documented (%#)', async (text) => {
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession({
      settings: { statusReason: { kind: 'text', text } },
    });

    await gls.control.applicationExits(id);

    expect((await gls.get(id)).StatusReason).toBe(text);
    expect((await gls.list()).Items?.[0]?.StatusReason).toBe(text);
    expect((await gls.control.session(id)).statusReason).toBe('applicationExit');
  });

  it('can be missing', async () => {
    const gls = await start();
    await gls.control.changeSettings({ statusReason: { kind: 'absent' } });
    const { streamSessionId: id } = await gls.control.startSession();

    await gls.control.applicationExits(id);

    expect(await gls.get(id)).not.toHaveProperty('StatusReason');
  });
});

describe('LastUpdatedAt', () => {
  it('can be in whole seconds, rounded down', async () => {
    const gls = await start();
    await gls.control.changeSettings({ timestampUnit: 'second' });
    await gls.clock.advance(1_900);
    const { streamSessionId: id, createdAtMs } = await gls.control.startSession();

    const session = await gls.get(id);

    expect(session.LastUpdatedAt?.getTime()).toBe(createdAtMs - 900);
    expect((await gls.list()).Items?.[0]?.LastUpdatedAt).toEqual(session.LastUpdatedAt);
  });

  it('can be later in a list than in GetStreamSession, but never in the future', async () => {
    const gls = await start();
    await gls.control.changeSettings({ listedLaterMs: 3_000 });
    const { streamSessionId: id, createdAtMs } = await gls.control.startSession();
    const listed = async () => (await gls.list()).Items?.[0]?.LastUpdatedAt?.getTime();

    const atOnce = await listed();
    await gls.clock.advance(10_000);

    expect(atOnce).toBe(createdAtMs);
    expect(await listed()).toBe(createdAtMs + 3_000);
    expect((await gls.get(id)).LastUpdatedAt?.getTime()).toBe(createdAtMs);
  });
});
