/** Windows of a session in each state of their life, made by the functions that make them. */
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SFNClient } from '@aws-sdk/client-sfn';
import { VirtualClock } from 'local-server-kit';
import { recordFailure } from '../../functions/record-failure/record-failure.ts';
import { recordOutcome } from '../../functions/record-outcome/record-outcome.ts';
import type { Outcome, SessionKey } from '../../functions/shared/contracts/index.ts';
import { windowExecutionName } from '../../functions/shared/contracts/names.ts';
import type { Table } from '../../functions/shared/runtime/table.ts';
import { registerTaskToken } from '../../functions/shared/window/mailbox.ts';
import { type Disconnect, openWindow } from '../../functions/shared/window/open-window.ts';
import { readWindow, type WindowItem } from '../../functions/shared/window/window-item.ts';
import { memoryLog } from './log.ts';
import { memoryMetrics } from './metrics.ts';

export const WINDOW_SETTINGS = {
  DEFAULT_CONNECTION_TIMEOUT_SECONDS: 120,
  WINDOW_MARGIN_SECONDS: 2,
  TERMINATE_ABANDONED_SESSIONS: false,
};
export const BUS_SETTINGS = { EVENT_BUS_NAME: 'bus', EVENT_SOURCE: 'stream-session-reconnection' };
export const OUTCOME_RETENTION_DAYS = 30;

/** What the table holds of the session's latest window. */
export async function windowOf(table: Table, session: SessionKey): Promise<WindowItem> {
  const window = await readWindow(table, session);
  if (window === undefined) throw new Error('The session has no window.');
  return window;
}

export async function givenOpenWindow(
  table: Table,
  session: SessionKey,
  disconnect: Partial<Disconnect> & { readonly disconnectedAtMs: number },
): Promise<WindowItem> {
  const opening = await openWindow(
    table,
    session,
    { connectionTimeoutSeconds: undefined, sessionEndsAtMs: undefined, ...disconnect },
    WINDOW_SETTINGS,
    () => Promise.reject(new Error('Nobody is to be asked.')),
  );
  if (opening.kind !== 'OPENED') throw new Error(`The window was not opened: ${opening.kind}`);
  return opening.window;
}

/** The window's execution has begun to wait. */
export async function givenRunningWindow(
  table: Table,
  session: SessionKey,
  disconnect: Parameters<typeof givenOpenWindow>[2],
): Promise<WindowItem> {
  const { generation, deadlineMs, disconnectedAtMs } = await givenOpenWindow(table, session, disconnect);
  await registerTaskToken(
    session,
    {
      taskToken: `token-of-${session.streamSessionId}-${generation}`,
      generation,
      phase: 'AWAITING_RECONNECTION',
      deadlineMs,
      pendingSinceMs: disconnectedAtMs,
      ackSeq: 0,
      waitNumber: 0,
      retryCount: 0,
    },
    { table, stepFunctions: new SFNClient({ region: 'us-west-2' }), log: memoryLog() },
  );
  return windowOf(table, session);
}

export async function givenClosedWindow(
  table: Table,
  session: SessionKey,
  {
    outcome,
    outcomeAtMs,
    eventBridge,
    ...disconnect
  }: Parameters<typeof givenOpenWindow>[2] & {
    readonly outcome: Outcome;
    readonly outcomeAtMs: number;
    readonly eventBridge: EventBridgeClient;
  },
): Promise<WindowItem> {
  const { generation, disconnectedAtMs } = await givenOpenWindow(table, session, disconnect);
  await recordOutcome(
    {
      ...session,
      executionName: windowExecutionName(session, generation),
      generation,
      ackSeq: 0,
      outcome,
      statusReason: null,
      disconnectedAtMs,
      endedAtMs: outcomeAtMs,
      connectionAttempts: 0,
    },
    {
      table,
      eventBridge,
      clock: new VirtualClock(outcomeAtMs),
      log: memoryLog(),
      metrics: memoryMetrics(),
      settings: { ...BUS_SETTINGS, OUTCOME_RETENTION_DAYS },
    },
  );
  return windowOf(table, session);
}

/** It ends red a minute after its disconnect. */
export async function givenFailedWindow(
  table: Table,
  session: SessionKey,
  {
    error = 'SessionNotFound',
    ...disconnect
  }: Parameters<typeof givenOpenWindow>[2] & { readonly error?: string },
): Promise<WindowItem> {
  const { generation, disconnectedAtMs } = await givenOpenWindow(table, session, disconnect);
  await recordFailure(
    {
      ...session,
      executionName: windowExecutionName(session, generation),
      generation,
      error,
    },
    {
      table,
      clock: new VirtualClock(disconnectedAtMs + 60_000),
      log: memoryLog(),
      metrics: memoryMetrics(),
      settings: { OUTCOME_RETENTION_DAYS },
    },
  );
  return windowOf(table, session);
}
