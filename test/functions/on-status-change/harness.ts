import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import { SendTaskSuccessCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { VirtualClock } from 'local-server-kit';
import { beforeEach, expect } from 'vitest';
import { onStatusChange } from '../../../functions/on-status-change/on-status-change.ts';
import { parseStatusChangeEvent } from '../../../functions/on-status-change/parse-event.ts';
import { memoryLog } from '../../helpers/log.ts';
import { memoryMetrics } from '../../helpers/metrics.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { type StatusChange, statusChangeEvent } from '../../helpers/status-change.ts';
import { useTable } from '../../helpers/table.ts';
import { BUS_SETTINGS, OUTCOME_RETENTION_DAYS, WINDOW_SETTINGS } from '../../helpers/windows.ts';

const region = 'us-west-2';
export const RECONNECTION_WINDOW_ARN =
  'arn:aws:states:us-west-2:111122223333:stateMachine:reconnection-window';
export const NOW_MS = Date.UTC(2026, 0, 1, 12);
export const DISCONNECTED_AT_MS = NOW_MS - 3000;

/** The decision with a real table and mocked services, for the tests of one file. */
export function useOnStatusChange() {
  const table = useTable();
  const stepFunctions = mockClient(SFNClient);
  const eventBridge = mockClient(EventBridgeClient);
  const gameLiftStreams = mockClient(GameLiftStreamsClient);

  beforeEach(() => {
    for (const mock of [stepFunctions, eventBridge, gameLiftStreams]) mock.reset();
    stepFunctions
      .on(StartExecutionCommand)
      .resolves({ executionArn: 'arn:execution', startDate: new Date(NOW_MS) })
      .on(SendTaskSuccessCommand)
      .resolves({});
    eventBridge.on(PutEventsCommand).resolves({ FailedEntryCount: 0, Entries: [{ EventId: 'e' }] });
  });

  function prepare(nowMs = NOW_MS, { allowEarlyEnd = false } = {}) {
    const log = memoryLog();
    const metrics = memoryMetrics();
    const dependencies = {
      table: table(),
      stepFunctions: new SFNClient({ region }),
      eventBridge: new EventBridgeClient({ region }),
      gameLiftStreams: new GameLiftStreamsClient({ region }),
      clock: new VirtualClock(nowMs),
      random: () => 0,
      log,
      metrics,
      settings: {
        ...BUS_SETTINGS,
        ...WINDOW_SETTINGS,
        OUTCOME_RETENTION_DAYS,
        RECONNECTION_WINDOW_ARN,
        ALLOW_EARLY_END: allowEarlyEnd,
        READS_PER_SECOND: 1000,
      },
    };
    /** What becomes of an announcement is the batch's matter. */
    const send = async (raw: unknown) => {
      const { result } = await onStatusChange(parseStatusChangeEvent(raw, nowMs), dependencies);
      return { result };
    };
    const report = (change: Omit<StatusChange, 'atMs'> & { readonly atMs?: number }) =>
      send(statusChangeEvent({ atMs: DISCONNECTED_AT_MS, ...change }));
    return { log, metrics, dependencies, send, report };
  }

  const starts = () =>
    stepFunctions.commandCalls(StartExecutionCommand).map(({ args: [{ input }] }) => input);
  const signals = () =>
    stepFunctions.commandCalls(SendTaskSuccessCommand).map(({ args: [{ input }] }) => ({
      token: input.taskToken,
      state: JSON.parse(input.output ?? 'null'),
    }));
  const published = () =>
    eventBridge.commandCalls(PutEventsCommand).flatMap(({ args: [{ input }] }) => input.Entries ?? []);

  /** What any reporter must leave as it was. */
  const nothingHappened = () => {
    expect(starts()).toEqual([]);
    expect(signals()).toEqual([]);
    expect(published()).toEqual([]);
  };

  return {
    table,
    stepFunctions,
    eventBridge,
    gameLiftStreams,
    prepare,
    starts,
    signals,
    published,
    nothingHappened,
  };
}
