import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import type { SessionKey, WindowPhase } from '../../functions/shared/contracts/index.ts';
import { windowExecutionName } from '../../functions/shared/contracts/names.ts';
import {
  OPEN_WINDOWS_INDEX,
  placeKey,
  sessionOfPartition,
  sessionPartition,
} from '../../functions/shared/contracts/table-keys.ts';
import { compareDeadlines, deadlinesOf } from '../../functions/shared/quota/deadline-bucket.ts';
import { type LineState, readLine } from '../../functions/shared/quota/line.ts';
import { type Place, placeOf } from '../../functions/shared/quota/places.ts';
import { callDependency } from '../../functions/shared/runtime/service-fault.ts';
import type { Table } from '../../functions/shared/runtime/table.ts';
import { CLOCK_SKEW_MS } from '../../functions/shared/window/deadline.ts';
import { listOpenWindows, readItems, readWindows } from '../../functions/shared/window/read-windows.ts';
import { isOpen, type WindowItem } from '../../functions/shared/window/window-item.ts';
import { isAskedFor } from '../../functions/terminate-session/terminate-session.ts';
import type { ListArguments } from './arguments.ts';
import { type FoundWindow, findWindows } from './find-windows.ts';

/** Where a session stands for its call to the service. */
export type PlaceInLine =
  /** The player has not asked to reconnect since the disconnect, or the call was made. */
  | { readonly kind: 'NONE' }
  | { readonly kind: 'IN_LINE'; readonly ahead: number }
  /** The player asks, and no call is left before the deadline. */
  | { readonly kind: 'NOT_IN_TIME' };

export interface ListedWindow {
  readonly session: SessionKey;
  readonly window: WindowItem;
  /** Until the deadline; negative after it. */
  readonly leftMs: number;
  readonly place: PlaceInLine;
  /** What the window waits for, in words. */
  readonly waitsFor: string;
}

export interface WindowList {
  /** Those with the least time left first. */
  readonly windows: readonly ListedWindow[];
  /** Whether all was read that had to be. */
  readonly isComplete: boolean;
}

type Filters = Pick<ListArguments, 'group' | 'state' | 'leftSeconds' | 'maxPages'>;

/** So many sessions are read before the command says how far it is. */
const SESSIONS_PER_STEP = 500;

/**
 * Lists windows as the table has them at this moment. Open windows are found by the index, so a closed one costs
 * nothing; those that failed are found by a scan of the table.
 *
 * @throws DependencyUnavailableException, UnexpectedError
 */
export async function listWindows(
  table: Table,
  filters: Filters,
  nowMs: () => number,
  progress: (text: string) => void,
): Promise<WindowList> {
  const { windows, complete } =
    filters.state === 'FAILED'
      ? await findFailed(table, filters)
      : await readOpenWindows(table, await findOpenSessions(table, filters, progress), progress);
  const line = await readLine(table, 'CreateStreamSessionConnection');
  const readAtMs = nowMs();
  const chosen = windows.filter(({ window }) => isChosen(window, filters, readAtMs));
  const places = await readPlaces(table, chosen, progress);
  const listed = chosen.map(({ session, window }) => {
    const item = places.get(sessionPartition(session));
    const place = placeInLine(window, item, line, readAtMs);
    return {
      session,
      window,
      leftMs: window.deadlineMs - readAtMs,
      place,
      waitsFor: describeWait(window, place, earlyEndOf(window, item, readAtMs)),
    };
  });
  return { windows: listed.sort((one, other) => one.leftMs - other.leftMs), isComplete: complete };
}

function isChosen(
  { phase, deadlineMs }: WindowItem,
  { state, leftSeconds }: Filters,
  nowMs: number,
): boolean {
  if (state !== undefined && phase !== state) return false;
  return leftSeconds === undefined || deadlineMs - nowMs <= leftSeconds * 1000;
}

async function findFailed(table: Table, { group, maxPages }: Filters) {
  const found = await findWindows(table, { which: { kind: 'FAILED_SINCE', sinceMs: 0 }, maxPages });
  const windows = found.windows.filter(
    ({ session }) => group === undefined || session.streamGroupId === group,
  );
  return { ...found, windows };
}

interface FoundSessions {
  readonly sessions: readonly SessionKey[];
  readonly complete: boolean;
}

async function findOpenSessions(
  table: Table,
  { group, maxPages }: Filters,
  progress: (text: string) => void,
): Promise<FoundSessions> {
  if (group !== undefined) {
    const windows = await listOpenWindows(table, group);
    return { sessions: windows.map(({ session }) => session), complete: true };
  }
  const sessions: SessionKey[] = [];
  let start: Record<string, unknown> | undefined;
  let pages = 0;
  do {
    if (pages === maxPages) return { sessions, complete: false };
    const { Items = [], LastEvaluatedKey } = await callDependency(() =>
      table.documents.send(
        new ScanCommand({ TableName: table.name, IndexName: OPEN_WINDOWS_INDEX, ExclusiveStartKey: start }),
      ),
    );
    sessions.push(...Items.map((item) => sessionOfPartition(String(item['pk']))));
    progress(`Found ${sessions.length} open windows …`);
    start = LastEvaluatedKey;
    pages++;
  } while (start !== undefined);
  return { sessions, complete: true };
}

/** The index lags, so what it names is read. */
async function readOpenWindows(
  table: Table,
  { sessions, complete }: FoundSessions,
  progress: (text: string) => void,
) {
  const windows: FoundWindow[] = [];
  for (let from = 0; from < sessions.length; from += SESSIONS_PER_STEP) {
    const read = await readWindows(table, sessions.slice(from, from + SESSIONS_PER_STEP));
    for (const [partition, window] of read) {
      if (isOpen(window)) windows.push({ session: sessionOfPartition(partition), window });
    }
    progress(`Read ${Math.min(from + SESSIONS_PER_STEP, sessions.length)} of ${sessions.length} windows …`);
  }
  return { windows, complete };
}

async function readPlaces(
  table: Table,
  windows: readonly FoundWindow[],
  progress: (text: string) => void,
): Promise<ReadonlyMap<string, Place>> {
  const places = new Map<string, Place>();
  for (let from = 0; from < windows.length; from += SESSIONS_PER_STEP) {
    const keys = windows.slice(from, from + SESSIONS_PER_STEP).map(({ session }) => placeKey(session));
    for (const item of await readItems(table, keys)) places.set(String(item['pk']), placeOf(item));
    progress(`Read ${Math.min(from + SESSIONS_PER_STEP, windows.length)} of ${windows.length} places …`);
  }
  return places;
}

/** Returns where the session stands in line by what was read at one moment. A place of an earlier loss counts for nothing. */
export function placeInLine(
  { disconnectedAtMs }: Pick<WindowItem, 'disconnectedAtMs'>,
  place: Place | undefined,
  line: LineState,
  nowMs: number,
): PlaceInLine {
  if (place === undefined || place.isServed === true || place.notFoundAtMs !== undefined)
    return { kind: 'NONE' };
  if (place.askedAtMs < disconnectedAtMs - CLOCK_SKEW_MS) return { kind: 'NONE' };
  const { lineCounter, lineNumber } = place;
  const own = lineCounter === undefined ? undefined : deadlinesOf(lineCounter);
  if (own === undefined || lineNumber === undefined) return { kind: 'NOT_IN_TIME' };
  const before = line.filter(
    (bucket) => bucket.counter !== own.counter && bucket.endMs > nowMs && compareDeadlines(bucket, own) < 0,
  );
  const served = line.find(({ counter }) => counter === own.counter)?.served ?? 0;
  const ahead = before.reduce((sum, bucket) => sum + Math.max(0, bucket.drawn - bucket.served), 0);
  return { kind: 'IN_LINE', ahead: ahead + Math.max(0, lineNumber - served) };
}

interface EarlyEnd {
  readonly atMs: number;
  readonly by: string;
}

/** Returns when the session is to end early, unless the player has asked for it since: the termination would find that then. */
export function earlyEndOf(
  { endEarlyAtMs, endEarlyFor, connectionCreatedAtMs, pendingSinceMs, disconnectedAtMs }: WindowItem,
  place: Place | undefined,
  nowMs: number,
): EarlyEnd | undefined {
  if (endEarlyAtMs === undefined) return undefined;
  // The window's execution has dropped this end: its player had come back.
  if (endEarlyFor === 'GIVE_UP' && connectionCreatedAtMs > 0) return undefined;
  const loss = { endEarlyFor, pendingSinceMs: pendingSinceMs ?? disconnectedAtMs };
  if (isAskedFor(place, loss, Math.max(endEarlyAtMs, nowMs))) return undefined;
  return { atMs: endEarlyAtMs, by: endEarlyFor ?? 'early end' };
}

/** Says what a window waits for, without a full stop. */
export function describeWait(window: WindowItem, place: PlaceInLine, earlyEnd: EarlyEnd | undefined): string {
  if (window.phase === 'FAILED') return `a retry: it failed with ${window.failure ?? 'no error'}`;
  if (!window.running) return 'its execution to start';
  if (window.serviceChecks !== undefined)
    return `the service, which could not be read (${window.serviceChecks} times)`;
  switch (window.phase) {
    case 'AWAITING_CLIENT':
      return 'the client to use its answer';
    case 'AWAITING_END':
      return 'the service to end the session';
    default:
  }
  if (place.kind === 'IN_LINE') return 'the turn of its player';
  if (place.kind === 'NOT_IN_TIME') return 'a call that becomes free: none is left before the deadline';
  if (earlyEnd !== undefined) {
    return `the player, until ${new Date(earlyEnd.atMs).toISOString()} (${earlyEnd.by})`;
  }
  return window.seenWaitingAtMs === undefined
    ? 'the player, or the service to notice the loss'
    : 'the player';
}

/** How a place reads in a column: the number in line, from 1. */
function describePlace(place: PlaceInLine): string {
  if (place.kind === 'IN_LINE') return String(place.ahead + 1);
  return place.kind === 'NOT_IN_TIME' ? 'too late' : '-';
}

function describeLeft(phase: WindowPhase, leftMs: number): string {
  if (phase === 'FAILED') return '-';
  return leftMs >= 0 ? `${Math.floor(leftMs / 1000)} s` : `${Math.ceil(-leftMs / 1000)} s over`;
}

const HEADINGS = ['SESSION', 'WINDOW', 'PHASE', 'LEFT', 'PLACE', 'ATTEMPTS', 'WAITS FOR'] as const;
const NUMBERS: ReadonlySet<string> = new Set(['WINDOW', 'LEFT', 'PLACE', 'ATTEMPTS']);

/** Returns the list as a table of lines, with headings, for people. */
export function tableOf(windows: readonly ListedWindow[]): string[] {
  const rows = [
    [...HEADINGS],
    ...windows.map(({ session, window, leftMs, place, waitsFor }) => [
      `${session.streamGroupId}/${session.streamSessionId}`,
      String(window.generation),
      window.phase,
      describeLeft(window.phase, leftMs),
      describePlace(place),
      String(window.connectionAttempts),
      waitsFor,
    ]),
  ];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return NUMBERS.has(HEADINGS[column] ?? '') ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** Returns the list as it is printed with --json. */
export function documentOf({ windows, isComplete }: WindowList, nowMs: number): object {
  return {
    at: new Date(nowMs).toISOString(),
    isComplete,
    windows: windows.map(({ session, window, leftMs, place, waitsFor }) => ({
      ...session,
      generation: window.generation,
      executionName: windowExecutionName(session, window.generation),
      phase: window.phase,
      disconnectedAt: new Date(window.disconnectedAtMs).toISOString(),
      deadline: new Date(window.deadlineMs).toISOString(),
      leftSeconds: leftMs / 1000,
      placeInLine: place.kind === 'IN_LINE' ? place.ahead + 1 : null,
      isTooLateInLine: place.kind === 'NOT_IN_TIME',
      connectionAttempts: window.connectionAttempts,
      waitsFor,
      failure: window.failure ?? null,
    })),
  };
}
