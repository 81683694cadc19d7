import type { Execution } from '../engine/execution.ts';

export type RedriveStatus = 'REDRIVABLE' | 'NOT_REDRIVABLE';

/** Redrive needs room for its own event and one more: fewer than 24,999 events (developer guide, Redrive eligibility). */
const MAX_EVENTS = 24_998;
const REDRIVABLE_MS = 14 * 24 * 60 * 60 * 1000;
/** A Standard execution may be open for a year. */
const MAX_OPEN_MS = 365 * 24 * 60 * 60 * 1000;

/**
 * Whether AWS would redrive an execution, and why not, in DescribeExecution's words. Redrive itself does not
 * exist here. A redrivable execution has no reason (as captured from DescribeExecution).
 */
export function redriveOf(
  execution: Execution,
  nowMs: number,
): { readonly redriveStatus: RedriveStatus; readonly redriveStatusReason?: string } {
  const reason = obstacleOf(execution, nowMs);
  return reason === undefined
    ? { redriveStatus: 'REDRIVABLE' }
    : { redriveStatus: 'NOT_REDRIVABLE', redriveStatusReason: reason };
}

function obstacleOf({ status, startMs, stopMs, history }: Execution, nowMs: number): string | undefined {
  if (status === 'RUNNING' || status === 'SUCCEEDED') return `Execution is ${status} and cannot be redriven`;
  if (history.events.length > MAX_EVENTS) return 'Execution history event limit exceeded';
  if (nowMs - startMs >= MAX_OPEN_MS) return 'Execution has exceeded the max execution time';
  return nowMs - (stopMs ?? nowMs) > REDRIVABLE_MS ? 'Execution redrivable period exceeded' : undefined;
}
