import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import { SFNClient } from '@aws-sdk/client-sfn';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { LOCAL_CREDENTIALS } from 'local-server-kit';
import { windowKey } from '../../functions/shared/contracts/table-keys.ts';
import { openIn } from '../../functions/shared/window/open-windows-index.ts';
import type { WindowItem } from '../../functions/shared/window/window-item.ts';
import { watchSessionsSchedule } from '../../functions/watch-sessions/watch-sessions.ts';
import { resolveEnvironment } from '../../local/service/read-service.ts';
import type { Service } from '../../local/service/service.ts';
import { lambdaContext } from '../../test/helpers/lambda.ts';
import { startVirtualStack } from '../shared/virtual-stack.ts';

export interface WatcherCost {
  readonly waitingSessions: number;
  /** Each looks as often as the interval says, or as often as the quota lets it. */
  readonly looksPerDay: number;
  /** By the operations' names. */
  readonly callsPerDay: Readonly<Record<string, number>>;
  readonly stateTransitionsPerDay: number;
  readonly gigabyteSecondsPerDay: number;
}

const MINUTES_PER_DAY = 24 * 60;
const SECONDS_PER_DAY = MINUTES_PER_DAY * 60;
const PARALLEL_WRITES = 32;

/** One minute of the watcher with so many sessions in their open windows, all of it counted, for a day. */
export async function measureWatcher(service: Service, waitingSessions: number): Promise<WatcherCost> {
  const stack = await startVirtualStack({ service, seed: 1, watching: false });
  const { clock, random, control, endpoints, table } = stack;
  try {
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
    const calls = new Map<string, number>();
    let looks = 0;
    const count = (commandName: unknown) => {
      const operation = String(commandName).replace(/Command$/, '');
      calls.set(operation, (calls.get(operation) ?? 0) + 1);
    };
    const connection = { region: service.region, credentials: LOCAL_CREDENTIALS };
    const gameLiftStreams = new GameLiftStreamsClient({
      ...connection,
      endpoint: endpoints.gameLiftStreams,
      maxAttempts: 1,
    });
    const stepFunctions = new SFNClient({ ...connection, endpoint: endpoints.stepFunctions });
    const eventBridge = new EventBridgeClient({ ...connection, endpoint: endpoints.eventBus });
    gameLiftStreams.middlewareStack.add(
      (next, context) => (args) => {
        count(context['commandName']);
        // The first page of a list: each look begins with one.
        if (!('NextToken' in args.input) || args.input.NextToken === undefined) looks++;
        return next(args);
      },
      { step: 'initialize' },
    );
    stepFunctions.middlewareStack.add(
      (next, context) => (args) => {
        count(context['commandName']);
        return next(args);
      },
      { step: 'initialize' },
    );
    eventBridge.middlewareStack.add(
      (next, context) => (args) => {
        count(context['commandName']);
        return next(args);
      },
      { step: 'initialize' },
    );
    table.documents.middlewareStack.add(
      (next, context) => (args) => {
        count(context['commandName']);
        return next(args);
      },
      { step: 'initialize' },
    );
    const watcher = service.functions.find(({ key }) => key === 'watchSessions');
    const watch = watchSessionsSchedule.handler(
      { documents: table.documents, gameLiftStreams, stepFunctions, eventBridge },
      { clock, random, environment: resolveEnvironment(service, 'watchSessions') },
    );
    let done = false;
    const watching = clock
      .track(() => watch({}, lambdaContext()))
      .finally(() => {
        done = true;
      });
    const startMs = clock.nowMs();
    while (!done) await clock.advance(100);
    await watching;
    for (const client of [gameLiftStreams, stepFunctions, eventBridge]) client.destroy();
    // A look that takes longer than the interval moves the end of the minute.
    const minutes = Math.max(60_000, clock.nowMs() - startMs) / 60_000;
    const perDay = (inThatTime: number) => Math.round((inThatTime / minutes) * MINUTES_PER_DAY);
    return {
      waitingSessions,
      looksPerDay: perDay(looks),
      callsPerDay: Object.fromEntries([...calls].map(([name, number]) => [name, perDay(number)])),
      // A wake would be one: whoever waits where the list says it waits is left alone.
      stateTransitionsPerDay: perDay(calls.get('SendTaskSuccess') ?? 0),
      gigabyteSecondsPerDay: ((watcher?.memoryMegabytes ?? 0) / 1024) * SECONDS_PER_DAY,
    };
  } finally {
    await stack.close();
  }
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
