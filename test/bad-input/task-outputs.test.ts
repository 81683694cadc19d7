import { SendTaskSuccessCommand } from '@aws-sdk/client-sfn';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ScriptedFunction, type SignalledState, startMachines } from '../helpers/machines.ts';
import { hostileValue, MARKER, nearly, nearlyText } from './arbitraries.ts';
import { FUZZ_TIMEOUT_MS, runs } from './runs.ts';
import { watchPrototypes } from './watch.ts';

watchPrototypes();

const HOUR_MS = 3_600_000;
/** A wait of a window takes a second at least; who asks more often than that does so without a bound. */
const MOST_CALLS_AN_HOUR = 3 * 3600;

const SIGNAL: SignalledState = {
  seq: 1,
  connectionCreatedAtMs: Date.UTC(2026, 0, 1),
  connectionAttempts: 1,
  correction: { seq: 1, deadlineMs: Date.UTC(2026, 0, 1, 0, 5), connectionTimeoutSeconds: 300 },
};

/** What each function returns when all is well. */
const GOOD: Readonly<Record<string, ScriptedFunction>> = {
  registerTaskToken: () => null,
  checkSession: ({ pendingSinceMs, connectionTimeoutSeconds }) => ({
    status: 'TERMINATED',
    statusReason: 'reconnectionTimeout',
    statusChangedAtMs: pendingSinceMs,
    pendingSinceMs,
    connectionTimeoutSeconds,
    deadlineMs: pendingSinceMs,
    beforeLoss: false,
    overdue: false,
  }),
  recordOutcome: ({ ackSeq, connectionAttempts }) => ({
    recorded: true,
    seq: ackSeq,
    connectionCreatedAtMs: 0,
    connectionAttempts,
  }),
  recordFailure: () => null,
  terminateSession: () => null,
  createConnection: () => ({
    result: 'CONNECTION_CREATED',
    signalResponse: '{"type":"answer"}',
    connectionCreatedAtMs: Date.UTC(2026, 0, 1),
    connectionAttempts: 1,
  }),
  signalWindow: () => null,
  createAdminShell: () => ({
    result: 'ADMIN_SHELL_CREATED',
    sessionId: 'shell-1',
    streamUrl: 'wss://x.example',
    tokenValue: 'token',
    createdAtMs: Date.UTC(2026, 0, 1),
  }),
};

/** The machines, with one function whose reply is as bad as it is told. */
async function start(spoilt: string) {
  let change: (reply: unknown) => unknown = (reply) => reply;
  const machines = await startMachines({
    ...GOOD,
    [spoilt]: (payload) => change(GOOD[spoilt]?.(payload)),
  });
  return {
    ...machines,
    spoil: (how: (reply: unknown) => unknown) => {
      change = how;
    },
  };
}

type Described = Awaited<ReturnType<Awaited<ReturnType<typeof start>>['describe']>>;

function expectNoEcho({ error, cause }: Pick<Described, 'error' | 'cause'>): void {
  expect(error ?? '').not.toContain(MARKER);
  expect(cause ?? '').not.toContain(MARKER);
}

let generation = 0;

// What the other functions of a window return nobody reads.
describe.each(['checkSession', 'recordOutcome'])('a window whose %s returns what it should not', (key) => {
  it(
    'ends, or waits for its time, and tells no part of it in its error',
    async () => {
      const { spoil, startWindow, describe: describeExecution, clock, invoked, calls } = await start(key);
      await fc.assert(
        fc.asyncProperty(fc.infiniteStream(replyLike(key)), async (replies) => {
          spoil(() => replies.next().value);
          invoked.length = 0;

          const window = await startWindow({ ...times(clock.nowMs()), generation: ++generation });
          await clock.advance(HOUR_MS);

          const execution = await describeExecution(window);
          expect(['RUNNING', 'SUCCEEDED', 'FAILED']).toContain(execution.status);
          expect(invoked.length).toBeLessThan(MOST_CALLS_AN_HOUR);
          if (execution.status === 'FAILED') expect(calls('recordFailure')).toBeGreaterThan(0);
          expectNoEcho(execution);
        }),
        runs(40),
      );
    },
    FUZZ_TIMEOUT_MS,
  );
});

describe('a waiting window that is signalled with what no mailbox sends', () => {
  it(
    'ends, or waits for its time, and tells no part of it in its error',
    async () => {
      const { startWindow, describe: describeExecution, clock, invoked, client } = await start('none');
      await fc.assert(
        fc.asyncProperty(fc.oneof(nearlyText(SIGNAL), hostileValue.map(textOf)), async (output) => {
          invoked.length = 0;
          const window = await startWindow({ ...times(clock.nowMs()), generation: ++generation });
          const taskToken = String(invoked.at(-1)?.payload['taskToken']);

          const refused = await clock.track(() =>
            client.send(new SendTaskSuccessCommand({ taskToken, output })).then(
              () => undefined,
              (error: unknown) => error,
            ),
          );
          await clock.advance(HOUR_MS);

          const execution = await describeExecution(window);
          if (refused !== undefined) expect(refused).toMatchObject({ name: 'InvalidOutput' });
          // A Choice that cannot decide has no Catch: then on-execution-failure gives the window its next execution.
          expect(['SUCCEEDED', 'FAILED', 'RUNNING']).toContain(execution.status);
          expect(invoked.length).toBeLessThan(MOST_CALLS_AN_HOUR);
          expectNoEcho(execution);
        }),
        runs(30),
      );
    },
    FUZZ_TIMEOUT_MS,
  );
});

describe.each([
  ['createConnection', 'connect'],
  ['signalWindow', 'connect'],
  ['createAdminShell', 'askForShell'],
] as const)('an API call whose %s returns what it should not', (key, call) => {
  it(
    'is answered within its time, with a status that an API may have, and no part of it in its error',
    async () => {
      const machines = await start(key);
      await fc.assert(
        fc.asyncProperty(replyLike(key), async (reply) => {
          machines.spoil(() => reply);

          const execution = await machines[call]();

          expect(['SUCCEEDED', 'FAILED', 'TIMED_OUT']).toContain(execution.status);
          expect(execution.tookMs).toBeLessThanOrEqual(29_000);
          expectNoEcho(execution);
        }),
        runs(40),
      );
    },
    FUZZ_TIMEOUT_MS,
  );
});

/** As JSON text, which not every text here is. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function times(nowMs: number) {
  return { disconnectedAtMs: nowMs, deadlineMs: nowMs + 120_000, terminateAbandoned: true };
}

/** Near what the function returns for a window that began now, or anything. */
function replyLike(key: string): fc.Arbitrary<unknown> {
  const payload = {
    pendingSinceMs: Date.UTC(2026, 0, 1),
    connectionTimeoutSeconds: 120,
    ackSeq: 0,
    connectionAttempts: 0,
  };
  const good = GOOD[key]?.(payload);
  return fc.oneof({ weight: 3, arbitrary: nearly(good) }, { weight: 1, arbitrary: hostileValue });
}
