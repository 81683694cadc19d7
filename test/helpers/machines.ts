import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
  StartSyncExecutionCommand,
} from '@aws-sdk/client-sfn';
import { InProcessNetwork, type LambdaResult, LOCAL_CREDENTIALS } from 'local-server-kit';
import { startStepFunctions } from 'step-functions-local';
import { inject, onTestFinished } from 'vitest';
import { InProcessClock } from '../../local/simulation/in-process-clock.ts';
import { offerOf } from '../../local/simulation/offers.ts';

/** Answers one invocation of a function; throw a `TaskError` to fail it. */
export type ScriptedFunction = (payload: Record<string, unknown>) => unknown;

/** A failure of a function or of Lambda, by the name that a machine matches. */
export class TaskError extends Error {
  override readonly name = 'TaskError';
  readonly errorType: string;

  constructor(errorType: string) {
    super('scripted');
    this.errorType = errorType;
  }
}

/** A function that never answers: its task has to time out. */
export const NO_ANSWER = Symbol('no answer');

/**
 * The deployed definitions on a Step Functions endpoint of their own, without a socket, with scripted functions in place of
 * the real ones and time that moves when told to.
 */
export async function startMachines(
  functions: Readonly<Record<string, ScriptedFunction>>,
  random = () => 0.5,
) {
  const service = inject('service');
  const clock = new InProcessClock();
  const network = new InProcessNetwork();
  const invoked: { functionKey: string; atMs: number; payload: Record<string, unknown> }[] = [];
  const server = await startStepFunctions({
    port: 0,
    clock,
    random,
    startServer: network.startServer,
    region: service.region,
    accountId: service.account,
    invokeLambda: async (functionName, payload): Promise<LambdaResult> => {
      const key =
        service.functions.find(({ name, arn }) => functionName === name || functionName === arn)?.key ?? '';
      const script = functions[key];
      if (script === undefined || typeof payload !== 'object' || payload === null) {
        throw new Error(`No script for ${functionName}`);
      }
      const input = { ...payload };
      invoked.push({ functionKey: key, atMs: clock.nowMs(), payload: input });
      try {
        const reply = await script(input);
        return reply === NO_ANSWER ? new Promise(() => {}) : { ok: true, payload: reply ?? null };
      } catch (error) {
        if (!(error instanceof TaskError)) throw error;
        return { ok: false, failure: { errorType: error.errorType, errorMessage: error.message } };
      }
    },
  });
  const client = new SFNClient({
    endpoint: server.url,
    region: service.region,
    credentials: LOCAL_CREDENTIALS,
    disableHostPrefix: true,
    requestHandler: network.requestHandler,
  });
  onTestFinished(async () => {
    client.destroy();
    await server.close();
  });
  for (const { name, type, definition } of service.stateMachines) {
    const roleArn = `arn:aws:iam::${service.account}:role/local`;
    await client.send(
      new CreateStateMachineCommand({ name, type, definition: JSON.stringify(definition), roleArn }),
    );
  }
  const arnOf = (key: string) => service.stateMachines.find((machine) => machine.key === key)?.arn;
  const runSynchronously = async (machineKey: string, input: object) => {
    const startMs = clock.nowMs();
    const name = 'ABC123def4567-request';
    const command = { stateMachineArn: arnOf(machineKey), name, input: JSON.stringify(input) };
    const ended = await clock.until(client.send(new StartSyncExecutionCommand(command)));
    return { ...ended, tookMs: clock.nowMs() - startMs };
  };

  return {
    clock,
    client,
    invoked,
    arnOf,
    /** How often a function was invoked. */
    calls: (functionKey: string) => invoked.filter((call) => call.functionKey === functionKey).length,
    /** Starts the window of a session that dropped now. */
    async startWindow(overrides: Readonly<Record<string, unknown>> = {}) {
      const input = { ...windowInput(clock.nowMs()), ...overrides };
      const { executionArn = '' } = await client.send(
        new StartExecutionCommand({
          stateMachineArn: arnOf('reconnectionWindow'),
          name: `${input.streamSessionId}-${input.generation}`,
          input: JSON.stringify(input),
        }),
      );
      await clock.idle();
      return executionArn;
    },
    /** Sends a signal as the mailbox does; time stands still until it is delivered. */
    signal: (taskToken: unknown, state: SignalledState) => {
      const output = JSON.stringify(state);
      return clock.track(() =>
        client.send(new SendTaskSuccessCommand({ taskToken: String(taskToken), output })),
      );
    },
    /** Runs create-connection as request-connection does, moving time on until it ends. */
    connect: (overrides: Readonly<Record<string, unknown>> = {}) =>
      runSynchronously('createConnection', { ...connectionInput(clock.nowMs()), ...overrides }),
    /** Runs create-admin-shell as request-admin-shell does, moving time on until it ends. */
    askForShell: (overrides: Readonly<Record<string, unknown>> = {}) =>
      runSynchronously('createAdminShell', { ...adminShellInput(clock.nowMs()), ...overrides }),
    describe: (executionArn: string) => client.send(new DescribeExecutionCommand({ executionArn })),
    history: (executionArn: string) => allEvents(client, executionArn),
    /** How many events the history has: the number of its last. */
    async historyLength(executionArn: string): Promise<number> {
      const last = { executionArn, reverseOrder: true, maxResults: 1 };
      const { events = [] } = await client.send(new GetExecutionHistoryCommand(last));
      return events[0]?.id ?? 0;
    },
    /** The states that an execution has entered, in order. */
    async path(executionArn: string): Promise<string[]> {
      const events = await allEvents(client, executionArn);
      return events.flatMap(({ stateEnteredEventDetails: entered }) => entered?.name ?? []);
    },
  };
}

export interface SignalledState {
  readonly seq: number;
  readonly connectionCreatedAtMs: number;
  readonly connectionAttempts: number;
  readonly correction?: {
    readonly seq: number;
    readonly deadlineMs: number;
    readonly connectionTimeoutSeconds: number;
  };
  readonly endEarlyAtMs?: number;
  readonly endEarlyFor?: string;
}

/** The input that on-status-change builds for a window of 120 s. */
export function windowInput(disconnectedAtMs: number) {
  return {
    streamGroupId: 'sg-1AB2C3De4',
    streamSessionId: 'ABC123def4567',
    generation: 1,
    disconnectedAtMs,
    deadlineMs: disconnectedAtMs + 120_000,
    connectionTimeoutSeconds: 120,
    marginSeconds: 2,
    terminateAbandoned: false,
  };
}

/** The input that request-connection builds, for a caller who waits 20 s. */
export function connectionInput(nowMs: number) {
  return {
    streamGroupId: 'sg-1AB2C3De4',
    streamSessionId: 'ABC123def4567',
    signalRequest: offerOf('player'),
    clientToken: 'token'.padEnd(32, '0'),
    deadlineMs: nowMs + 20_000,
  };
}

/** The input that request-admin-shell builds, for a caller who waits 20 s. */
export function adminShellInput(nowMs: number) {
  return {
    streamGroupId: 'sg-1AB2C3De4',
    streamSessionId: 'ABC123def4567',
    deadlineMs: nowMs + 20_000,
  };
}

async function allEvents(client: SFNClient, executionArn: string): Promise<HistoryEvent[]> {
  const all: HistoryEvent[] = [];
  let nextToken: string | undefined;
  do {
    const page: { events: HistoryEvent[] | undefined; nextToken?: string | undefined } = await client.send(
      new GetExecutionHistoryCommand({ executionArn, maxResults: 1000, nextToken }),
    );
    all.push(...(page.events ?? []));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return all;
}
