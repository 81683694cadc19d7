import type { HistoryEvent } from './execution.ts';

export interface HistoryRow {
  readonly event: HistoryEvent;
  /** The state that the event happened in; empty for the execution's own. */
  readonly state: string;
  /** Since the execution began. */
  readonly elapsedMs: number;
  /** How long Retry had waited before this attempt; undefined for whatever is no retry. */
  readonly retryWaitedMs: number | undefined;
  readonly tone: 'bad' | 'warn' | undefined;
}

const FAILS = /^(Task|LambdaFunction)\w*(Failed|TimedOut)$|^EvaluationFailed$/;
const EXECUTION_FAILS = /^Execution(Failed|TimedOut|Aborted)$/;

/** The events with what each alone does not say: its state, and the waits between a task's attempts. */
export function historyRows(events: readonly HistoryEvent[]): HistoryRow[] {
  const startMs = events[0]?.atMs ?? 0;
  let state = '';
  let failedAtMs: number | undefined;
  return events.map((event) => {
    const { type, atMs, details } = event;
    const isExit = type.endsWith('StateExited');
    if (type.endsWith('StateEntered')) state = details.name ?? '';
    const retryWaitedMs =
      type === 'TaskScheduled' && failedAtMs !== undefined ? atMs - failedAtMs : undefined;
    if (FAILS.test(type)) failedAtMs = atMs;
    else if (isExit || type === 'TaskScheduled') failedAtMs = undefined;
    const row = { event, state, elapsedMs: atMs - startMs, retryWaitedMs, tone: toneOf(type) };
    if (isExit || type.startsWith('Execution')) state = '';
    return type.startsWith('Execution') ? { ...row, state: '' } : row;
  });
}

function toneOf(type: string): HistoryRow['tone'] {
  if (EXECUTION_FAILS.test(type)) return 'bad';
  return FAILS.test(type) ? 'warn' : undefined;
}
