import type { SFNClient } from '@aws-sdk/client-sfn';
import { sessionOfPartition } from '../../functions/shared/contracts/table-keys.ts';
import { type Clock, inParallel } from '../../functions/shared/runtime/clock.ts';
import type { Log } from '../../functions/shared/runtime/logging.ts';
import type { Table } from '../../functions/shared/runtime/table.ts';
import { endEarly } from '../../functions/shared/window/correct-deadline.ts';
import { DRAIN_CACHE_MS, writeDrain } from '../../functions/shared/window/drain.ts';
import { listOpenWindows, readWindows } from '../../functions/shared/window/read-windows.ts';
import { isOpen } from '../../functions/shared/window/window-item.ts';
import type { DrainArguments } from './arguments.ts';
import type { ActResult } from './audit.ts';
import type { FoundWindow } from './find-windows.ts';

export interface DrainDependencies {
  readonly table: Table;
  readonly stepFunctions: SFNClient;
  readonly clock: Clock;
  readonly tellLine: (line: string) => void;
  readonly progress: (text: string) => void;
}

/** This command tells what it does itself. */
const NO_LOG: Log = { info: () => {}, warn: () => {}, error: () => {}, with: () => NO_LOG };
const PARALLEL_WRITES = 10;
/** A function that has not heard of the drain may open a window for so long, and the index lags. */
const SECOND_PASS_AFTER_MS = DRAIN_CACHE_MS + 2000;

/**
 * Brings the end of a stream group's waiting windows forward to the drain's end, and of those that open until then. The
 * command calls no operation of Amazon GameLift Streams: at the drain's end each window's own execution ends its session,
 * under the quota, and only one that still waits for its client.
 *
 * @throws DependencyUnavailableException, UnexpectedError
 */
export async function drainGroup(
  { group, withinSeconds }: Pick<DrainArguments, 'group' | 'withinSeconds'>,
  dependencies: DrainDependencies,
): Promise<ActResult> {
  const { table, clock, tellLine } = dependencies;
  const endsAtMs = Math.ceil(clock.nowMs()) + withinSeconds * 1000;
  await writeDrain(table, group, { endsAtMs, nowMs: clock.nowMs() });
  tellLine(`${group} drains until ${new Date(endsAtMs).toISOString()}. Reconnections work until then.`);
  const first = await tellWindows(group, endsAtMs, dependencies);
  tellLine(`${count(first.told, 'window')} told. Looking once more for windows that have just opened …`);
  await clock.sleep(SECOND_PASS_AFTER_MS);
  const second = await tellWindows(group, endsAtMs, dependencies);
  const windows = first.told + second.told;
  tellLine(`${count(windows, 'window')} told; those that open from now on know the drain.`);
  if (second.failures.length === 0) return { windows };
  const why = [...new Set(second.failures)].join(', ');
  tellLine(`${count(second.failures.length, 'window')} could not be told (${why}). Run it again.`);
  return { windows, failure: 'NotAllTold' };
}

/** Says what a drain would do now, and changes nothing. */
export async function foretellDrain(
  { group, withinSeconds }: Pick<DrainArguments, 'group' | 'withinSeconds'>,
  { table, clock, tellLine }: DrainDependencies,
): Promise<void> {
  const endsAtMs = clock.nowMs() + withinSeconds * 1000;
  const open = await readOpenWindows(table, group);
  const later = open.filter(({ window }) => window.deadlineMs > endsAtMs).length;
  tellLine(
    `${count(open.length, 'open window')} in ${group}; a drain within ${withinSeconds} s would bring ${later} forward. Nothing was changed.`,
  );
}

async function readOpenWindows(table: Table, group: string): Promise<FoundWindow[]> {
  const indexed = await listOpenWindows(table, group);
  const windows = await readWindows(
    table,
    indexed.map(({ session }) => session),
  );
  return [...windows]
    .filter(([, window]) => isOpen(window))
    .map(([partition, window]) => ({ session: sessionOfPartition(partition), window }));
}

/** One window that cannot be told does not keep the others from being told. */
async function tellWindows(
  group: string,
  endsAtMs: number,
  { table, stepFunctions, progress }: DrainDependencies,
): Promise<{ readonly told: number; readonly failures: readonly string[] }> {
  const open = await readOpenWindows(table, group);
  let told = 0;
  const failures: string[] = [];
  await inParallel(open, PARALLEL_WRITES, async ({ session, window }) => {
    try {
      const early = { endEarlyAtMs: endsAtMs, endEarlyFor: 'OPERATOR' } as const;
      if (await endEarly(session, window, early, { table, stepFunctions, log: NO_LOG })) told++;
    } catch (error) {
      failures.push(error instanceof Error ? error.name : typeof error);
    }
    progress(`Told ${told} of ${open.length} windows …`);
  });
  return { told, failures };
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
