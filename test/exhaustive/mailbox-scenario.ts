/**
 * The mailbox of one window: those who signal it, the registrations of its execution's waits, and the execution,
 * which waits again each time, or records RECONNECTED once it has been woken. The functions are the real ones; the
 * execution does what `reconnection-window.asl.yml` says of its waits (`takeSignal`, `Retry`, `States.Timeout`).
 */

import { VirtualClock } from 'local-server-kit';
import { z } from 'zod';
import * as realRecording from '../../functions/record-outcome/record-outcome.ts';
import { windowKey } from '../../functions/shared/contracts/table-keys.ts';
import { correctDeadline } from '../../functions/shared/window/correct-deadline.ts';
import * as realMailbox from '../../functions/shared/window/mailbox.ts';
import { type WindowItem, windowItemSchema } from '../../functions/shared/window/window-item.ts';
import { markWaiting } from '../../functions/watch-sessions/mark-waiting.ts';
import { MemoryItems } from '../../local/dynamodb/memory-items.ts';
import { memoryLog } from '../helpers/log.ts';
import { memoryMetrics } from '../helpers/metrics.ts';
import { BUS_SETTINGS } from '../helpers/windows.ts';
import type { Scenario } from './explore.ts';
import { gatedEventBridge, gatedStepFunctions, gatedTable } from './gated-clients.ts';
import type { Choice, Gate, World } from './world.ts';

const SESSION = { streamGroupId: 'sg-1', streamSessionId: 'session' };
const EXECUTION_NAME = 'session-1';

/** What is put to the proof. */
export type Code = Pick<typeof realMailbox, 'signalWindow' | 'registerTaskToken' | 'wakeWindow'> &
  Pick<typeof realRecording, 'recordOutcome'>;
export const REAL_CODE: Code = { ...realMailbox, ...realRecording };

export interface MailboxOptions {
  readonly code?: Code;
  readonly signals: readonly realMailbox.Signal[];
  /** How often a sender that died is invoked again, as Lambda does; then its signal is left as it is. */
  readonly repeats?: number;
  /** How often a wait may end by its timeout. */
  readonly timeouts?: number;
  /** How often a wait's task may be tried again although its function lives (its invocation timed out). */
  readonly retries?: number;
  /** Whether a feed corrects the deadline meanwhile. */
  readonly correcting?: boolean;
  /** Whether the execution records RECONNECTED when it has been woken, instead of waiting again. */
  readonly recording?: boolean;
  /**
   * Whether no read has shown the session waiting, so that the execution takes the report for a false one. A watcher
   * marks the window meanwhile: the service has noticed the loss late.
   */
  readonly noticedLate?: boolean;
}

const mailboxSchema = windowItemSchema.extend({ signalIds: z.set(z.string()).optional() });
const stateSchema = z.object({
  seq: z.number(),
  connectionCreatedAtMs: z.number(),
  connectionAttempts: z.number(),
});

export function mailboxScenario(
  world: World,
  {
    code = REAL_CODE,
    signals,
    repeats = 0,
    timeouts = 0,
    retries = 0,
    correcting = false,
    recording = false,
    noticedLate = false,
  }: MailboxOptions,
): Scenario {
  const items = new MemoryItems();
  const published: unknown[] = [];
  const log = memoryLog();
  items.answer('PutCommand', { Item: { ...windowKey(SESSION), ...newWindow() } });

  const window = () => mailboxSchema.parse(items.item(windowKey(SESSION)));

  const execution = {
    waitNumber: 0,
    retryCount: 0,
    ackSeq: 0,
    connectionAttempts: 0,
    /** The token of the task in hand; none between two waits. */
    token: '',
    phase: 'WAITING' as 'WAITING' | 'RECORDING' | 'RECORDED' | 'FAILED',
  };
  let timeoutsLeft = timeouts;
  let retriesLeft = retries;
  /** Signals that nobody is left to send: the next registration owes them to the execution. */
  let isOwed = false;
  /** What senders were told: the window has their signal. */
  const accepted = new Set<string>();

  const executions = {
    // Every token that is stored was the wait's at that time.
    isOver: (taskToken: string) => taskToken !== execution.token || execution.phase !== 'WAITING',
    succeed(taskToken: string, output: unknown): boolean {
      if (taskToken !== execution.token || execution.phase !== 'WAITING') return false;
      const state = stateSchema.parse(output);
      if (state.seq < execution.ackSeq) throw new Error(`${state.seq} is heard after ${execution.ackSeq}`);
      execution.ackSeq = state.seq;
      execution.connectionAttempts = state.connectionAttempts;
      next();
      return true;
    },
  };
  const dependencies = (gate: Gate) => ({
    table: gatedTable(items, gate),
    stepFunctions: gatedStepFunctions(executions, gate),
    log,
    metrics: memoryMetrics(),
  });

  function beginWait(): void {
    const { waitNumber, retryCount, ackSeq } = execution;
    const taskToken = `token-${waitNumber}.${retryCount}`;
    execution.token = taskToken;
    const tryAgain = () => {
      if (execution.token !== taskToken || execution.phase !== 'WAITING') return;
      execution.retryCount++;
      beginWait();
    };
    world.start(
      `register ${waitNumber}.${retryCount}`,
      async (gate) => {
        const registration = {
          taskToken,
          generation: 1,
          phase: 'AWAITING_RECONNECTION' as const,
          deadlineMs: 121_000,
          pendingSinceMs: 1000,
          ackSeq,
          waitNumber,
          retryCount,
        };
        const registering: Gate = (label, effect, isAlone) =>
          gate(
            label,
            () => {
              const result = effect();
              if (label === 'UpdateCommand' && execution.token === taskToken) isOwed = false;
              return result;
            },
            isAlone,
          );
        await code.registerTaskToken(SESSION, registration, dependencies(registering));
      },
      {
        onThrow: (error) => {
          if (error instanceof Error && error.name === 'WindowNotOpenError') {
            if (execution.token === taskToken) execution.phase = 'FAILED';
          } else tryAgain();
        },
        onDeath: tryAgain,
      },
    );
  }

  /** After a wait: the next one, or the end. */
  function next(): void {
    execution.waitNumber++;
    execution.retryCount = 0;
    if (recording && execution.ackSeq > 0) record();
    else beginWait();
  }

  function record(): void {
    execution.phase = 'RECORDING';
    execution.token = '';
    const input: realRecording.RecordOutcomeInput = {
      ...SESSION,
      executionName: EXECUTION_NAME,
      generation: 1,
      ackSeq: execution.ackSeq,
      outcome: noticedLate && window().seenWaitingAtMs === undefined ? 'NOT_DISCONNECTED' : 'RECONNECTED',
      status: 'CONNECTED',
      statusReason: null,
      disconnectedAtMs: 1000,
      endedAtMs: 5000,
      connectionAttempts: execution.connectionAttempts,
    };
    const tryAgain = () => {
      record();
    };
    world.start(
      'record',
      (gate) =>
        code.recordOutcome(input, {
          ...dependencies(gate),
          eventBridge: gatedEventBridge(published, gate),
          clock: new VirtualClock(6000),
          settings: { ...BUS_SETTINGS, OUTCOME_RETENTION_DAYS: 30 },
        }),
      {
        onReturn: (result) => {
          if (result.recorded) {
            execution.phase = 'RECORDED';
            return;
          }
          execution.ackSeq = result.seq;
          execution.connectionAttempts = result.connectionAttempts;
          // It looks at the session, finds it connected, and records that.
          record();
        },
        onThrow: tryAgain,
        onDeath: tryAgain,
      },
    );
  }

  function send(signal: realMailbox.Signal, repeatsLeft: number): void {
    const again = () => {
      if (repeatsLeft > 0) send(signal, repeatsLeft - 1);
      // Nobody knows how far it came.
      else isOwed = true;
    };
    world.start(`signal ${signal.id}`, (gate) => code.signalWindow(SESSION, signal, dependencies(gate)), {
      onReturn: (result) => {
        if (result !== undefined) accepted.add(signal.id);
      },
      onThrow: again,
      onDeath: again,
    });
  }

  beginWait();
  for (const signal of signals) send(signal, repeats);
  if (correcting) {
    const seen = window();
    world.start(
      'correct',
      (gate) =>
        correctDeadline(
          SESSION,
          seen,
          { deadlineMs: 61_000, connectionTimeoutSeconds: 60 },
          dependencies(gate),
        ),
      {
        onDeath: () => {
          isOwed = true;
        },
        onThrow: () => {
          isOwed = true;
        },
      },
    );
  }

  /** Whether the watcher knows that its mark is on the window. */
  let isMarked = false;
  if (noticedLate) {
    world.start(
      'mark',
      async (gate) => {
        const marked = new Set<string>();
        const { generation, disconnectedAtMs } = window();
        const listed = { session: SESSION, lastUpdatedAtMs: 5500 };
        const waiting = { sessions: new Map([[SESSION.streamSessionId, listed]]), complete: true };
        const none = { sessions: new Map(), complete: true };
        await markWaiting(
          [{ ...newWindow(), session: SESSION, generation, disconnectedAtMs }],
          { PENDING_CLIENT_RECONNECTION: waiting, ACTIVE: none, RECONNECTING: none },
          marked,
          { ...dependencies(gate), clock: new VirtualClock(6000) },
        );
        isMarked = window().seenWaitingAtMs !== undefined;
      },
      { onDeath: () => {}, onThrow: () => {} },
    );
  }

  const inWindow = () => signals.filter(({ id }) => window().signalIds?.has(id) === true);
  const outcomes = () => items.all().filter(({ sk }) => String(sk).startsWith('outcome#'));

  return {
    events: () => {
      const events: Choice[] = [];
      const isWaiting = execution.phase === 'WAITING';
      if (isWaiting && timeoutsLeft > 0) {
        events.push({
          label: 'the wait times out',
          happen: () => {
            timeoutsLeft--;
            next();
          },
        });
      }
      if (isWaiting && retriesLeft > 0) {
        events.push({
          label: 'the registration is taken for dead',
          happen: () => {
            retriesLeft--;
            execution.retryCount++;
            beginWait();
          },
        });
      }
      return events;
    },
    state: () => [items.all(), execution, timeoutsLeft, retriesLeft, isOwed, accepted, isMarked, published],
    always: () => {
      const { seq, connectionAttempts, phase } = window();
      const isOpen = phase !== 'CLOSED';
      const counted = isOpen ? inWindow() : [];
      const corrections = window().correction === undefined ? 0 : 1;
      if (isOpen && seq !== counted.length + corrections) {
        throw new Error(`seq is ${seq} after ${counted.length} signals and ${corrections} corrections`);
      }
      const attempts = counted.reduce((sum, { connection }) => sum + (connection?.attempts ?? 0), 0);
      if (isOpen && connectionAttempts !== attempts) {
        throw new Error(`${connectionAttempts} attempts are counted of ${attempts}`);
      }
      for (const id of accepted) {
        if (isOpen && !counted.some((signal) => signal.id === id)) throw new Error(`${id} was lost`);
      }
    },
    whenQuiet: () => {
      if (execution.phase === 'WAITING' && !isOwed && window().seq > execution.ackSeq) {
        throw new Error(`the execution waits, with ${execution.ackSeq} of ${window().seq} signals heard`);
      }
    },
    atEnd: () => {
      if (!recording) return;
      if (execution.phase !== 'RECORDED') {
        if (execution.phase === 'WAITING' && (isOwed || window().seq === 0)) return;
        throw new Error(`the execution is ${execution.phase}`);
      }
      const { seq, phase } = window();
      if (phase !== 'CLOSED') throw new Error(`recorded, and the window is ${phase}`);
      if (seq !== execution.ackSeq)
        throw new Error(`closed with ${execution.ackSeq} of ${seq} signals heard`);
      if (accepted.size > seq)
        throw new Error(`${accepted.size} signals were accepted, ${seq} are in the window`);
      const { isNotDisconnected } = window();
      if (isMarked && isNotDisconnected === true)
        throw new Error('NOT_DISCONNECTED, though the watcher saw it wait');
      if (outcomes().length !== 1) throw new Error(`${outcomes().length} outcomes are kept`);
      if (published.length === 0) throw new Error('no outcome was published');
      const different = new Set(published.map((detail) => JSON.stringify(detail)));
      if (different.size !== 1) throw new Error(`${different.size} different outcomes were published`);
    },
  };
}

function newWindow(): WindowItem {
  return {
    generation: 1,
    phase: 'AWAITING_RECONNECTION',
    executionInput: '{}',
    running: false,
    disconnectedAtMs: 1000,
    pendingSinceMs: 1000,
    deadlineMs: 121_000,
    connectionTimeoutSeconds: 120,
    seq: 0,
    connectionCreatedAtMs: 0,
    connectionAttempts: 0,
  };
}
