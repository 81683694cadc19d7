/**
 * What players, backends, operators and feeds do, one story for each way through the functions. Nobody in a story
 * waits for what a fault may hold up: they ask again as they are told to, and go on.
 */
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { recordOutcome, recordOutcomeInputSchema } from '../../functions/record-outcome/record-outcome.ts';
import type { SessionKey } from '../../functions/shared/contracts.ts';
import { signalWindow } from '../../functions/shared/table/mailbox.ts';
import { openWindow, replaceWindow } from '../../functions/shared/table/open-window.ts';
import { type SwitchState, writeSwitchItem } from '../../functions/shared/table/switch.ts';
import { updateWindow } from '../../functions/shared/table/window-item.ts';
import type { SessionRecord } from '../../local/game-lift-streams/control-schemas.ts';
import { executionFailureEvent } from '../helpers/execution-failure.ts';
import { memoryLog } from '../helpers/log.ts';
import { memoryMetrics } from '../helpers/metrics.ts';
import { sendThrough } from '../helpers/send-through.ts';
import { BUS_SETTINGS, OUTCOME_RETENTION_DAYS, WINDOW_SETTINGS, windowOf } from '../helpers/windows.ts';
import type { Expected } from './verdict.ts';
import { MINUTE, SECOND, startWorld, type World } from './world.ts';

export interface Scenario {
  readonly name: string;
  readonly start?: () => Promise<World>;
  /** Nobody hears that an execution has failed: that event is given up. */
  readonly isDeaf?: boolean;
  /** So many executions have failed that one more is the last. */
  readonly hasNoRetryLeft?: boolean;
  readonly play: (world: World) => Promise<Expected>;
}

const WRONG_GROUP = 'sg-another';
const CREATE = 'CreateStreamSessionConnection';

const closed = (session: SessionRecord, outcomes: Expected['outcomes'] = 1): Expected => ({
  session,
  outcomes,
  phases: ['CLOSED'],
});

/** Nobody hears that an execution has failed: the event bus does its best, and no more. */
async function startDeaf(): Promise<World> {
  return startWorld({
    before: (functionKey) => {
      if (functionKey === 'onExecutionFailure') throw new Error('lost');
    },
  });
}

async function switchTo({ table, clock }: World, state: SwitchState): Promise<void> {
  await writeSwitchItem(table, { state });
  await clock.advance(6 * SECOND);
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a player comes back through the API, through throttling and a conflict',
    play: async (world) => {
      const { clock, control } = world;
      const session = await world.dropped();
      const { streamSessionId } = session;
      await world.report(session);
      await control.injectFault({ kind: 'throttling', operation: CREATE, streamSessionId });
      await control.injectFault({ kind: 'conflict', operation: CREATE, streamSessionId });
      const answer = await world.ask(session, { clientToken: `token-of-${streamSessionId}`.padEnd(32, '.') });
      await control.clientConnects(streamSessionId, answer);
      await clock.advance(3 * SECOND);
      return closed(session);
    },
  },
  {
    name: 'nobody comes back',
    play: async (world) => {
      const { control } = world;
      const session = await world.dropped({ connectionTimeoutSeconds: 10 });
      const { streamSessionId } = session;
      await control.injectFault({ kind: 'throttling', operation: 'GetStreamSession', streamSessionId });
      await world.report(session);
      return closed(session);
    },
  },
  {
    name: 'a player comes back whom nobody has reported',
    play: async (world) => {
      const session = await world.dropped();
      await world.control.clientConnects(session.streamSessionId, await world.ask(session));
      await world.report(session, { status: 'CONNECTED' });
      return { session, outcomes: 0, phases: [undefined] };
    },
  },
  {
    name: 'a window that nobody has started is started by the next event of its session',
    play: async (world) => {
      const session = await world.dropped();
      await openUnstarted(world, session);
      await world.control.applicationExits(session.streamSessionId);
      await world.report(session, { status: 'TERMINATED' });
      return closed(session);
    },
  },
  {
    name: 'a signal comes while the outcome is being recorded',
    start: async () => {
      const signalled = new Set<string>();
      const world = await startWorld({
        before: async (functionKey, payload) => {
          if (functionKey !== 'recordOutcome') return;
          const { streamSessionId, streamGroupId } = recordOutcomeInputSchema.parse(payload);
          if (signalled.has(streamSessionId)) return;
          signalled.add(streamSessionId);
          await signalUnsent(world, { streamSessionId, streamGroupId });
        },
      });
      return world;
    },
    play: async (world) => {
      const session = await world.dropped();
      await world.report(session);
      await world.control.clientConnects(session.streamSessionId, await world.ask(session));
      return closed(session);
    },
  },
  {
    name: 'an attempt to wait that was given up comes late',
    play: async (world) => {
      const { streamGroupId, streamSessionId, ...session } = await world.dropped({
        connectionTimeoutSeconds: 900,
      });
      const key = { streamGroupId, streamSessionId };
      await world.report({ ...key, ...session });
      await world.ask({ ...key, ...session });
      // By then the window has an execution, even if the first attempt to open it has died.
      await world.clock.advance(2 * MINUTE);
      await world.invokeAsynchronously('registerTaskToken', {
        ...key,
        taskToken: 'of an attempt long given up',
        executionName: `${streamSessionId}-1`,
        generation: 1,
        phase: 'AWAITING_RECONNECTION',
        deadlineMs: world.clock.nowMs(),
        pendingSinceMs: world.clock.nowMs(),
        ackSeq: 0,
        waitNumber: 0,
        retryCount: 0,
      });
      await world.control.applicationExits(streamSessionId);
      await world.report({ ...key, ...session }, { status: 'TERMINATED' });
      return closed({ ...key, ...session });
    },
  },
  {
    name: 'the first answer is of no use, and a second offer saves the player',
    play: async (world) => {
      const { clock, control } = world;
      const session = await world.dropped();
      await world.report(session);
      await world.ask(session);
      await clock.advance(5 * SECOND);
      const answer = await world.ask(session);
      await control.clientConnects(session.streamSessionId, answer);
      await clock.advance(5 * SECOND);
      return closed(session);
    },
  },
  {
    name: 'the session ends while its player is away, and a feed says so',
    play: async (world) => {
      const { clock, control } = world;
      const session = await world.dropped();
      await world.report(session);
      await clock.advance(3 * SECOND);
      await control.applicationExits(session.streamSessionId);
      await world.report(session, { status: 'TERMINATED' });
      return closed(session);
    },
  },
  {
    name: 'a second feed knows the timeout',
    play: async (world) => {
      const session = await world.dropped({ connectionTimeoutSeconds: 60 });
      const statusChangedAt = new Date(world.clock.nowMs()).toISOString();
      await world.report(session, { statusChangedAt, connectionTimeoutSeconds: undefined });
      await world.clock.advance(SECOND);
      await world.report(session, { statusChangedAt });
      await world.report(session, { statusChangedAt });
      return closed(session);
    },
  },
  {
    name: 'a signal that nobody has sent is sent by the next report',
    play: async (world) => {
      const { clock, control } = world;
      const session = await world.dropped();
      const statusChangedAt = new Date(clock.nowMs()).toISOString();
      await world.report(session, { statusChangedAt });
      await control.applicationExits(session.streamSessionId);
      await signalUnsent(world, session);
      await world.report(session, { statusChangedAt });
      return closed(session);
    },
  },
  {
    name: 'a player drops again before the window has seen them back',
    play: async (world) => {
      const { clock, control } = world;
      const session = await world.dropped();
      const { streamSessionId } = session;
      await world.report(session);
      await clock.advance(3 * SECOND);
      await world.reconnectDirectly(session);
      await control.clientConnects(streamSessionId);
      await clock.advance(3 * SECOND);
      await control.clientDrops(streamSessionId);
      await world.report(session);
      await control.clientConnects(streamSessionId, await world.ask(session));
      await clock.advance(3 * SECOND);
      return closed(session, [1, 2]);
    },
  },
  {
    name: 'a player drops again so soon that only the service can tell',
    play: async (world) => {
      const { clock, control } = world;
      const session = await world.dropped({ connectionTimeoutSeconds: 60 });
      const { streamSessionId } = session;
      await world.report(session);
      await control.clientConnects(streamSessionId, await world.ask(session));
      await world.report(session, { status: 'CONNECTED' });
      await clock.advance(SECOND);
      await control.clientDrops(streamSessionId);
      await control.injectFault({ kind: 'throttling', operation: 'GetStreamSession', streamSessionId });
      await world.report(session);
      // A report that fails is repeated a minute later; whoever reports a second time is sooner.
      await clock.advance(SECOND);
      return closed(session, [1, 2]);
    },
  },
  {
    name: 'the watcher finds a disconnect, and sees the player back whom another caller has saved',
    start: () => startWorld({ environment: { WATCH_INTERVAL_SECONDS: '20' } }),
    play: async (world) => {
      await world.control.injectFault({ kind: 'throttling', operation: 'ListStreamSessions' });
      const session = await world.dropped();
      // The next look finds what one has missed; the next watcher, what one has not lived to see.
      await world.watch(2);
      await world.reconnectDirectly(session);
      await world.control.clientConnects(session.streamSessionId);
      await world.watch(3);
      return closed(session);
    },
  },
  {
    name: 'the watcher starts a window that nobody has started',
    start: () => startWorld({ environment: { WATCH_INTERVAL_SECONDS: '20' } }),
    play: async (world) => {
      const session = await world.dropped({ connectionTimeoutSeconds: 60 });
      await openUnstarted(world, session);
      await world.watch(3);
      return closed(session);
    },
  },
  {
    name: 'the watcher replaces a window whose execution was stopped without a word',
    start: startDeaf,
    isDeaf: true,
    play: async (world) => {
      const session = await world.dropped();
      await world.report(session);
      await world.clock.advance(SECOND);
      await world.stopExecution(session);
      await world.control.applicationExits(session.streamSessionId);
      await world.watch(4);
      return closed(session);
    },
  },
  {
    name: 'the watcher closes a window whose executions have failed four times in a row',
    start: startDeaf,
    isDeaf: true,
    play: async (world) => {
      const session = await world.dropped();
      await world.report(session);
      await world.clock.advance(SECOND);
      await world.stopExecution(session);
      await hasFailedBefore(world, session, 3);
      await world.control.applicationExits(session.streamSessionId);
      await world.watch(4);
      // What delays the window's opening spares it the stop.
      return { session, outcomes: [0, 1], phases: ['FAILED', 'CLOSED'] };
    },
  },
  {
    name: 'an execution is stopped, and the player comes back in the next one',
    play: async (world) => {
      const session = await world.dropped();
      await world.report(session);
      await world.clock.advance(10 * SECOND);
      await world.stopExecution(session);
      await world.clock.advance(10 * SECOND);
      await world.control.clientConnects(session.streamSessionId, await world.ask(session));
      await world.clock.advance(3 * SECOND);
      return closed(session);
    },
  },
  {
    name: 'an execution fails between the two halves of its record',
    start: async () => {
      const isCut = new Set<string>();
      const world = await startWorld({
        before: async (functionKey, payload) => {
          if (functionKey !== 'recordOutcome') return;
          const input = recordOutcomeInputSchema.parse(payload);
          if (isCut.has(input.executionName)) return;
          isCut.add(input.executionName);
          await recordHalf(world, input);
          throw new Error('a bug');
        },
      });
      return world;
    },
    play: async (world) => {
      const session = await world.dropped({ connectionTimeoutSeconds: 10 });
      await world.report(session);
      return { ...closed(session), redEnds: 1 };
    },
  },
  {
    name: 'the event of a failed execution comes without its input',
    start: startDeafOnBus,
    isDeaf: true,
    play: async (world) => {
      const session = await world.dropped();
      await world.report(session);
      await world.clock.advance(SECOND);
      await world.stopExecution(session);
      const executionArn = world.executionArnOf(session, 1);
      const event = executionFailureEvent(session, 1, { executionArn, input: null });
      await world.invokeAsynchronously('onExecutionFailure', { ...event, id: HEARD });
      await world.control.applicationExits(session.streamSessionId);
      await world.report(session, { status: 'TERMINATED' });
      return closed(session);
    },
  },
  {
    name: 'whoever has replaced a window has died before starting the next execution',
    start: startDeafOnBus,
    isDeaf: true,
    play: async (world) => {
      const session = await world.dropped();
      const { streamGroupId, streamSessionId } = session;
      await world.report(session);
      // By then the window is there, even if the first attempt to open it has died.
      await world.clock.advance(2 * MINUTE);
      await world.stopExecution(session);
      const key = { streamGroupId, streamSessionId };
      const dead = await windowOf(world.table, key);
      if (dead.generation === 1 && dead.running) {
        await replaceWindow(world.table, key, dead, WINDOW_SETTINGS, world.clock.nowMs());
      }
      await world.invokeAsynchronously('onExecutionFailure', {
        ...executionFailureEvent(session),
        id: HEARD,
      });
      return closed(session);
    },
  },
  {
    name: 'an execution is stopped four times, and its session is reported again later',
    hasNoRetryLeft: true,
    play: async (world) => {
      const session = await world.dropped({ connectionTimeoutSeconds: 3600 });
      const statusChangedAt = new Date(world.clock.nowMs()).toISOString();
      await world.report(session, { statusChangedAt });
      for (let stops = 0; stops < 4; stops++) {
        await world.clock.advance(4 * MINUTE);
        await world.stopExecution(session);
      }
      await world.clock.advance(15 * MINUTE);
      await world.report(session, { statusChangedAt });
      await world.clock.advance(4 * MINUTE);
      await world.control.clientConnects(session.streamSessionId, await world.ask(session));
      return closed(session);
    },
  },
  {
    name: 'a feed that confuses stream groups has taken the name of a window',
    play: async (world) => {
      const session = await world.dropped();
      await world.report({ ...session, streamGroupId: WRONG_GROUP });
      await world.report(session);
      await world.clock.advance(SECOND);
      await world.control.clientConnects(session.streamSessionId, await world.ask(session));
      return closed(session);
    },
  },
  {
    name: 'a feed that confuses stream groups has taken every name that a window may have',
    play: async (world) => {
      const session = await world.dropped();
      await world.report({ ...session, streamGroupId: WRONG_GROUP });
      await openUnstarted(world, session);
      await hasFailedBefore(world, session, 3);
      await world.report(session);
      // What delays the wrong report leaves the name to the right one.
      return { session, outcomes: [0, 1], phases: ['FAILED', 'CLOSED'] };
    },
  },
  {
    name: 'a feed names a session that the service does not know',
    play: async (world) => {
      const known = await world.session();
      const session = { ...known, streamSessionId: `No${known.streamSessionId}` };
      await world.report(session, { connectionTimeoutSeconds: 10 });
      return { session, outcomes: 0, phases: ['FAILED'], redEnds: 2 };
    },
  },
  {
    name: 'a feed sends what fits no contract',
    play: async (world) => {
      const session = await world.session();
      const rejections = async () =>
        (await world.events()).filter(({ detailType }) => detailType.endsWith('Rejected')).length;
      const before = await rejections();
      await world.publish({ version: '1', streamSessionId: session.streamSessionId });
      return {
        session,
        outcomes: 0,
        phases: [undefined],
        also: async () => ((await rejections()) > before ? [] : ['the rejection was not published']),
      };
    },
  },
  {
    name: 'a player proves whose session it is',
    start: () => startWorld({ environment: { USER_ID_CHECK: 'true' } }),
    play: async (world) => {
      const session = await world.control.startSession({ userId: 'player-1', connectionTimeoutSeconds: 300 });
      const { streamSessionId } = session;
      await world.control.clientDrops(streamSessionId);
      await world.report(session);
      const fault = { kind: 'throttling', operation: 'GetStreamSession', streamSessionId } as const;
      await world.control.injectFault(fault);
      const answer = await world.ask(session, { headers: { 'x-user-id': 'player-1' } });
      await world.control.clientConnects(streamSessionId, answer);
      await world.clock.advance(3 * SECOND);
      return closed(session);
    },
  },
  {
    name: 'the service is passed through, and checks whose session it is',
    start: () => startWorld({ environment: { USER_ID_CHECK: 'true' } }),
    play: async (world) => {
      await switchTo(world, 'passThrough');
      const session = await world.control.startSession({ userId: 'player-1', connectionTimeoutSeconds: 60 });
      const { streamSessionId } = session;
      await world.control.clientDrops(streamSessionId);
      await world.report(session);
      const answer = await world.ask(session, { headers: { 'x-user-id': 'player-1' } });
      await world.control.clientConnects(streamSessionId, answer);
      await world.askForShellAgain(session);
      await switchTo(world, 'on');
      return closed(session);
    },
  },
  {
    name: 'an operator opens a shell, through throttling',
    play: async (world) => {
      const session = await world.session();
      const { streamSessionId } = session;
      const operation = 'CreateStreamSessionAdminShell';
      await world.control.injectFault({ kind: 'throttling', operation, streamSessionId });
      const shell = await world.askForShellAgain(session);
      return {
        session,
        outcomes: 0,
        phases: [undefined],
        also: async () => [
          ...(shell.TokenValue === undefined ? ['the operator has no shell'] : []),
          ...((await auditOf(world, session)).includes('REQUESTED') ? [] : ['the request is not on record']),
        ],
      };
    },
  },
  {
    name: 'an operator is refused a shell by the service, after its status allowed one',
    play: async (world) => {
      const session = await world.session();
      const { streamSessionId } = session;
      const operation = 'CreateStreamSessionAdminShell';
      await world.control.injectFault({ kind: 'validation', operation, streamSessionId });
      const refusal = await world.askForShellAgain(session).then(
        () => undefined,
        (error: unknown) => (error instanceof Error ? error.name : undefined),
      );
      return {
        session,
        outcomes: 0,
        phases: [undefined],
        also: async () => [
          // A fault may eat the refusal; the next request of the same operator is then allowed.
          ...([undefined, 'ValidationException'].includes(refusal) ? [] : [`refused with ${refusal}`]),
          ...((await auditOf(world, session)).includes('REQUESTED') ? [] : ['the request is not on record']),
        ],
      };
    },
  },
  {
    name: 'an operator names no session',
    play: async (world) => {
      const session = await world.session();
      const refusal = await world.askForShellAgain({ ...session, streamSessionId: '!' }).then(
        () => 'granted',
        (error: unknown) => (error instanceof Error ? error.name : undefined),
      );
      return {
        session,
        outcomes: 0,
        phases: [undefined],
        also: () => (refusal === 'ValidationException' ? [] : [`answered with ${refusal}`]),
      };
    },
  },
  {
    name: 'a session outlives its window, and is ended',
    play: async (world) => {
      const session = await world.dropped({ connectionTimeoutSeconds: 3600 });
      const { streamGroupId, streamSessionId } = session;
      await world.report(session);
      const fault = { kind: 'throttling', operation: 'TerminateStreamSession', streamSessionId } as const;
      await world.control.injectFault(fault);
      await world.invokeAsynchronously('terminateSession', {
        streamGroupId,
        streamSessionId,
        executionName: `${streamSessionId}-1`,
      });
      await world.clock.advance(10 * SECOND);
      await world.report(session, { status: 'TERMINATED' });
      return closed(session);
    },
  },
  {
    name: 'a backend looks at a window',
    play: async (world) => {
      const session = await world.dropped({ connectionTimeoutSeconds: 10 });
      await world.report(session);
      const body = await world.lookAtWindow(session);
      return {
        ...closed(session),
        also: () =>
          'phase' in body || 'message' in body || 'Message' in body ? [] : ['the window has no phase'],
      };
    },
  },
];

const HEARD = 'heard';

/** Hears of a failed execution only from a scenario itself. */
async function startDeafOnBus(): Promise<World> {
  return startWorld({
    before: (functionKey, payload) => {
      const isHeard = JSON.stringify(payload).includes(`"id":"${HEARD}"`);
      if (functionKey === 'onExecutionFailure' && !isHeard) throw new Error('lost');
    },
  });
}

/** Dies for good after its first write. */
async function recordHalf(
  { table, clock, items }: World,
  input: Parameters<typeof recordOutcome>[0],
): Promise<void> {
  const documents = sendThrough(table.documents, async (command, sent) => {
    if (command === 'PutCommand') throw new Error('a bug');
    return items.answer(command, sent);
  });
  const record = recordOutcome(input, {
    table: { ...table, documents },
    eventBridge: new EventBridgeClient({ region: 'us-west-2' }),
    clock,
    log: memoryLog(),
    metrics: memoryMetrics(),
    settings: { ...BUS_SETTINGS, OUTCOME_RETENTION_DAYS },
  });
  await record.catch(() => {});
}

/** Opens the session's window and dies before starting its execution. */
async function openUnstarted(
  { table, clock }: World,
  { streamGroupId, streamSessionId, connectionTimeoutSeconds }: SessionRecord,
): Promise<void> {
  const disconnect = {
    disconnectedAtMs: clock.nowMs(),
    connectionTimeoutSeconds,
    sessionEndsAtMs: undefined,
  };
  await openWindow(table, { streamGroupId, streamSessionId }, disconnect, WINDOW_SETTINGS, async () => true);
}

async function hasFailedBefore(
  { table }: World,
  { streamGroupId, streamSessionId }: SessionKey,
  times: number,
): Promise<void> {
  await updateWindow(
    table,
    { streamGroupId, streamSessionId },
    {
      UpdateExpression: 'SET failedBefore = :times',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: { ':times': times },
    },
  );
}

/** Adds a signal to the session's window and dies before sending it. */
async function signalUnsent(world: World, { streamGroupId, streamSessionId }: SessionKey): Promise<void> {
  const stepFunctions = sendThrough(world.stepFunctions, () => Promise.reject(new Error('dead')));
  const { table } = world;
  const signal = { id: `unsent-${streamSessionId}` };
  await signalWindow({ streamGroupId, streamSessionId }, signal, {
    table,
    stepFunctions,
    log: memoryLog(),
  }).catch(() => {});
}

async function auditOf({ auditTrail }: World, { streamSessionId }: SessionRecord): Promise<string[]> {
  return (await auditTrail())
    .filter((record) => record.streamSessionId === streamSessionId)
    .map(({ result }) => result);
}
