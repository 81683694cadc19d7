import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { windowKey } from '../../functions/shared/contracts/table-keys.ts';
import type { ClientName } from '../../functions/shared/runtime/definition.ts';
import { openIn } from '../../functions/shared/window/read-windows.ts';
import type { WindowItem } from '../../functions/shared/window/window-item.ts';
import type { Service } from '../../local/service/service.ts';
import { startSimulation } from '../../local/simulation/simulation.ts';
import { ASSUMPTIONS } from '../deploy-cost/bill.ts';

export interface WatcherCost {
  readonly waitingSessions: number;
  /** Each looks as often as the interval says, or as often as the quota lets it. */
  readonly looksPerDay: number;
  /** By the operations' names. */
  readonly callsPerDay: Readonly<Record<string, number>>;
  readonly stateTransitionsPerDay: number;
  readonly invocationsPerDay: number;
  /** Of the time that the permits cost, and of an invocation's own. */
  readonly gigabyteSecondsPerDay: number;
}

const MINUTES_PER_DAY = 24 * 60;
const PARALLEL_WRITES = 32;
const GROUP_CALLS: ReadonlySet<string> = new Set(['ListStreamGroups', 'ListTagsForResource']);

/**
 * One minute of the watcher with so many sessions in their open windows, all of it counted, for a day.
 *
 * @param findsGroups whether it finds its stream group by a tag, instead of being told its id.
 */
export async function measureWatcher(
  service: Service,
  waitingSessions: number,
  findsGroups = false,
): Promise<WatcherCost> {
  const calls = new Map<string, number>();
  let looks = 0;
  let invocations = 0;
  let seconds = 0;
  const simulation = await startSimulation({
    service,
    adapter: 'loopback',
    ...(findsGroups && { environment: { WATCHED_STREAM_GROUPS: 'tag:reconnect=yes' } }),
    invocation: async (fn, run) => {
      if (fn.key !== 'watchSessions') return run();
      invocations++;
      const startMs = simulation.clock.nowMs();
      const result = await run();
      seconds += ASSUMPTIONS.taskSeconds + (simulation.clock.nowMs() - startMs) / 1000;
      return result;
    },
    call: ({ client, command, input }, send) => {
      const operation = operationOf(client, command);
      calls.set(operation, (calls.get(operation) ?? 0) + 1);
      // The first page of a list: each look begins with one.
      const isList = client === 'gameLiftStreams' && !GROUP_CALLS.has(operation);
      if (isList && nextTokenOf(input) === undefined) looks++;
      return send();
    },
  });
  const { clock, control, table } = simulation;
  try {
    if (findsGroups) {
      const [group] = await control.streamGroups();
      await control.changeStreamGroup(group?.streamGroupId ?? '', { tags: { reconnect: 'yes' } });
    }
    if (waitingSessions > 0) {
      const sessions = await control.startSessions({
        count: waitingSessions,
        status: 'PENDING_CLIENT_RECONNECTION',
        connectionTimeoutSeconds: 3600,
      });
      await Promise.all(
        Array.from({ length: PARALLEL_WRITES }, async () => {
          for (let session = sessions.pop(); session !== undefined; session = sessions.pop()) {
            const { streamGroupId, streamSessionId } = session;
            const key = { streamGroupId, streamSessionId };
            const Item = { ...windowKey(key), ...runningWindow(clock.nowMs()), openIn: openIn(key) };
            await table.documents.send(new PutCommand({ TableName: table.name, Item }));
          }
        }),
      );
    }
    const watcher = service.functions.find(({ key }) => key === 'watchSessions');
    const ordering = simulation.invoke('watchSessions');
    await clock.advance(60_000);
    await ordering;
    const perDay = (inThatMinute: number) => inThatMinute * MINUTES_PER_DAY;
    return {
      waitingSessions,
      looksPerDay: perDay(looks),
      callsPerDay: Object.fromEntries([...calls].map(([name, number]) => [name, perDay(number)])),
      // A wake would be one: whoever waits where the list says it waits is left alone.
      stateTransitionsPerDay: perDay(calls.get('SendTaskSuccess') ?? 0),
      invocationsPerDay: perDay(invocations),
      gigabyteSecondsPerDay: perDay(seconds) * ((watcher?.memoryMegabytes ?? 0) / 1024),
    };
  } finally {
    await simulation.close();
  }
}

/** As DynamoDB names it; the document client leaves "Item" out. */
function operationOf(client: ClientName, command: string): string {
  const operation = command.replace(/Command$/, '');
  return client === 'documents' && operation !== 'Query' ? `${operation}Item` : operation;
}

function nextTokenOf(input: unknown): string | undefined {
  return z.object({ NextToken: z.string().optional() }).parse(input).NextToken;
}

/** A window as it is while its session waits. */
function runningWindow(nowMs: number): WindowItem {
  return {
    generation: 1,
    phase: 'AWAITING_RECONNECTION',
    executionInput: '{}',
    running: true,
    disconnectedAtMs: nowMs,
    pendingSinceMs: nowMs,
    deadlineMs: nowMs + 3_600_000,
    connectionTimeoutSeconds: 3600,
    seq: 0,
    waitOrder: 0,
    connectionCreatedAtMs: 0,
    connectionAttempts: 0,
  };
}
