import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  GameLiftStreamsClient,
  GetStreamSessionCommand,
  TerminateStreamSessionCommand,
} from '@aws-sdk/client-gameliftstreams';
import { SendTaskSuccessCommand, SFNClient } from '@aws-sdk/client-sfn';
import { beforeEach, describe, expect, it } from 'vitest';
import { endSession, noteLeavingPage } from '../../../functions/leave-session/leave-session.ts';
import {
  leavingUntilMs,
  offerIdOf,
  offersWith,
  readPlace,
  writePlace,
} from '../../../functions/shared/quota/places.ts';
import type { SwitchState } from '../../../functions/shared/runtime/switch.ts';
import { readEndMark } from '../../../functions/shared/window/end-mark.ts';
import { failNext } from '../../helpers/failing-table.ts';
import type { memoryLog } from '../../helpers/log.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { serviceDependencies } from '../../helpers/service-dependencies.ts';
import { serviceErrors } from '../../helpers/service-errors.ts';
import { newSession } from '../../helpers/sessions.ts';
import { useTable } from '../../helpers/table.ts';
import { BUS_SETTINGS, givenRunningWindow, windowOf } from '../../helpers/windows.ts';

const table = useTable();
const service = mockClient(GameLiftStreamsClient);
const machines = mockClient(SFNClient);
const bus = mockClient(EventBridgeClient);

beforeEach(() => {
  service.reset();
  machines.reset();
  bus.reset();
  bus.on(PutEventsCommand).resolves({ FailedEntryCount: 0 });
  service.on(TerminateStreamSessionCommand).resolves({});
  machines.on(SendTaskSuccessCommand).resolves({});
});

function prepare({
  switchState = 'on',
  userIdCheck = false,
}: {
  readonly switchState?: SwitchState;
  readonly userIdCheck?: boolean;
} = {}) {
  const dependencies = {
    ...serviceDependencies(table()),
    stepFunctions: new SFNClient({ region: 'us-west-2' }),
    eventBridge: new EventBridgeClient({ region: 'us-west-2' }),
    readSwitch: async () => switchState,
    settings: {
      ...BUS_SETTINGS,
      AWS_REGION: 'us-west-2',
      READS_PER_SECOND: 20,
      LISTS_PER_SECOND: 20,
      TERMINATIONS_PER_SECOND: 20,
      USER_ID_CHECK: userIdCheck,
    },
  };
  const session = newSession();
  const end = (headers: Readonly<Record<string, readonly string[]>> = {}) =>
    dependencies.clock.track(() =>
      endSession({ session, requestId: 'request-1', body: '' }, dependencies, {
        headers: new Map(Object.entries(headers)),
        caller: { name: 'backend', accessKeyId: null, sourceIp: null },
      }),
    );
  const leaving = (body: unknown, headers: Readonly<Record<string, readonly string[]>> = {}) =>
    dependencies.clock.track(() =>
      noteLeavingPage({ session, requestId: 'request-1', body: JSON.stringify(body) }, dependencies, {
        headers: new Map(Object.entries(headers)),
        caller: { name: 'backend', accessKeyId: null, sourceIp: null },
      }),
    );
  const endedBy = async () => (await readEndMark(table(), session))?.endedBy;
  return { ...dependencies, session, end, leaving, endedBy };
}

const eventsOf = ({ lines }: ReturnType<typeof memoryLog>) => lines.map(({ event }) => event);
const terminations = () => service.commandCalls(TerminateStreamSessionCommand);

describe('DELETE of a session', () => {
  it('marks the session as left before it terminates it, and replies 204', async () => {
    const { end, endedBy } = prepare();
    let markedBy: string | undefined;
    service.on(TerminateStreamSessionCommand).callsFake(async () => {
      markedBy = await endedBy();
      return {};
    });

    const reply = await end();

    expect(reply).toMatchObject({ statusCode: 204, body: '' });
    expect(markedBy).toBe('LEFT');
    expect(terminations()).toHaveLength(1);
  });

  it('makes the open window look, once however often it is repeated', async () => {
    const { end, session, clock } = prepare();
    await givenRunningWindow(table(), session, { disconnectedAtMs: clock.nowMs() });

    await end();
    await end();

    expect((await windowOf(table(), session)).seq).toBe(1);
    expect(machines.commandCalls(SendTaskSuccessCommand).length).toBeGreaterThan(0);
  });

  it('is marked by an operator who says so, and the first of two marks stays', async () => {
    const { end, endedBy, clock } = prepare();

    await end({ 'x-ended-by': ['OPERATOR'] });
    await end();
    const first = await endedBy();
    await clock.advance(61_000);
    await end();

    expect([first, await endedBy()]).toEqual(['OPERATOR', 'LEFT']);
  });

  it.each([['PLAYER'], ['LEFT', 'LEFT'], ['']])('refuses x-ended-by %s', async (...values) => {
    const { end, endedBy } = prepare();

    await expect(end({ 'x-ended-by': values })).rejects.toThrow('Send x-ended-by at most once');

    expect(await endedBy()).toBeUndefined();
    expect(terminations()).toHaveLength(0);
  });

  it.each([
    ['resourceNotFound', 404, 'ResourceNotFoundException', 'SESSION_NOT_FOUND'],
    ['validation', 400, 'ValidationException', 'PASSED_THROUGH'],
    ['throttling', 429, 'ThrottlingException', 'QUOTA_USED_UP'],
    ['internalServer', 500, 'InternalServerException', 'REQUEST_FAILED'],
    ['accessDenied', 403, 'AccessDeniedException', 'SERVICE_ACCESS_DENIED'],
  ] as const)('is refused as the service refuses it: %s', async (error, statusCode, type, code) => {
    const { end } = prepare();
    service.on(TerminateStreamSessionCommand).rejects(serviceErrors[error]());

    const reply = await end();

    expect(reply).toMatchObject({
      statusCode,
      headers: { 'x-amzn-errortype': type, 'x-reconnection-code': code },
    });
    expect(terminations()).toHaveLength(1);
  });

  it.each([
    ['throttling', true],
    ['conflict', true],
    ['accessDenied', true],
    ['internalServer', undefined],
  ] as const)('notes on its mark whether the service has refused it: %s', async (error, isRefused) => {
    const { end, session, clock } = prepare();
    service.on(TerminateStreamSessionCommand).rejectsOnce(serviceErrors[error]()).resolves({});

    await end();
    const refused = await readEndMark(table(), session);
    await clock.advance(5000);
    await end();

    expect(refused).toMatchObject({ endedBy: 'LEFT' });
    expect(refused?.isRefused).toBe(isRefused);
    expect(await readEndMark(table(), session)).not.toHaveProperty('isRefused');
  });

  it('is done although the window cannot be told', async () => {
    const { end, session, clock, log } = prepare();
    await givenRunningWindow(table(), session, { disconnectedAtMs: clock.nowMs() });
    machines.on(SendTaskSuccessCommand).rejects(new Error('away'));

    expect(await end()).toMatchObject({ statusCode: 204 });

    expect(eventsOf(log)).toContain('WindowNotTold');
  });

  it('ends nothing that it cannot mark', async () => {
    const { end } = prepare();
    failNext(table(), 'PutItemCommand', 'BEFORE');

    await expect(end()).rejects.toMatchObject({ name: 'DependencyUnavailableException' });

    expect(terminations()).toHaveLength(0);
  });
});

describe('DELETE of a session with userIdCheck', () => {
  it('ends a session for its own user, and no stranger', async () => {
    const { end, endedBy } = prepare({ userIdCheck: true });
    service.on(GetStreamSessionCommand).resolves({ UserId: 'player-1' });

    const stranger = await end({ 'x-user-id': ['player-2'] });
    const markedByStranger = await endedBy();
    const own = await end({ 'x-user-id': ['player-1'] });

    expect(stranger).toMatchObject({
      statusCode: 403,
      headers: { 'x-reconnection-code': 'NOT_THE_USERS_SESSION' },
    });
    expect(markedByStranger).toBeUndefined();
    expect(own.statusCode).toBe(204);
  });

  it('asks no operator for a user', async () => {
    const { end } = prepare({ userIdCheck: true });

    expect(await end({ 'x-ended-by': ['OPERATOR'] })).toMatchObject({ statusCode: 204 });
  });
});

describe('DELETE of a session while the service is switched off', () => {
  it('passes through with its mark, past permits and windows', async () => {
    const { end, endedBy, metrics } = prepare({ switchState: 'passThrough' });

    expect(await end()).toMatchObject({ statusCode: 204 });

    expect(await endedBy()).toBe('LEFT');
    expect(metrics.values).toEqual([]);
  });

  it("passes through although the table is away, with the service's own refusal", async () => {
    const { end, log } = prepare({ switchState: 'passThrough' });
    failNext(table(), 'PutItemCommand', 'BEFORE');
    service.on(TerminateStreamSessionCommand).rejects(serviceErrors.validation());

    expect(await end()).toMatchObject({
      statusCode: 400,
      headers: { 'x-amzn-errortype': 'ValidationException', 'x-reconnection-code': 'PASSED_THROUGH' },
    });

    expect(eventsOf(log)).toContain('EndNotMarked');
  });

  it('is refused by `refuse`, and marks nothing', async () => {
    const { end, endedBy } = prepare({ switchState: 'refuse' });

    expect(await end()).toMatchObject({
      statusCode: 503,
      headers: { 'x-reconnection-code': 'SWITCHED_OFF' },
    });

    expect(await endedBy()).toBeUndefined();
    expect(terminations()).toHaveLength(0);
  });
});

describe('POST …/leaving', () => {
  const TOKEN = 't'.repeat(36);
  const BODY = { clientToken: TOKEN, withinSeconds: 15 };
  const events = () =>
    bus
      .commandCalls(PutEventsCommand)
      .flatMap(({ args: [{ input }] }) => input.Entries ?? [])
      .map(({ DetailType, Detail = '' }): unknown => ({ DetailType, ...JSON.parse(Detail) }));
  const untilOf = async ({ session }: ReturnType<typeof prepare>) =>
    leavingUntilMs(await readPlace(table(), session));

  it('is noted on the place and reported, for a session whose first connection came without us', async () => {
    const run = prepare();

    expect(await run.leaving(BODY)).toMatchObject({ statusCode: 204, body: '' });

    expect(await untilOf(run)).toBe(run.clock.nowMs() + 15_000);
    expect(events()).toMatchObject([
      {
        DetailType: 'Stream Session Status Change',
        status: 'PENDING_CLIENT_RECONNECTION',
        reportedBy: 'api:leaving',
        dropCause: 'CLOSED',
      },
    ]);
  });

  it('is a 204 and nothing more when a newer offer has come', async () => {
    const run = prepare();
    await writePlace(table(), run.session, undefined, {
      ...offersWith(undefined, offerIdOf('n'.repeat(36))),
      askedAtMs: run.clock.nowMs(),
      deadlineMs: run.clock.nowMs() + 60_000,
    });

    expect(await run.leaving(BODY)).toMatchObject({ statusCode: 204 });

    expect(await untilOf(run)).toBeUndefined();
    expect(events()).toEqual([]);
  });

  it('counts from the later of two requests', async () => {
    const run = prepare();

    await run.leaving(BODY);
    await run.clock.advance(1000);
    await run.leaving(BODY);

    expect(await untilOf(run)).toBe(run.clock.nowMs() + 15_000);
  });

  it.each([
    [{ clientToken: TOKEN, withinSeconds: 4 }, 'withinSeconds'],
    [{ clientToken: TOKEN, withinSeconds: 61 }, 'withinSeconds'],
    [{ clientToken: TOKEN, withinSeconds: 7.5 }, 'withinSeconds'],
    [{ clientToken: TOKEN }, 'withinSeconds'],
    [{ clientToken: 'short', withinSeconds: 15 }, 'clientToken'],
    [{ ...BODY, more: 1 }, 'no others'],
    ['text', 'JSON object'],
  ])('refuses %j', async (body, problem) => {
    const run = prepare();
    const disconnect = { disconnectedAtMs: run.clock.nowMs(), connectionTimeoutSeconds: 60 };
    await givenRunningWindow(table(), run.session, disconnect);

    await expect(run.leaving(body)).rejects.toThrow(problem);

    expect(await untilOf(run)).toBeUndefined();
  });

  it('is for the own user only, with userIdCheck', async () => {
    const run = prepare({ userIdCheck: true });
    service.on(GetStreamSessionCommand).resolves({ UserId: 'player-1' });

    expect(await run.leaving(BODY, { 'x-user-id': ['player-2'] })).toMatchObject({ statusCode: 403 });

    expect(await untilOf(run)).toBeUndefined();
  });

  it('fails where its event is not taken, so that the caller repeats it', async () => {
    const run = prepare();
    bus.on(PutEventsCommand).resolves({ FailedEntryCount: 1 });

    await expect(run.leaving(BODY)).rejects.toMatchObject({ name: 'DependencyUnavailableException' });
  });
});
