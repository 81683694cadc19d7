import { GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import { VirtualClock } from 'local-server-kit';
import type { Table } from '../../functions/shared/runtime/table.ts';
import { memoryLog } from './log.ts';
import { memoryMetrics } from './metrics.ts';

let nextStartMs = Date.UTC(2026, 0, 1);

/** What a call to the service needs, with a clock in seconds that no other test has used: they share permits. */
export function serviceDependencies(table: Table) {
  nextStartMs += 3_600_000;
  return {
    gameLiftStreams: new GameLiftStreamsClient({ region: 'us-west-2' }),
    table,
    clock: new VirtualClock(nextStartMs),
    random: () => 0,
    log: memoryLog(),
    metrics: memoryMetrics(),
  };
}
