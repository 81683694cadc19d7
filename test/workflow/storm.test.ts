import { anOffer } from 'game-lift-streams-local';
import { describe, expect, it } from 'vitest';
import { startWorkflow } from '../helpers/workflow.ts';

const CREATE = 'CreateStreamSessionConnection';

type Workflow = Awaited<ReturnType<typeof startWorkflow>>;
type Session = Awaited<ReturnType<Workflow['session']>>;

/** Sessions that have dropped, and their windows with them. */
async function dropped(workflow: Workflow, count: number, connectionTimeoutSeconds: number) {
  const sessions: Session[] = [];
  for (let dropped = 0; dropped < count; dropped++) {
    const session = await workflow.session({ connectionTimeoutSeconds });
    await workflow.control.clientDrops(session.streamSessionId);
    await workflow.report(session);
    sessions.push(session);
  }
  return sessions;
}

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly retryAfterSeconds: number;
  readonly message: string;
  readonly atMs: number;
}

/** The API over HTTP: the SDK would not show the header. */
function requesterOf({ connect, clock }: Workflow) {
  const post = async (session: Session, offer: string, clientToken?: string): Promise<Answer> => {
    const response = await connect(session, {
      SignalRequest: offer,
      ...(clientToken === undefined ? {} : { ClientToken: clientToken }),
    });
    return {
      status: response.status,
      type: response.headers.get('x-amzn-errortype'),
      retryAfterSeconds: Number(response.headers.get('retry-after')),
      message: await response.text(),
      atMs: clock.nowMs(),
    };
  };
  return {
    post,
    inTime: clock.until.bind(clock),
    /** A player who comes back when told to, with the same request, until there is an answer. */
    async persist(session: Session): Promise<Answer> {
      const offer = anOffer();
      for (;;) {
        const answer = await post(session, offer);
        if (answer.status !== 429) return answer;
        await new Promise<void>((resolve) => {
          clock.setTimer(answer.retryAfterSeconds * 1000, resolve);
        });
      }
    },
  };
}

describe('a storm', () => {
  it('of 90 players saves all of them, each with one call, and none is refused', async () => {
    const workflow = await startWorkflow();
    const { inTime, persist } = requesterOf(workflow);
    const sessions = await dropped(workflow, 90, 60);

    const answers = await inTime(Promise.all(sessions.map(persist)));

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(90);
    const counters = (await workflow.control.counters())[CREATE];
    expect(counters).toMatchObject({ accepted: 90 });
    expect(counters).toMatchObject({ calls: 90 });
  }, 60_000);

  it('sends those whose turn is far away, each with the second to be back', async () => {
    const workflow = await startWorkflow();
    const { inTime, post } = requesterOf(workflow);
    const sessions = await dropped(workflow, 120, 60);

    const answers = await inTime(Promise.all(sessions.map((session) => post(session, anOffer()))));

    const away = answers.filter(({ status }) => status === 429);
    expect(away.length).toBeGreaterThan(20);
    expect(new Set(away.map(({ type }) => type))).toEqual(new Set(['ThrottlingException']));
    for (const { retryAfterSeconds } of away) {
      expect(retryAfterSeconds).toBeGreaterThanOrEqual(1);
      expect(retryAfterSeconds).toBeLessThanOrEqual(10);
    }
  }, 60_000);

  it('calls for those with ten seconds before those with two minutes, though they ask later', async () => {
    const workflow = await startWorkflow();
    const { inTime, persist } = requesterOf(workflow);
    const loose = await dropped(workflow, 60, 120);
    const tight = await dropped(workflow, 40, 10);

    const [looseAnswers, tightAnswers] = await inTime(
      Promise.all([Promise.all(loose.map(persist)), Promise.all(tight.map(persist))]),
    );

    expect([...looseAnswers, ...tightAnswers].filter(({ status }) => status !== 200)).toEqual([]);
    const lastTightMs = Math.max(...tightAnswers.map(({ atMs }) => atMs));
    // Twenty may have gone out at once, and what was booked by then is not taken back.
    expect(looseAnswers.filter(({ atMs }) => atMs < lastTightMs).length).toBeLessThanOrEqual(30);
  }, 60_000);
});

describe('more disconnects than StartExecution takes', () => {
  it('each open their window as the quota allows, and none is lost or waits in Lambda', async () => {
    const workflow = await startWorkflow({ startQuotas: { standard: { bucket: 20, perSecond: 4 } } });
    const sessions = await dropped(workflow, 60, 300);

    // (60 - 20) / 4 s and a tenth.
    await workflow.clock.advance(11_000);

    const started = await workflow.executions();
    expect(started).toHaveLength(60);
    expect(new Set(started.map(({ name }) => name)).size).toBe(sessions.length);
    expect(await workflow.messages('FailedStatusChanges')).toEqual([]);
    expect(await workflow.messages('StatusChanges')).toEqual([]);
  }, 60_000);
});

describe('two tabs of one session', () => {
  it('take one place: the later offer wins, and the earlier caller is told', async () => {
    const workflow = await startWorkflow();
    const { inTime, post } = requesterOf(workflow);
    const others = await dropped(workflow, 60, 60);
    const sessions = await dropped(workflow, 1, 60);
    const [session] = sessions;
    if (session === undefined) throw new Error('One session has dropped.');
    const storm = others.map((other) => post(other, anOffer()));
    await workflow.clock.advance(500);

    const first = post(session, anOffer());
    await workflow.clock.advance(300);
    const second = post(session, anOffer());
    const [firstAnswer, secondAnswer] = await inTime(Promise.all([first, second]));
    await inTime(Promise.all(storm));

    expect(firstAnswer).toMatchObject({ status: 409, type: 'ConflictException' });
    expect(firstAnswer.message).toContain('newer offer');
    expect(secondAnswer.status).toBe(200);
    expect((await workflow.control.session(session.streamSessionId)).connections).toHaveLength(1);
  }, 60_000);

  it('are two callers of one request when they bring the same ClientToken and offer', async () => {
    const workflow = await startWorkflow();
    const { inTime, post } = requesterOf(workflow);
    const [session] = await dropped(workflow, 1, 60);
    if (session === undefined) throw new Error('One session has dropped.');
    const offer = anOffer();
    const clientToken = 'the-same-request'.padEnd(40, '0');

    const answers = await inTime(
      Promise.all([post(session, offer, clientToken), post(session, offer, clientToken)]),
    );

    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers[0]?.message).toBe(answers[1]?.message);
    expect((await workflow.control.session(session.streamSessionId)).connections).toHaveLength(1);
  });
});

describe('windows that all look at once', () => {
  it('stay within the read quota, and leave room for a read that somebody waits for', async () => {
    const workflow = await startWorkflow();
    const sessions = await dropped(workflow, 60, 5);

    await workflow.clock.advance(20_000);

    const reads = (await workflow.control.counters()).GetStreamSession;
    expect(reads).toMatchObject({ throttled: 0 });
    for (const session of sessions) expect(await workflow.outcomes(session)).toHaveLength(1);
  }, 60_000);
});
