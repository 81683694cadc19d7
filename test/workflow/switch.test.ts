import { anOffer } from 'game-lift-streams-local';
import { describe, expect, it } from 'vitest';
import { SWITCH_CACHE_MS, type SwitchState, writeSwitchItem } from '../../functions/shared/runtime/switch.ts';
import { secretsIn } from '../helpers/secrets.ts';
import { startWorkflow, type WorkflowOptions } from '../helpers/workflow.ts';

const SECOND = 1000;
const CREATE = 'CreateStreamSessionConnection';

async function started(options: WorkflowOptions = {}) {
  const workflow = await startWorkflow(options);
  const { clock, control, table } = workflow;
  const session = await workflow.session({ connectionTimeoutSeconds: 60 });
  const { streamSessionId } = session;
  return {
    ...workflow,
    live: session,
    streamSessionId,
    drop: () => control.clientDrops(streamSessionId),
    /** As an operator switches; every function has heard of it. */
    switchTo: async (state: SwitchState) => {
      await writeSwitchItem(table, { state });
      await clock.advance(SWITCH_CACHE_MS);
    },
    callsOf: async (operation: keyof Awaited<ReturnType<typeof control.counters>>) =>
      (await control.counters())[operation].calls,
  };
}

describe('the service that is passed through', () => {
  it('hands a reconnection on, and its window sees by itself that the player is back', async () => {
    const { switchTo, drop, report, reconnect, live, control, clock, window, ...run } = await started();
    await switchTo('passThrough');
    await drop();
    await report(live);
    const offer = anOffer();

    const answer = await reconnect(live, { offer });
    await control.clientConnects(live.streamSessionId, answer);

    expect((await window(live)).body).toMatchObject({
      phase: 'AWAITING_RECONNECTION',
      switch: 'passThrough',
    });
    expect((await control.counters())[CREATE]).toMatchObject({ calls: 1, accepted: 1 });
    await clock.advance(70 * SECOND);
    expect(await run.outcomes(live)).toMatchObject([{ outcome: 'RECONNECTED', connectionAttempts: 0 }]);
    const rested: unknown[] = [await run.items(), await run.events()];
    for (const { executionArn } of await run.executions()) rested.push(await run.history(executionArn));
    const text = JSON.stringify(rested);
    for (const secret of [offer, answer].flatMap(secretsIn)) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(JSON.stringify(secret).slice(1, -1));
    }
  });

  it('goes on watching: the watcher opens windows, and they record how it ends', async () => {
    const { switchTo, drop, live, clock, outcomes } = await started({ watching: true });
    await switchTo('passThrough');
    await drop();

    await clock.advance(140 * SECOND);

    expect(await outcomes(live)).toMatchObject([
      { outcome: 'TERMINATED', statusReason: 'reconnectionTimeout' },
    ]);
  });

  it('makes one attempt for each call', async () => {
    const { switchTo, drop, reconnect, live, control, streamSessionId, callsOf } = await started();
    await switchTo('passThrough');
    await drop();
    await control.injectFault({ kind: 'throttling', operation: CREATE, streamSessionId });

    await expect(reconnect(live)).rejects.toMatchObject({
      name: 'ThrottlingException',
      $metadata: { httpStatusCode: 429 },
    });

    expect(await callsOf(CREATE)).toBe(1);
    expect(await reconnect(live)).toContain('answer');
  });

  it('works where its own parts do not: no task of a state machine runs', async () => {
    const { switchTo, drop, reconnect, live } = await started({
      before: (functionKey) => {
        if (functionKey === 'createConnection' || functionKey === 'createAdminShell') {
          throw new Error('This deployment is broken.');
        }
      },
    });
    await drop();
    await expect(reconnect(live)).rejects.toMatchObject({ name: 'InternalServerException' });

    await switchTo('passThrough');

    expect(await reconnect(live)).toContain('answer');
  });

  it('gives an operator an admin shell, on record', async () => {
    const { switchTo, askForShell, live, auditTrail } = await started();
    await switchTo('passThrough');

    const { TokenValue } = await askForShell(live);

    expect(TokenValue).toMatch(/./);
    expect((await auditTrail()).map(({ result }) => result)).toEqual(['REQUESTED', 'GRANTED']);
  });

  it('is itself again when it is switched on', async () => {
    const { switchTo, drop, report, reconnect, live, control, clock, outcomes } = await started();
    await switchTo('passThrough');
    await switchTo('on');
    await drop();
    await report(live);
    await control.injectFault({
      kind: 'throttling',
      operation: CREATE,
      streamSessionId: live.streamSessionId,
    });

    await control.clientConnects(live.streamSessionId, await reconnect(live));
    await clock.advance(10 * SECOND);

    expect(await outcomes(live)).toMatchObject([{ outcome: 'RECONNECTED', connectionAttempts: 2 }]);
  });
});

describe('the service that refuses', () => {
  it('calls nothing, and its SDK clients see a 503', async () => {
    const { switchTo, drop, reconnect, askForShell, live, callsOf, auditTrail } = await started();
    await drop();
    await switchTo('refuse');

    for (const call of [() => reconnect(live), () => askForShell(live)]) {
      await expect(call()).rejects.toMatchObject({
        name: 'ServiceUnavailableException',
        $metadata: { httpStatusCode: 503 },
        $response: { headers: { 'retry-after': '10' } },
      });
    }

    expect(await callsOf(CREATE)).toBe(0);
    expect(await callsOf('CreateStreamSessionAdminShell')).toBe(0);
    expect((await auditTrail()).map(({ refusal }) => refusal)).toEqual(['SWITCHED_OFF']);
  });

  it.each([
    ['refuse', 0],
    ['passThrough', 0],
    ['on', 1],
  ] as const)('has windows that do not even look whether to end a session: %s', async (state, reads) => {
    const { switchTo, live, invoke, callsOf, control, clock, streamSessionId } = await started();
    const { streamGroupId } = live;
    await switchTo(state);

    const result = await clock.track(() =>
      invoke('terminateSession', {
        streamGroupId,
        streamSessionId,
        executionName: `${streamSessionId}-1`,
        pendingSinceMs: clock.nowMs(),
        marginSeconds: 0,
      }),
    );

    expect(result).toMatchObject({ ok: true });
    expect(await callsOf('GetStreamSession')).toBe(reads);
    expect(await callsOf('TerminateStreamSession')).toBe(0);
    expect((await control.session(streamSessionId)).status).toBe('CONNECTED');
  });
});

describe('an API that checks whose session it is', () => {
  it('answers the session’s user, and nobody else', async () => {
    const workflow = await startWorkflow({ environment: { USER_ID_CHECK: 'true' } });
    const { control, connect, inTime } = workflow;
    const session = await control.startSession({ userId: 'player-1', status: 'PENDING_CLIENT_RECONNECTION' });
    const ask = (headers: Record<string, string>) =>
      inTime(() => connect(session, { SignalRequest: anOffer() }, headers));

    const replies = [
      await ask({}),
      await ask({ 'x-user-id': 'player-2' }),
      await ask({ 'X-User-Id': 'player-1' }),
    ];

    expect(replies.map(({ status, headers }) => [status, headers.get('x-amzn-errortype')])).toEqual([
      [400, 'ValidationException'],
      [403, 'AccessDeniedException'],
      [200, null],
    ]);
    expect((await control.session(session.streamSessionId)).connections).toHaveLength(1);
    expect(JSON.stringify(await workflow.items())).not.toContain('player-');
  });
});
