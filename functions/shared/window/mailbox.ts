/**
 * The mailbox between those who signal a window and the execution that waits for them. A signal and the
 * registration of a task token may come in either order, and either process may die between its write and its
 * send. So a signal is first added to the item under a growing `seq`, then sent to the token found there; a
 * registration first stores its token, then sends to itself when `seq` is past what its execution has seen.
 * Whichever comes second finds what the first has written.
 */
import { SendTaskSuccessCommand, type SFNClient } from '@aws-sdk/client-sfn';
import type { SessionKey, WindowPhase } from '../contracts/index.ts';
import { ContentionException, WindowNotOpenError } from '../runtime/errors.ts';
import type { Log } from '../runtime/logging.ts';
import { attempt } from '../runtime/service-fault.ts';
import type { Table } from '../runtime/table.ts';
import {
  IS_OPEN,
  isOpen,
  OPEN_PHASES,
  readWindow,
  updateWindow,
  type WindowItem,
  waitOrderOf,
} from './window-item.ts';

export interface MailboxDependencies {
  readonly table: Table;
  readonly stepFunctions: SFNClient;
  readonly log: Log;
}

export interface Signal {
  /** The same for every repeat of one signal, so that a repeat counts once. */
  readonly id: string;
  /** Set when the signal says that a connection was created. */
  readonly connection?: { readonly createdAtMs: number; readonly attempts: number };
}

/** What a waiting state gets: everything that has been signalled so far, not only the latest. */
export interface SignalledState {
  readonly seq: number;
  readonly connectionCreatedAtMs: number;
  readonly connectionAttempts: number;
  /** The latest correction of the deadline, if there was one. */
  readonly correction?: WindowItem['correction'];
  /** When the session is to be terminated before its deadline, and for whom, if it is. */
  readonly endEarlyAtMs?: number | undefined;
  readonly endEarlyFor?: WindowItem['endEarlyFor'];
}

/**
 * The latest 64 to 128 signals of a window are known by their ids, which are at most 80 characters long: 10 KB, and 5 KB
 * with ids of 36. A repeat is counted once as long as its id is known. Step Functions repeats a created connection
 * within 5 s, Lambda an event after 1 and 3 minutes. An event that comes again after 64 others makes its window look
 * once more; only a connection is counted, and 64 connections of one session in 5 s are more than there can be.
 *
 * Why: docs/decisions/windows.md#a-window-knows-its-latest-64-to-128-signals
 */
export const MAX_SIGNAL_IDS = 64;
/** Losing this many races in a row means that something is wrong with more than the timing. */
const MAX_TRIES = 5;

/**
 * Adds the signal to the session's open window and sends it to whoever waits; a repeat is only sent again.
 *
 * @returns the window, or undefined when none is open: then nothing was changed.
 * @throws DependencyUnavailableException
 */
export async function signalWindow(
  session: SessionKey,
  signal: Signal,
  dependencies: MailboxDependencies,
): Promise<WindowItem | undefined> {
  const window = await addSignal(session, signal, dependencies);
  if (window === undefined) return undefined;
  dependencies.log.info('WindowSignalled', { generation: window.generation, seq: window.seq });
  if (window.taskToken !== undefined) await deliver(window.taskToken, window, dependencies);
  return window;
}

/**
 * Notes on the session's open window that its client was lost again, before that is signalled: the look that the signal
 * brings must know since when CONNECTED may be out of date. The latest loss stays.
 *
 * @throws DependencyUnavailableException
 */
export async function noteLoss(table: Table, session: SessionKey, lostAtMs: number): Promise<void> {
  await updateWindow(table, session, {
    UpdateExpression: 'SET lostAgainAtMs = :lostAtMs',
    ConditionExpression: `${IS_OPEN} AND (attribute_not_exists(lostAgainAtMs) OR lostAgainAtMs < :lostAtMs)`,
    ExpressionAttributeValues: { ...OPEN_PHASES, ':lostAtMs': lostAtMs },
  });
}

/** Returns the open window with the signal in it, whether it was there before or not. */
async function addSignal(
  session: SessionKey,
  signal: Signal,
  dependencies: MailboxDependencies,
): Promise<WindowItem | undefined> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const added = await addToIds(session, signal, dependencies.table);
    if (added !== undefined) return added;
    const window = await openWindowOf(session, dependencies);
    if (window === undefined || isRepeat(window, signal)) return window;
    const begun = await beginIds(session, signal, window, dependencies.table);
    if (begun !== undefined) return begun;
  }
  throw new ContentionException();
}

function isRepeat({ signalIds, earlierSignalIds }: WindowItem, { id }: Signal): boolean {
  return signalIds?.has(id) === true || earlierSignalIds?.has(id) === true;
}

const IS_NEW = 'NOT contains(signalIds, :id) AND NOT contains(earlierSignalIds, :id)';

function addToIds(session: SessionKey, signal: Signal, table: Table): Promise<WindowItem | undefined> {
  return writeSignal(session, signal, table, {
    set: '',
    add: ', signalIds :ids',
    condition: `${IS_NEW} AND (attribute_not_exists(signalIds) OR size(signalIds) < :most)`,
  });
}

/** The set is full: it becomes the earlier one, in place of the one before it. */
function beginIds(
  session: SessionKey,
  signal: Signal,
  { signalIds }: WindowItem,
  table: Table,
): Promise<WindowItem | undefined> {
  // Before ids were bounded, a set could fill the item: there is no room for it twice, not even for a moment.
  const isOversized = (signalIds?.size ?? 0) > 2 * MAX_SIGNAL_IDS;
  return writeSignal(session, signal, table, {
    set: isOversized ? 'signalIds = :ids' : 'earlierSignalIds = signalIds, signalIds = :ids',
    add: '',
    condition: `${IS_NEW} AND size(signalIds) >= :most`,
  });
}

function writeSignal(
  session: SessionKey,
  { id, connection }: Signal,
  table: Table,
  { set, add, condition }: { readonly set: string; readonly add: string; readonly condition: string },
): Promise<WindowItem | undefined> {
  const created = connection === undefined ? '' : 'connectionCreatedAtMs = :createdAtMs';
  const attempts = connection === undefined ? '' : ', connectionAttempts :attempts';
  const assignments = [created, set].filter((assignment) => assignment !== '').join(', ');
  return updateWindow(table, session, {
    UpdateExpression: `${assignments === '' ? '' : `SET ${assignments} `}ADD seq :one${add}${attempts}`,
    ConditionExpression: `${IS_OPEN} AND ${condition}`,
    ExpressionAttributeValues: {
      ...OPEN_PHASES,
      ':one': 1,
      ':id': id,
      ':ids': new Set([id]),
      ':most': MAX_SIGNAL_IDS,
      ...(connection === undefined
        ? {}
        : { ':createdAtMs': connection.createdAtMs, ':attempts': connection.attempts }),
    },
  });
}

async function openWindowOf(
  session: SessionKey,
  { table }: MailboxDependencies,
): Promise<WindowItem | undefined> {
  const window = await readWindow(table, session);
  return window !== undefined && isOpen(window) ? window : undefined;
}

export interface Registration {
  readonly taskToken: string;
  readonly generation: number;
  readonly phase: WindowPhase;
  readonly deadlineMs: number;
  readonly pendingSinceMs: number;
  /** The last `seq` that the execution has seen. */
  readonly ackSeq: number;
  /** How many waits the execution has begun before, and which attempt of its state this is. */
  readonly waitNumber: number;
  readonly retryCount: number;
  /** When the service was seen waiting for a client; 0 while it has not been. */
  readonly seenWaitingAtMs?: number | undefined;
  /** Only when the state waits for the service: how often in a row it could not be read. */
  readonly serviceChecks?: number | undefined;
}

/**
 * Stores the task token of a state that begins to wait, and sends at once what was signalled before.
 *
 * @throws WindowNotOpenError when the window was closed or replaced: the execution has nothing to wait for.
 * @throws DependencyUnavailableException
 */
export async function registerTaskToken(
  session: SessionKey,
  registration: Registration,
  dependencies: MailboxDependencies,
): Promise<void> {
  const { table, log } = dependencies;
  const { taskToken, generation, phase, deadlineMs, pendingSinceMs } = registration;
  const { ackSeq, waitNumber, retryCount, serviceChecks, seenWaitingAtMs = 0 } = registration;
  const waitsForService = serviceChecks !== undefined;
  const window = await updateWindow(table, session, {
    UpdateExpression: `SET taskToken = :taskToken, waitOrder = :waitOrder, phase = :phase, deadlineMs = :deadlineMs, pendingSinceMs = :pendingSinceMs, ackSeq = :ackSeq, running = :true${seenWaitingAtMs > 0 ? ', seenWaitingAtMs = :seenWaitingAtMs' : ''}${
      waitsForService ? ', serviceChecks = :serviceChecks' : ' REMOVE serviceChecks'
    }`,
    ConditionExpression: `generation = :generation AND ${IS_OPEN} AND (attribute_not_exists(waitOrder) OR waitOrder <= :waitOrder)`,
    ExpressionAttributeValues: {
      ...OPEN_PHASES,
      ':taskToken': taskToken,
      ':waitOrder': waitOrderOf(waitNumber, retryCount),
      ':phase': phase,
      ':deadlineMs': deadlineMs,
      ':pendingSinceMs': pendingSinceMs,
      ':ackSeq': ackSeq,
      ':true': true,
      ':generation': generation,
      ...(waitsForService ? { ':serviceChecks': serviceChecks } : {}),
      ...(seenWaitingAtMs > 0 ? { ':seenWaitingAtMs': seenWaitingAtMs } : {}),
    },
  });
  if (window === undefined) {
    const present = await readWindow(table, session);
    if (present === undefined || present.generation !== generation || !isOpen(present)) {
      throw new WindowNotOpenError();
    }
    // An attempt that was given up for dead came late: its state waits with a newer token.
    log.info('TaskTokenSuperseded', { generation });
    return;
  }
  log.info('TaskTokenRegistered', { generation, phase });
  if (window.seq > ackSeq) await deliver(taskToken, window, dependencies);
}

/**
 * Makes whoever waits in a window look again, without leaving a signal: for a watcher, who will say it again
 * after seconds if it is not heard. So it can neither hold back an outcome nor count twice, however often it
 * is said.
 *
 * Why: docs/decisions/watcher.md#a-wake-is-not-a-signal
 *
 * @param window as it is now, so that the wait gets every signal so far.
 * @returns whether somebody was waiting.
 * @throws DependencyUnavailableException
 */
export async function wakeWindow(
  { taskToken, ...window }: WindowItem,
  dependencies: MailboxDependencies,
): Promise<boolean> {
  return taskToken !== undefined && deliver(taskToken, window, dependencies);
}

/** A send that finds its task over leaves the signal in the item, where the next registration finds it. */
async function deliver(
  taskToken: string,
  {
    generation,
    seq,
    connectionCreatedAtMs,
    connectionAttempts,
    correction,
    endEarlyAtMs,
    endEarlyFor,
  }: SignalledState & Pick<WindowItem, 'generation'>,
  { stepFunctions, log }: MailboxDependencies,
): Promise<boolean> {
  const state: SignalledState = {
    seq,
    connectionCreatedAtMs,
    connectionAttempts,
    correction,
    endEarlyAtMs,
    endEarlyFor,
  };
  const sent = await attempt(
    () => stepFunctions.send(new SendTaskSuccessCommand({ taskToken, output: JSON.stringify(state) })),
    'TaskTimedOut',
    'TaskDoesNotExist',
    'InvalidToken',
  );
  log.info(sent.ok ? 'SignalDelivered' : 'SignalPending', { generation, seq });
  return sent.ok;
}
