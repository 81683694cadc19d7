import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checkSessionInputSchema } from '../../functions/check-session/check-session.ts';
import { createAdminShellInputSchema } from '../../functions/create-admin-shell/create-admin-shell.ts';
import { createConnectionInputSchema } from '../../functions/create-connection/create-connection.ts';
import { recordFailureInputSchema } from '../../functions/record-failure/record-failure.ts';
import { recordOutcomeInputSchema } from '../../functions/record-outcome/record-outcome.ts';
import { registerTaskTokenInputSchema } from '../../functions/register-task-token/register-task-token.ts';
import { answerOf as shellAnswerOf } from '../../functions/request-admin-shell/answer.ts';
import { answerOf as connectionAnswerOf } from '../../functions/request-connection/answer.ts';
import { windowItemSchema } from '../../functions/shared/window/window-item.ts';
import { signalWindowInputSchema } from '../../functions/signal-window/signal-window.ts';
import { terminateSessionInputSchema } from '../../functions/terminate-session/terminate-session.ts';
import { startMachines } from '../helpers/machines.ts';
import { type InFlight, inFlightSamples, todaysInFlight, writeInFlightSample } from './in-flight.ts';

const SECOND = 1000;

const taskSchemas: Readonly<Record<string, z.ZodType>> = {
  registerTaskToken: registerTaskTokenInputSchema,
  checkSession: checkSessionInputSchema,
  terminateSession: terminateSessionInputSchema,
  recordOutcome: recordOutcomeInputSchema,
  recordFailure: recordFailureInputSchema,
  createConnection: createConnectionInputSchema,
  signalWindow: signalWindowInputSchema,
  createAdminShell: createAdminShellInputSchema,
};

let captured: InFlight | undefined;

/** Once for the tests of this file, by the first that asks: the stack that it runs on lives as long as its test. */
async function today(): Promise<InFlight> {
  captured ??= await todaysInFlight();
  return captured;
}

/** The execution's input is text within the window's item. */
function executionInput(item: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return z.record(z.string(), z.unknown()).parse(JSON.parse(String(item['executionInput'])));
}

/** The paths of members that `then` has and `now` has not, or has as another type. */
function lost(then: unknown, now: unknown, path = ''): string[] {
  if (typeof then !== 'object' || then === null || Array.isArray(then)) {
    return then === null || typeof then === typeof now ? [] : [path];
  }
  if (typeof now !== 'object' || now === null) return [path];
  const members = new Map<string, unknown>(Object.entries(now));
  return Object.entries(then).flatMap(([key, value]) => lost(value, members.get(key), `${path}/${key}`));
}

it('a window, its signals and the requests are caught in flight', async () => {
  // Act
  const inFlight = await today();

  // Assess
  expect(Object.keys(inFlight.windowItems)).toEqual(['AWAITING_RECONNECTION', 'AWAITING_CLIENT', 'CLOSED']);
  expect(Object.keys(inFlight.signals).sort()).toEqual(['connection created', 'deadline corrected']);
  // Taken before a release: docs/safe-change.md.
  const name = process.env['TAKE_IN_FLIGHT_SAMPLE'];
  if (name !== undefined) writeInFlightSample(name, inFlight);
  expect(inFlightSamples().length).toBeGreaterThan(0);
});

describe.each(inFlightSamples())('what the version of $name left', ({ inFlight }) => {
  it.each(Object.entries(inFlight.windowItems))('as a window that is %s is understood', (phase, item) => {
    expect(windowItemSchema.parse(item)).toMatchObject({ phase, generation: 1 });
  });

  it.each(Object.entries(inFlight.taskPayloads))('as a payload of %s is understood', (key, payload) => {
    expect(taskSchemas[key]?.safeParse(payload)).toMatchObject({ success: true });
  });

  it.each(Object.entries(inFlight.expressOutputs))('as an output of %s is answered', (title, output) => {
    // Prepare
    const execution = { status: 'SUCCEEDED', output: JSON.stringify(output) } as const;

    // Act
    const { reply } = title.startsWith('create-connection')
      ? connectionAnswerOf(execution, () => 0)
      : shellAnswerOf(execution, Date.now());

    // Assess
    expect(reply.statusCode).toBe(title.endsWith('_CREATED') ? 200 : 404);
  });

  it("as a window's input is run by the machine of today, with its signals, to the outcome", async () => {
    // Prepare
    const { 'deadline corrected': corrected, 'connection created': created } = inFlight.signals;
    const input = executionInput(inFlight.windowItems['AWAITING_RECONNECTION']);
    const machines = await startMachines({
      registerTaskToken: () => null,
      checkSession: ({ pendingSinceMs, connectionTimeoutSeconds }) => ({
        status: 'CONNECTED',
        statusReason: null,
        statusChangedAtMs: pendingSinceMs,
        pendingSinceMs,
        connectionTimeoutSeconds,
        deadlineMs: Number(pendingSinceMs) + Number(connectionTimeoutSeconds) * SECOND,
        beforeLoss: false,
        overdue: false,
      }),
      recordOutcome: ({ ackSeq, connectionAttempts }) => ({
        recorded: true,
        seq: ackSeq,
        connectionCreatedAtMs: 0,
        connectionAttempts,
      }),
    });
    const signalWaiting = async (state: unknown) => {
      const waiting = machines.invoked.findLast(({ functionKey }) => functionKey === 'registerTaskToken');
      await machines.signal(waiting?.payload['taskToken'], signalledState.parse(state));
      await machines.clock.idle();
    };

    // Act
    const execution = await machines.startWindow(input);
    await signalWaiting(corrected);
    await signalWaiting(created);
    await machines.clock.advance(3 * SECOND);

    // Assess
    const { status, output } = await machines.describe(execution);
    expect(status).toBe('SUCCEEDED');
    expect(JSON.parse(output ?? '')).toMatchObject({ outcome: 'RECONNECTED', connectionAttempts: 1 });
  });

  it('as inputs of Express machines is run by those of today', async () => {
    // Prepare
    const { expressInputs, expressOutputs } = inFlight;
    const machines = await startMachines({
      createConnection: () => expressOutputs['create-connection CONNECTION_CREATED'],
      createAdminShell: () => expressOutputs['create-admin-shell ADMIN_SHELL_CREATED'],
      signalWindow: () => null,
    });
    const deadlineMs = machines.clock.nowMs() + 20 * SECOND;

    // Act
    const connection = await machines.connect({ ...expressInputs['create-connection'], deadlineMs });
    const shell = await machines.askForShell({ ...expressInputs['create-admin-shell'], deadlineMs });

    // Assess
    expect(JSON.parse(connection.output ?? '')).toEqual(
      expressOutputs['create-connection CONNECTION_CREATED'],
    );
    expect(JSON.parse(shell.output ?? '')).toEqual(expressOutputs['create-admin-shell ADMIN_SHELL_CREATED']);
  });

  // Its executions run on, with its own definition and functions, while today's code writes what they read.
  it.each(['windowItems', 'signals', 'expressInputs', 'expressOutputs'] as const)(
    'as %s has no member that today leaves out',
    async (kind) => {
      expect(lost(inFlight[kind], (await today())[kind])).toEqual([]);
    },
  );

  it("as a window's input has no member that today leaves out", async () => {
    const inputOf = ({ windowItems }: InFlight) => executionInput(windowItems['AWAITING_RECONNECTION']);
    expect(lost(inputOf(inFlight), inputOf(await today()))).toEqual([]);
  });
});

const signalledState = z.object({
  seq: z.number(),
  connectionCreatedAtMs: z.number(),
  connectionAttempts: z.number(),
  correction: z
    .object({ seq: z.number(), deadlineMs: z.number(), connectionTimeoutSeconds: z.number() })
    .exactOptional(),
});
