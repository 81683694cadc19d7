/**
 * One disconnect that several feeds report while the watcher looks: who opens the window, who starts its
 * execution, and what becomes of it when somebody stops that execution. The functions are the real ones; an
 * execution waits once, is told nothing, and records that the session was terminated.
 */
import { GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import { VirtualClock } from 'local-server-kit';
import { z } from 'zod';
import { onExecutionFailure } from '../../functions/on-execution-failure/on-execution-failure.ts';
import { onStatusChange } from '../../functions/on-status-change/on-status-change.ts';
import { parseStatusChangeEvent } from '../../functions/on-status-change/parse-event.ts';
import { recordOutcome } from '../../functions/record-outcome/record-outcome.ts';
import { windowKey } from '../../functions/shared/contracts/table-keys.ts';
import { registerTaskToken } from '../../functions/shared/window/mailbox.ts';
import { isOpen, readWindow, windowItemSchema } from '../../functions/shared/window/window-item.ts';
import { mendWindow } from '../../functions/watch-sessions/reconcile-windows.ts';
import { MemoryItems } from '../../local/dynamodb/memory-items.ts';
import { memoryLog } from '../helpers/log.ts';
import { memoryMetrics } from '../helpers/metrics.ts';
import { statusChangeEvent } from '../helpers/status-change.ts';
import { BUS_SETTINGS, OUTCOME_RETENTION_DAYS, WINDOW_SETTINGS } from '../helpers/windows.ts';
import type { Scenario } from './explore.ts';
import { gatedEventBridge, gatedStepFunctions, gatedTable } from './gated-clients.ts';
import type { Choice, Gate, World } from './world.ts';

export const SESSION = { streamGroupId: 'sg-1', streamSessionId: 'session' };
const DROPPED_AT_MS = 1_000_000;
const NOW_MS = DROPPED_AT_MS + 1000;
const settings = {
  ...BUS_SETTINGS,
  ...WINDOW_SETTINGS,
  RECONNECTION_WINDOW_ARN: 'arn:aws:states:us-west-2:111122223333:stateMachine:reconnection-window',
  ALLOW_EARLY_END: false,
  READS_PER_SECOND: 20,
  OUTCOME_RETENTION_DAYS,
};
const gameLiftStreams = new GameLiftStreamsClient({ region: 'us-west-2' });

export interface Code {
  readonly onStatusChange: typeof onStatusChange;
  readonly mendWindow: typeof mendWindow;
}
export const REAL_CODE: Code = { onStatusChange, mendWindow };

export interface OpeningOptions {
  readonly code?: Code;
  readonly reports: number;
  /** How often Lambda invokes an event again that has failed. */
  readonly repeats?: number;
  /** How often the watcher may find that the window needs its execution. */
  readonly looks?: number;
  /** How often somebody may stop a running execution. */
  readonly stops?: number;
}

interface Execution {
  readonly name: string;
  readonly generation: number;
  readonly input: string;
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED';
  /** Its wait can end when its registration is over, or by a signal. */
  wait: 'BEGINS' | 'GOES_ON' | 'HAS_ENDED';
}

export function openingScenario(
  world: World,
  { code = REAL_CODE, reports, repeats = 0, looks = 0, stops = 0 }: OpeningOptions,
): Scenario {
  const items = new MemoryItems();
  const published: unknown[] = [];
  const running: Execution[] = [];
  let looksLeft = looks;
  let stopsLeft = stops;
  /** Feeds that gave up: only the watcher can make good what they have left. */
  let hasGivenUp = false;

  const executions = {
    isOver: () => false,
    succeed(taskToken: string): boolean {
      const execution = running.find(({ generation }) => taskToken === `token-${generation}`);
      if (execution?.status !== 'RUNNING' || execution.wait === 'HAS_ENDED') return false;
      execution.wait = 'HAS_ENDED';
      record(execution);
      return true;
    },
    start(name: string, input: string): boolean {
      const known = running.find((execution) => execution.name === name);
      if (known !== undefined) return known.status === 'RUNNING' && known.input === input;
      const { generation } = z.object({ generation: z.number() }).parse(JSON.parse(input));
      const execution: Execution = { name, generation, input, status: 'RUNNING', wait: 'BEGINS' };
      running.push(execution);
      register(execution);
      return true;
    },
    status: (arn: string) => running.find(({ name }) => arn.endsWith(`:${name}`))?.status,
  };
  const dependencies = (gate: Gate) => ({
    table: gatedTable(items, gate),
    stepFunctions: gatedStepFunctions(executions, gate),
    eventBridge: gatedEventBridge(published, gate),
    gameLiftStreams,
    clock: new VirtualClock(NOW_MS),
    random: () => 0,
    log: memoryLog(),
    metrics: memoryMetrics(),
    settings,
  });

  function register(execution: Execution): void {
    const tryAgain = () => {
      if (execution.status === 'RUNNING' && execution.wait === 'BEGINS') register(execution);
    };
    const { generation } = execution;
    world.start(
      `register of ${execution.name}`,
      async (gate) => {
        const registration = {
          taskToken: `token-${generation}`,
          generation,
          phase: 'AWAITING_RECONNECTION' as const,
          deadlineMs: NOW_MS,
          pendingSinceMs: DROPPED_AT_MS,
          ackSeq: 0,
          waitNumber: 0,
          retryCount: 0,
        };
        await registerTaskToken(SESSION, registration, dependencies(gate));
        if (execution.wait === 'BEGINS') execution.wait = 'GOES_ON';
      },
      {
        onDeath: tryAgain,
        onThrow: (error) => {
          if (error instanceof Error && error.name === 'WindowNotOpenError') fail(execution);
          else tryAgain();
        },
      },
    );
  }

  function record(execution: Execution): void {
    const tryAgain = () => {
      if (execution.status === 'RUNNING') record(execution);
    };
    const input = {
      ...SESSION,
      executionName: execution.name,
      generation: execution.generation,
      ackSeq: 0,
      outcome: 'TERMINATED' as const,
      statusReason: 'reconnectionTimeout',
      disconnectedAtMs: DROPPED_AT_MS,
      endedAtMs: NOW_MS,
      connectionAttempts: 0,
    };
    world.start(`record of ${execution.name}`, (gate) => recordOutcome(input, dependencies(gate)), {
      onReturn: () => {
        if (execution.status === 'RUNNING') execution.status = 'SUCCEEDED';
      },
      onDeath: tryAgain,
      onThrow: (error) => {
        if (error instanceof Error && error.name === 'WindowNotOpenError') fail(execution);
        else tryAgain();
      },
    });
  }

  function fail(execution: Execution): void {
    if (execution.status !== 'RUNNING') return;
    execution.status = 'FAILED';
    notice(execution, repeats);
  }

  /** Step Functions' own event, which comes at least once. */
  function notice(execution: Execution, repeatsLeft: number): void {
    const { name: executionName, generation } = execution;
    const again = () => {
      if (repeatsLeft > 0) notice(execution, repeatsLeft - 1);
      else hasGivenUp = true;
    };
    const failed = { ...SESSION, executionName, generation, status: 'ABORTED' as const };
    world.start(`notice of ${executionName}`, (gate) => onExecutionFailure(failed, dependencies(gate)), {
      onDeath: again,
      onThrow: again,
    });
  }

  function report(feed: number, repeatsLeft: number): void {
    const again = () => {
      if (repeatsLeft > 0) report(feed, repeatsLeft - 1);
      else hasGivenUp = true;
    };
    const event = statusChangeEvent({
      session: SESSION,
      atMs: DROPPED_AT_MS + feed * 100,
      id: `00000000-0000-4000-8000-00000000000${feed}`,
    });
    world.start(
      `feed ${feed}`,
      (gate) => code.onStatusChange(parseStatusChangeEvent(event, NOW_MS), dependencies(gate)),
      { onDeath: again, onThrow: again },
    );
  }

  function look(): void {
    world.start(
      'watcher',
      async (gate) => {
        const window = await readWindow(gatedTable(items, gate), SESSION);
        if (window !== undefined && isOpen(window))
          await code.mendWindow(SESSION, window, dependencies(gate));
      },
      {
        onDeath: () => {},
        onThrow: () => {},
      },
    );
  }

  for (let feed = 1; feed <= reports; feed++) report(feed, repeats);

  const window = () => {
    const item = items.item(windowKey(SESSION));
    return item === undefined ? undefined : windowItemSchema.parse(item);
  };
  const outcomes = () => items.all().filter(({ sk }) => String(sk).startsWith('outcome#'));
  const alive = () => running.filter(({ status }) => status === 'RUNNING');

  return {
    events: () => {
      const events: Choice[] = [];
      for (const execution of alive()) {
        if (execution.wait === 'GOES_ON') {
          events.push({
            label: `${execution.name}: the wait ends`,
            happen: () => {
              execution.wait = 'HAS_ENDED';
              record(execution);
            },
          });
        }
        if (stopsLeft > 0) {
          events.push({
            label: `${execution.name} is stopped`,
            happen: () => {
              stopsLeft--;
              execution.status = 'ABORTED';
              notice(execution, repeats);
            },
          });
        }
      }
      if (looksLeft > 0) {
        events.push({
          label: 'the watcher looks',
          happen: () => {
            looksLeft--;
            look();
          },
        });
      }
      return events;
    },
    state: () => [items.all(), running, looksLeft, stopsLeft, hasGivenUp, published],
    always: () => {
      const present = window();
      const open = present !== undefined && isOpen(present);
      if (alive().length > 1) throw new Error(`${alive().map(({ name }) => name)} run at once`);
      if (outcomes().length > 1) throw new Error('one disconnect has two outcomes');
      if (open && outcomes().length > 0) throw new Error('a window is open after its outcome');
      if (present !== undefined && present.generation > 1 + stops) {
        throw new Error(`${present.generation} windows for one disconnect`);
      }
    },
    whenQuiet: () => {
      const present = window();
      if (present === undefined) {
        if (!hasGivenUp) throw new Error('nobody has opened a window');
        return;
      }
      const isStarted = running.some(({ generation }) => generation === present.generation);
      if (isOpen(present) && !isStarted && !hasGivenUp && stops === 0) {
        throw new Error('the window is open, and nobody has started its execution');
      }
    },
    atEnd: () => {
      const isLeftAlone = hasGivenUp;
      if (!isLeftAlone && outcomes().length !== 1) throw new Error('the disconnect has no outcome');
      const different = new Set(published.map((detail) => JSON.stringify(detail)));
      if (different.size > 1) throw new Error(`${different.size} different outcomes were published`);
      if (!isLeftAlone && different.size === 0) throw new Error('no outcome was published');
    },
  };
}
