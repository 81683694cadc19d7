import type { SessionKey } from '../contracts/fields.ts';
import type { WindowOpenedDetail } from '../contracts/index.ts';
import { executionUrlOf, WINDOW_OPENED_DETAIL_TYPE, windowExecutionName } from '../contracts/names.ts';
import { type Clock, withTimeout } from '../runtime/clock.ts';
import { type EventBus, publishAll } from '../runtime/publish-events.ts';
import { CLOCK_SKEW_MS } from './deadline.ts';
import type { WindowItem } from './window-item.ts';

/**
 * Returns the event that tells of an open window and its deadline.
 *
 * The sequence comes from two numbers of the item that never get smaller. Each change of a deadline raises one of them:
 * a correction adds a signal, and the execution's next wait has a higher order.
 */
export function announcementOf(
  session: SessionKey,
  { generation, disconnectedAtMs, deadlineMs, seq, waitOrder = 0, reportedBy = 'FEED' }: WindowItem,
  executionArn: string,
): WindowOpenedDetail {
  return {
    version: '1',
    streamGroupId: session.streamGroupId,
    streamSessionId: session.streamSessionId,
    generation,
    sequence: 1 + seq + waitOrder,
    disconnectedAt: new Date(disconnectedAtMs).toISOString(),
    deadline: new Date(deadlineMs).toISOString(),
    reportedBy,
    executionName: windowExecutionName(session, generation),
    executionUrl: executionUrlOf(executionArn),
  };
}

/** Whether two deadlines are so far apart that receivers must know. Below that, they may be of two clocks. */
export function isAnotherDeadline(oneMs: number, otherMs: number): boolean {
  return Math.abs(oneMs - otherMs) > CLOCK_SKEW_MS;
}

/** EventBridge takes events within 0.1 s. A storm's openings must not wait for a bus that does not answer. */
const PUBLISH_MS = 500;
/** After a failure a function leaves the bus alone for so long: its events come back, and later ones open at once. */
const PAUSE_MS = 5000;

/** Publishes the announcements of a batch, and remembers for the function's life whether the bus has answered. */
export function createAnnouncer({ clock, ...bus }: EventBus & { readonly clock: Clock }) {
  let pausedUntilMs = 0;
  /** @returns the announcements that the bus has not taken. */
  return async (announcements: readonly WindowOpenedDetail[]): Promise<readonly WindowOpenedDetail[]> => {
    const nowMs = clock.nowMs();
    if (announcements.length === 0) return [];
    // A clock that was set back must not prolong the pause.
    if (nowMs < pausedUntilMs && nowMs >= pausedUntilMs - PAUSE_MS) return announcements;
    const notTaken = await withTimeout(clock, PUBLISH_MS, (abortSignal) =>
      publishAll(bus, WINDOW_OPENED_DETAIL_TYPE, announcements, abortSignal),
    );
    pausedUntilMs = notTaken.length > 0 ? clock.nowMs() + PAUSE_MS : 0;
    return notTaken;
  };
}
