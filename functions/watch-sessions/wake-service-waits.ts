import { sessionPartition } from '../shared/contracts/table-keys.ts';
import { LOW_PRIORITY_SHARE } from '../shared/quota/permits.ts';
import { inParallel } from '../shared/runtime/clock.ts';
import { PermitNotAvailableException } from '../shared/runtime/errors.ts';
import type { Log } from '../shared/runtime/logging.ts';
import { type ReadSessionDependencies, readSession } from '../shared/service/read-session.ts';
import { type MailboxDependencies, wakeWindow } from '../shared/window/mailbox.ts';
import { type IndexedWindow, readWindows } from '../shared/window/read-windows.ts';
import { isOpen, type WindowItem } from '../shared/window/window-item.ts';

/** A window whose execution waits because the service could not be read. */
export interface ServiceWait {
  readonly window: IndexedWindow;
  /** How often in a row its execution could not read the session. */
  readonly serviceChecks: number;
}

/** What one watcher remembers of the windows that wait for the service. Another one that knows nothing does no harm. */
export interface ServiceWaits {
  /** By `sessionPartition`. The index does not hold `serviceChecks`, so each item is read once. */
  readonly known: Map<string, ServiceWait>;
  /** The waits that were woken, by `sessionPartition`: none is woken twice, and none again that has come back. */
  readonly woken: Map<string, number | undefined>;
  /** Whether the last read failed: then this watcher reads no more, and the next one tries a minute later. */
  isAway: boolean;
  /** When the waits were last looked at, in epoch ms: 0 for never. */
  judgedAtMs: number;
}

export function noServiceWaits(): ServiceWaits {
  return { known: new Map(), woken: new Map(), isAway: false, judgedAtMs: 0 };
}

export interface WakeServiceWaitsDependencies extends ReadSessionDependencies, MailboxDependencies {
  readonly log: Log;
  readonly settings: ReadSessionDependencies['settings'] & { readonly WATCH_INTERVAL_SECONDS: number };
}

const PARALLEL_CALLS = 10;

/**
 * Wakes windows that wait for the service, those with the earliest deadlines first, as many as the quota of
 * low-priority reads serves until the next look. Before that it reads one of their sessions; while that fails it
 * wakes nobody, because each window would only fail, and pay, for itself.
 *
 * Why: docs/decisions/windows.md#a-window-waits-for-a-service-that-cannot-be-read
 *
 * @returns the windows that did not hear their wake.
 * @throws DependencyUnavailableException
 */
export async function wakeServiceWaits(
  waits: readonly ServiceWait[],
  memory: ServiceWaits,
  dependencies: WakeServiceWaitsDependencies,
): Promise<{ readonly window: IndexedWindow; readonly item: WindowItem }[]> {
  const { table, clock, settings, log } = dependencies;
  const candidates = waits
    .filter(({ window }) => !memory.woken.has(sessionPartition(window.session)))
    .sort((one, other) => one.window.deadlineMs - other.window.deadlineMs);
  if (candidates.length === 0 || memory.isAway) return [];
  const nowMs = clock.nowMs();
  const sinceMs =
    memory.judgedAtMs === 0 ? settings.WATCH_INTERVAL_SECONDS * 1000 : nowMs - memory.judgedAtMs;
  memory.judgedAtMs = nowMs;
  if (!(await isServiceBack(candidates, memory, dependencies))) return [];

  let left = Math.max(1, Math.floor((settings.READS_PER_SECOND * LOW_PRIORITY_SHARE * sinceMs) / 1000));
  const deaf: { readonly window: IndexedWindow; readonly item: WindowItem }[] = [];
  while (left > 0 && candidates.length > 0) {
    const next = candidates.splice(0, left);
    const items = await readWindows(
      table,
      next.map(({ window }) => window.session),
    );
    await inParallel(next, PARALLEL_CALLS, async ({ window }) => {
      const key = sessionPartition(window.session);
      const item = items.get(key);
      if (item === undefined || !isSameWait(window, item)) return;
      const ofWindow = log.with({ ...window.session, generation: item.generation });
      if (!(await wakeWindow(item, { ...dependencies, log: ofWindow }))) {
        deaf.push({ window, item });
        return;
      }
      left--;
      memory.woken.set(key, window.waitOrder);
      ofWindow.info('WindowWoken');
    });
  }
  return deaf;
}

/** Reads the session that has failed least often: one that fails for reasons of its own does not stand for the rest. */
async function isServiceBack(
  candidates: readonly ServiceWait[],
  memory: ServiceWaits,
  dependencies: WakeServiceWaitsDependencies,
): Promise<boolean> {
  const [first] = candidates.toSorted((one, other) => one.serviceChecks - other.serviceChecks);
  if (first === undefined) return false;
  try {
    await readSession(first.window.session, dependencies, undefined, 'LOW');
    return true;
  } catch (error) {
    // The quota is busy, as after an outage: there is nothing to wake anybody for, and no call was made.
    if (error instanceof PermitNotAvailableException) return false;
    memory.isAway = true;
    dependencies.log.error('ServiceAway', error, { waiting: candidates.length });
    return false;
  }
}

/** The index lags, and windows move on: only a wait that is still the one that was listed may be woken. */
function isSameWait({ generation, waitOrder }: IndexedWindow, item: WindowItem): boolean {
  return (
    isOpen(item) &&
    item.serviceChecks !== undefined &&
    item.generation === generation &&
    item.waitOrder === waitOrder
  );
}
