import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { anOffer } from 'game-lift-streams-local';
import type { LambdaResult } from 'local-server-kit';
import { describe, expect, inject, it } from 'vitest';
import { windowExecutionName } from '../../functions/shared/contracts/names.ts';
import { VALID_CLIENT_TOKEN } from '../../local/simulation/offers.ts';
import { executionFailureEvent } from '../helpers/execution-failure.ts';
import { apiEvent } from '../helpers/lambda.ts';
import { statusChangeEvent } from '../helpers/status-change.ts';
import { startWorkflow } from '../helpers/workflow.ts';
import { hostileText, MARKER, nearly, nearlyText } from './arbitraries.ts';
import { FUZZ_TIMEOUT_MS, runs } from './runs.ts';
import { watchOutput, watchPrototypes } from './watch.ts';

watchPrototypes();

const session = { streamGroupId: 'sg-local0001', streamSessionId: 'ABC123def4567' };
const NOW_MS = Date.UTC(2026, 0, 1);

/** How a function may end when its input is bad. */
type Ending = (result: LambdaResult) => void;

const TASK_ERRORS = [
  'InvalidTaskInputError',
  'WindowNotOpenError',
  'ThrottlingException',
  'ConflictException',
  'PermitNotAvailableException',
  'StreamSessionAccessNotReadyException',
];

/** A state machine sees a result, or an error whose name and message are fixed. */
const asTask: Ending = (result) => {
  if (!result.ok) {
    expect(TASK_ERRORS).toContain(result.failure.errorType);
    expect(result.failure.errorMessage).not.toContain(MARKER);
  }
};
/** A bad event is not to be retried: the same event would fail again. */
const asTarget: Ending = (result) => expect(result).toMatchObject({ ok: true });
/** The caller's mistake is answered with a 4xx that names the field. */
const asRoute: Ending = (result) => {
  expect(result).toMatchObject({ ok: true });
  const text = JSON.stringify(result);
  const status = Number(/"statusCode":(\d+)/.exec(text)?.[1]);
  expect(status).toBeGreaterThanOrEqual(200);
  expect(status).toBeLessThan(500);
  expect(text).not.toContain(MARKER);
};

interface Entry {
  readonly inputs: fc.Arbitrary<unknown>;
  readonly ending: Ending;
  readonly times: number;
  /** Of the function's own time: more than this is work without a bound. */
  readonly withinMs?: number;
}

const task = (input: Record<string, unknown>): Entry => ({
  inputs: nearly({ ...session, executionName: windowExecutionName(session, 1), ...input }),
  ending: asTask,
  times: 40,
});

const pathParameters = {
  Identifier: session.streamGroupId,
  StreamSessionIdentifier: session.streamSessionId,
};
const multiValueHeaders = { 'x-user-id': ['player-1'], 'content-type': ['application/json'] };

function route(bodies: fc.Arbitrary<string | null>): Entry {
  const inputs = fc
    .record({
      pathParameters: fc.oneof(
        { weight: 2, arbitrary: fc.constant(pathParameters) },
        {
          weight: 1,
          arbitrary: fc
            .record({ Identifier: hostileText, StreamSessionIdentifier: hostileText }, { requiredKeys: [] })
            .map((broken) => ({ ...pathParameters, ...broken })),
        },
        {
          weight: 1,
          arbitrary: fc.constantFrom(null, JSON.parse(`{"__proto__":{"Identifier":"${MARKER}"}}`)),
        },
      ),
      multiValueHeaders: fc.oneof(
        fc.constant(multiValueHeaders),
        fc.dictionary(
          fc.constantFrom(
            'x-user-id',
            'X-USER-ID',
            'x-ended-by',
            '__proto__',
            'constructor',
            'content-type',
            `${MARKER}`,
          ),
          fc.array(hostileText, { maxLength: 3 }),
        ),
        fc.constant(null),
      ),
      body: bodies,
      isBase64Encoded: fc.boolean(),
    })
    .map((overrides) => ({ ...apiEvent(), ...overrides }));
  return { inputs, ending: asRoute, times: 60 };
}

const connectionBody = fc.constant({ SignalRequest: anOffer(), ClientToken: VALID_CLIENT_TOKEN });
const connectionBodies = fc.oneof(
  { weight: 3, arbitrary: connectionBody.chain(nearlyText) },
  // The offer is JSON inside JSON.
  {
    weight: 2,
    arbitrary: nearlyText(JSON.parse(anOffer())).map((SignalRequest) => JSON.stringify({ SignalRequest })),
  },
);

const ENTRIES: Readonly<Record<string, Entry>> = {
  'check-session': task({
    pendingSinceMs: NOW_MS,
    connectionCreatedAtMs: 0,
    connectionTimeoutSeconds: 120,
    marginSeconds: 2,
  }),
  'create-admin-shell': task({ deadlineMs: NOW_MS + 1e9 }),
  'create-connection': task({
    signalRequest: anOffer(),
    clientToken: VALID_CLIENT_TOKEN,
    deadlineMs: NOW_MS + 1e9,
    retryCount: 0,
  }),
  'record-failure': task({ generation: 1, error: 'SessionNotFound' }),
  'record-outcome': task({
    generation: 1,
    ackSeq: 0,
    outcome: 'TERMINATED',
    statusReason: 'reconnectionTimeout',
    disconnectedAtMs: NOW_MS,
    endedAtMs: NOW_MS + 120_000,
    connectionAttempts: 0,
  }),
  'register-task-token': task({
    taskToken: 'token',
    generation: 1,
    phase: 'AWAITING_RECONNECTION',
    deadlineMs: NOW_MS + 120_000,
    pendingSinceMs: NOW_MS,
    ackSeq: 0,
    waitNumber: 0,
    retryCount: 0,
  }),
  'signal-window': task({ connectionCreatedAtMs: NOW_MS, connectionAttempts: 1 }),
  'terminate-session': task({ pendingSinceMs: NOW_MS, marginSeconds: 2 }),
  'on-status-change': {
    inputs: nearly(
      statusChangeEvent({
        session,
        atMs: NOW_MS,
        detail: {
          connectionTimeoutSeconds: 120,
          sessionEndsAt: '2026-01-01T12:00:00.000Z',
          statusReason: 'reconnectionTimeout',
        },
      }),
    ),
    ending: asTarget,
    times: 80,
  },
  'on-execution-failure': {
    inputs: fc.oneof(
      nearly(executionFailureEvent(session)),
      nearlyText({ ...session, generation: 1 }).map((input) => executionFailureEvent(session, 1, { input })),
      nearly(executionFailureEvent(session, 1, { input: null })),
    ),
    ending: asTarget,
    times: 80,
  },
  'watch-sessions': {
    inputs: nearly({ source: 'aws.scheduler' }),
    ending: asTarget,
    times: 3,
    withinMs: 60_000,
  },
  'request-connection': route(connectionBodies),
  'request-admin-shell': route(fc.oneof(fc.constant(null), nearlyText({}))),
  'leave-session': route(fc.oneof(fc.constant(null), nearlyText({}))),
  'get-window': route(fc.oneof(fc.constant(null), nearlyText({}))),
};

const keyOf = (folder: string) => folder.replace(/-./g, (dash) => dash.slice(1).toUpperCase());

it('every function has its bad input here', async () => {
  const folders = await readdir(join(import.meta.dirname, '../../functions'));

  expect(Object.keys(ENTRIES).sort()).toEqual(folders.filter((name) => name !== 'shared').sort());
  expect(Object.keys(ENTRIES).map(keyOf).sort()).toEqual(
    inject('service')
      .functions.map(({ key }) => key)
      .sort(),
  );
});

/** What a task is meant to tell in a log line: names that stand in the execution's history as well. */
const TOLD = ['executionName', 'error', 'statusReason'];
const tells = (input: unknown) => {
  if (typeof input !== 'object' || input === null) return false;
  return Object.entries(input).some(
    ([name, value]) => TOLD.includes(name) && JSON.stringify(value).includes(MARKER),
  );
};

describe.each(Object.entries(ENTRIES))('%s', (folder, entry) => {
  const { inputs, ending, times, withinMs = 30_000 } = entry;
  it(
    'ends in a known way whatever it is sent, and repeats none of it',
    async () => {
      const workflow = await startWorkflow();
      const { clock } = workflow;
      await fc.assert(
        fc.asyncProperty(inputs, async (input) => {
          const assertOutput = watchOutput();
          const startMs = clock.nowMs();

          const result = await workflow.inTime(() => workflow.invoke(keyOf(folder), input));

          ending(result);
          if (!tells(input)) assertOutput();
          expect(clock.nowMs() - startMs).toBeLessThanOrEqual(withinMs);
        }),
        runs(times),
      );
    },
    FUZZ_TIMEOUT_MS,
  );
});
