import { DescribeExecutionCommand } from '@aws-sdk/client-sfn';
import type { SessionKey } from '../shared/contracts/index.ts';
import { windowExecutionArn, windowExecutionName } from '../shared/contracts/names.ts';
import { sessionPartition } from '../shared/contracts/table-keys.ts';
import { inParallel } from '../shared/runtime/clock.ts';
import type { Log } from '../shared/runtime/logging.ts';
import { attempt } from '../shared/runtime/service-fault.ts';
import { wakeWindow } from '../shared/window/mailbox.ts';
import { type IndexedWindow, readWindows } from '../shared/window/read-windows.ts';
import {
  ensureRunning,
  type ReplaceDependencies,
  replaceDeadWindow,
} from '../shared/window/replace-window.ts';
import { isOpen, type WindowItem } from '../shared/window/window-item.ts';
import { awaitsEndByItself, judgeWindow, type Listings } from './judge-window.ts';
import {
  type ServiceWait,
  type ServiceWaits,
  type WakeServiceWaitsDependencies,
  wakeServiceWaits,
} from './wake-service-waits.ts';

export interface ReconcileDependencies extends ReplaceDependencies, WakeServiceWaitsDependencies {
  /** 0 ≤ random() < 1. */
  readonly random: () => number;
  readonly settings: ReplaceDependencies['settings'] & WakeServiceWaitsDependencies['settings'];
}

/** The wait, by session, that a wake has not reached: whoever does not hear twice may be dead. */
export type Unheard = Map<string, number | undefined>;

/**
 * DescribeExecution has a quota of 15 calls a second, StartExecution one of 100 and more; both are shared with
 * whatever else the account runs. In a storm nobody needs mending; after a breakage there is time.
 */
const MAX_MENDED_PER_LOOK = 25;
const PARALLEL_CALLS = 10;

/** What one watcher remembers of open windows between its looks. */
export interface WindowMemory {
  readonly unheard: Unheard;
  readonly serviceWaits: ServiceWaits;
}

/**
 * Gives every open window of the list what it needs: wakes those whose session has moved and those that wait for a
 * service that is back, starts or replaces those that have lost their execution.
 *
 * Why: docs/decisions/watcher.md#windows-are-read-before-the-lists-so-that-no-clock-decides-what-has-moved
 *
 * @throws DependencyUnavailableException
 */
export async function reconcileWindows(
  windows: readonly IndexedWindow[],
  listings: Listings,
  { unheard, serviceWaits }: WindowMemory,
  dependencies: ReconcileDependencies,
): Promise<void> {
  const { table, clock, random } = dependencies;
  const nowMs = clock.nowMs();
  const waiting: ServiceWait[] = [];
  const inNeed = windows
    .map((window) => ({ window, need: judgeWindow(window, listings, nowMs) }))
    .filter(({ window, need }) => {
      if (need === 'NOTHING') return false;
      const known = serviceWaits.known.get(sessionPartition(window.session));
      if (known === undefined || !isSameListing(known.window, window)) return true;
      waiting.push(known);
      return false;
    });
  const items = await readWindows(
    table,
    inNeed.map(({ window }) => window.session),
  );
  const toMend: { readonly window: IndexedWindow; readonly item: WindowItem }[] = [];
  await inParallel(inNeed, PARALLEL_CALLS, async ({ window, need }) => {
    const item = items.get(sessionPartition(window.session));
    if (item === undefined || !isSameWait(window, item)) return;
    if (item.serviceChecks !== undefined) {
      const wait = { window, serviceChecks: item.serviceChecks };
      serviceWaits.known.set(sessionPartition(window.session), wait);
      waiting.push(wait);
      return;
    }
    if (need === 'SIGN_OF_LIFE' && awaitsEndByItself(window, nowMs)) return;
    if (need !== 'LOOK') {
      toMend.push({ window, item });
      return;
    }
    const log = logOf(window, dependencies);
    if (await wakeWindow(item, { ...dependencies, log })) {
      log.info('WindowWoken', { generation: item.generation });
    } else if (wentUnheardBefore(window, unheard)) {
      toMend.push({ window, item });
    }
  });
  for (const deaf of await wakeServiceWaits(waiting, serviceWaits, dependencies)) {
    if (wentUnheardBefore(deaf.window, unheard)) toMend.push(deaf);
  }
  // From a random place, so that those who need no mending after all do not stand before the others for ever.
  const from = Math.floor(random() * toMend.length);
  const inTurn = [...toMend.slice(from), ...toMend.slice(0, from)];
  await inParallel(inTurn.slice(0, MAX_MENDED_PER_LOOK), PARALLEL_CALLS, ({ window, item }) =>
    mendWindow(window.session, item, { ...dependencies, log: logOf(window, dependencies) }),
  );
}

/** The index lags, and windows move on: only what is still as it was before the lists may be judged by them. */
function isSameWait(window: IndexedWindow, item: WindowItem): boolean {
  return isOpen(item) && item.generation === window.generation && item.waitOrder === window.waitOrder;
}

function isSameListing(one: IndexedWindow, other: IndexedWindow): boolean {
  return one.generation === other.generation && one.waitOrder === other.waitOrder;
}

/** Whether this wait has not heard a wake before: its execution may only be busy with a look of its own. */
function wentUnheardBefore({ session, waitOrder }: IndexedWindow, unheard: Unheard): boolean {
  const key = sessionPartition(session);
  const isSecondTime = unheard.has(key) && unheard.get(key) === waitOrder;
  unheard.set(key, waitOrder);
  return isSecondTime;
}

function logOf({ session, generation }: IndexedWindow, { log }: { readonly log: Log }): Log {
  return log.with({ ...session, executionName: windowExecutionName(session, generation) });
}

/**
 * Starts an open window that was never started, and replaces one whose execution has died.
 *
 * @throws DependencyUnavailableException
 */
export async function mendWindow(
  session: SessionKey,
  window: WindowItem,
  dependencies: ReplaceDependencies,
): Promise<void> {
  // Not to be started under its name: its execution ended before its first wait, or the name is another window's.
  const isAlive = window.running
    ? await isExecutionAlive(session, window, dependencies)
    : await ensureRunning(session, window, dependencies);
  if (!isAlive) await replaceDeadWindow(session, window, dependencies);
}

async function isExecutionAlive(
  session: SessionKey,
  { generation }: WindowItem,
  { stepFunctions, settings }: ReplaceDependencies,
): Promise<boolean> {
  const executionArn = windowExecutionArn(settings.RECONNECTION_WINDOW_ARN, session, generation);
  const described = await attempt(
    () => stepFunctions.send(new DescribeExecutionCommand({ executionArn, includedData: 'METADATA_ONLY' })),
    'ExecutionDoesNotExist',
  );
  return described.ok && described.result.status === 'RUNNING';
}
