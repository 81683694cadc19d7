import { anOffer } from 'game-lift-streams-local';
import { describe, expect, it } from 'vitest';
import { MemoryItems } from '../../local/dynamodb/memory-items.ts';
import { startWorkflow } from '../helpers/workflow.ts';

const SECOND = 1000;
const CREATE = 'CreateStreamSessionConnection';
/** Players of a storm. */
const PLAYERS = 100;
const TOKEN = 'the-same-request'.padEnd(40, '0');

/** A session whose client is lost, and whose service takes so long to notice. */
async function lost(lossNoticeMs: number, { connectionTimeoutSeconds = 60 } = {}) {
  const workflow = await startWorkflow();
  const session = await workflow.session({ connectionTimeoutSeconds });
  await workflow.control.changeSettings({ lossNoticeMs });
  await workflow.control.clientDrops(session.streamSessionId);
  return { ...workflow, ...asking(workflow, session), session, streamSessionId: session.streamSessionId };
}

type Workflow = Awaited<ReturnType<typeof startWorkflow>>;

/** A backend that sends one request, and the same again for as long as it is told when. */
function asking({ connect, inTime, clock }: Workflow, session: Awaited<ReturnType<Workflow['session']>>) {
  const ask = async (body: object) => {
    const askedAtMs = clock.nowMs();
    const response = await inTime(() => connect(session, body));
    await response.text();
    return {
      status: response.status,
      code: response.headers.get('x-reconnection-code'),
      retryAfterSeconds: Number(response.headers.get('retry-after')),
      tookMs: clock.nowMs() - askedAtMs,
    };
  };
  const askUntilTold = async (body: object) => {
    const replies = [await ask(body)];
    for (let last = replies[0]; (last?.retryAfterSeconds ?? 0) > 0; last = replies.at(-1)) {
      await clock.advance((last?.retryAfterSeconds ?? 0) * SECOND);
      replies.push(await ask(body));
    }
    return replies;
  };
  /** Beside others, while time moves on for all of them. */
  const persist = async (body: object): Promise<{ readonly status: number }> => {
    for (;;) {
      const response = await connect(session, body);
      await response.text();
      const retryAfterMs = Number(response.headers.get('retry-after')) * SECOND;
      if (retryAfterMs === 0) return { status: response.status };
      await new Promise<void>((resolve) => {
        clock.setTimer(retryAfterMs, resolve);
      });
    }
  };
  return { ask, askUntilTold, persist };
}

const request = () => ({ SignalRequest: anOffer(), ClientToken: TOKEN });

describe('a player who asks before the service has noticed the loss', () => {
  it.each([500, 4 * SECOND, 8 * SECOND])('is answered within the request: %i ms', async (noticeMs) => {
    const { ask, control, clock } = await lost(noticeMs + SECOND);
    await clock.advance(SECOND);

    const reply = await ask(request());

    expect(reply.status).toBe(200);
    expect((await control.counters())[CREATE]).toMatchObject({ calls: 2, accepted: 1 });
  });

  it.each([
    [15 * SECOND, 2],
    [40 * SECOND, 4],
  ])('is answered when it comes back as told: %i ms', async (noticeMs, requests) => {
    const { askUntilTold, control } = await lost(noticeMs, { connectionTimeoutSeconds: 120 });

    const replies = await askUntilTold(request());

    expect(replies.at(-1)?.status).toBe(200);
    expect(replies.length).toBeLessThanOrEqual(requests);
    for (const reply of replies.slice(0, -1)) {
      expect(reply).toMatchObject({ status: 409, code: 'LOSS_NOT_NOTICED', retryAfterSeconds: 1 });
    }
    // One early refusal, and the call that is answered.
    expect((await control.counters())[CREATE]).toMatchObject({ calls: 2, accepted: 1 });
  });

  it('is held no longer than leaves ten seconds for a slow answer', async () => {
    const { ask, control } = await lost(9500);
    await control.changeSettings({ connectionMs: 9 * SECOND });

    const reply = await ask(request());

    expect(reply.status).toBe(200);
    expect(reply.tookMs).toBeGreaterThan(18 * SECOND);
    expect(reply.tookMs).toBeLessThan(21 * SECOND);
  });

  it('has its window, and one outcome, whichever comes first', async () => {
    const { ask, report, session, control, streamSessionId, clock, outcomes } = await lost(5 * SECOND);
    await report(session);

    const reply = await ask(request());
    await control.clientConnects(streamSessionId);
    await clock.advance(120 * SECOND);

    expect(reply.status).toBe(200);
    expect(await outcomes(session)).toEqual([expect.objectContaining({ outcome: 'RECONNECTED' })]);
  });

  it('is told at once to come back when no read is to spare', async () => {
    const { ask, control, inTime, connect } = await lost(30 * SECOND);
    const others = await control.startSessions({ count: 80 });
    await control.changeSettings({ lossNoticeMs: 30 * SECOND });
    await control.clientDrops(others.map(({ streamSessionId }) => streamSessionId));

    const replies = await inTime(() =>
      Promise.all(
        others.map(async (other) => {
          const response = await connect(other, { SignalRequest: anOffer() });
          return [response.headers.get('x-reconnection-code'), Number(response.headers.get('retry-after'))];
        }),
      ),
    );

    const notNoticed = replies.filter(([code]) => code === 'LOSS_NOT_NOTICED');
    expect(notNoticed.some(([, seconds]) => Number(seconds) > 1)).toBe(true);
    expect((await control.counters()).GetStreamSession).toMatchObject({ throttled: 0 });
    expect((await ask(request())).status).toBe(409);
  });
});

describe('a storm whose players all ask before the service has noticed', () => {
  it('is over when the quota allows, because those refused early call without a read', async () => {
    const workflow = await startWorkflow({ watching: true, items: () => new MemoryItems() });
    const sessions = await workflow.control.startSessions({ count: PLAYERS });
    // A session that has just connected looks as if it had moved since the report.
    await workflow.clock.advance(10 * SECOND);
    await workflow.control.changeSettings({ lossNoticeMs: 5 * SECOND });
    await workflow.control.clientDrops(sessions.map(({ streamSessionId }) => streamSessionId));
    for (const session of sessions) await workflow.report(session);
    await workflow.clock.advance(500);
    const startMs = workflow.clock.nowMs();

    const answered = await workflow.inTime(() =>
      Promise.all(
        sessions.map(async (session) => {
          const { status } = await asking(workflow, session).persist({ SignalRequest: anOffer() });
          return { status, atMs: workflow.clock.nowMs() - startMs };
        }),
      ),
    );

    expect(answered.filter(({ status }) => status !== 200)).toEqual([]);
    // A hundred early calls and a hundred answers are 9 s of the quota. With a spare read for each it is over after 34 s.
    expect(Math.max(...answered.map(({ atMs }) => atMs))).toBeLessThan(13 * SECOND);
    expect((await workflow.control.counters())[CREATE]).toMatchObject({
      calls: 2 * PLAYERS,
      accepted: PLAYERS,
      throttled: 0,
    });
  }, 120_000);
});

describe('a second tab while a player is really connected', () => {
  it('is asked to come back for a minute, and then told that somebody is connected', async () => {
    const workflow = await startWorkflow();
    const session = await workflow.session();
    const { askUntilTold } = asking(workflow, session);
    const startMs = workflow.clock.nowMs();

    const replies = await askUntilTold(request());

    expect(replies.at(-1)).toMatchObject({ status: 409, code: 'SOMEBODY_CONNECTED', retryAfterSeconds: 0 });
    expect(workflow.clock.nowMs() - startMs).toBeGreaterThanOrEqual(60 * SECOND);
    expect(workflow.clock.nowMs() - startMs).toBeLessThan(75 * SECOND);
    expect((await workflow.control.counters())[CREATE]).toMatchObject({ calls: 1 });
    const { status } = await workflow.control.session(session.streamSessionId);
    expect(status).toBe('CONNECTED');
  });
});
