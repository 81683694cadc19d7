import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  SFNClient,
  StartExecutionCommand,
  StartSyncExecutionCommand,
  type StartSyncExecutionCommandOutput,
} from '@aws-sdk/client-sfn';
import { VirtualClock } from 'local-server-kit';
import { type LambdaResult, type StartQuotas, startStepFunctions } from '../index.ts';

export const ROLE = 'arn:aws:iam::123456789012:role/local';

/** What a function does with its payload; it may sleep on the clock. */
export type Handler = (payload: unknown) => Promise<LambdaResult> | LambdaResult;

export const succeed =
  (payload: unknown): Handler =>
  () => ({ ok: true, payload });

export const fail =
  (errorType: string, errorMessage = 'it failed', trace?: string[]): Handler =>
  () => ({ ok: false, failure: { errorType, errorMessage, ...(trace === undefined ? {} : { trace }) } });

/** Answers each call with the next handler, and goes on with the last. */
export function inTurn(...handlers: Handler[]): Handler {
  let calls = 0;
  return (payload) => {
    const handler = handlers[Math.min(calls++, handlers.length - 1)];
    if (handler === undefined) throw new Error('There is no handler.');
    return handler(payload);
  };
}

export interface Endpoint {
  readonly clock: VirtualClock;
  readonly client: SFNClient;
  readonly url: string;
  /** The payloads of all invocations, in order. */
  readonly payloads: unknown[];
  readonly close: () => Promise<void>;
  create(definition: unknown, options?: { type?: 'STANDARD' | 'EXPRESS'; name?: string }): Promise<string>;
  start(stateMachineArn: string, input?: unknown, name?: string): Promise<string>;
  /** Creates a Standard machine and starts it, without letting time pass. */
  run(definition: unknown, input?: unknown): Promise<string>;
  /** Creates an Express machine and awaits it, while time passes. */
  runSync(
    definition: unknown,
    input?: unknown,
    passingMs?: number,
  ): Promise<Pick<StartSyncExecutionCommandOutput, 'status' | 'error' | 'cause' | 'output'>>;
  describe(
    executionArn: string,
  ): Promise<{ status?: string; output?: unknown; error?: string; cause?: string }>;
  history(executionArn: string): Promise<HistoryEvent[]>;
}

/**
 * Starts the API on a virtual clock, with the real SDK client and `handlers` in place of Lambda functions. Time stands
 * still until the test moves `clock`. The test calls `close` when it has finished.
 */
export async function startEndpoint(
  handlers: Record<string, Handler> = {},
  random: () => number = () => 0.5,
  options: { readonly region?: string; readonly startQuotas?: Partial<StartQuotas> } = {},
): Promise<Endpoint> {
  const clock = new VirtualClock();
  const payloads: unknown[] = [];
  const server = await startStepFunctions({
    port: 0,
    clock,
    random,
    ...options,
    invokeLambda: (functionName, payload) =>
      clock.track(async () => {
        payloads.push(payload);
        const handler = handlers[functionName];
        if (handler === undefined) throw new Error(`There is no function ${functionName}.`);
        return await handler(payload);
      }),
  });
  const client = new SFNClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    disableHostPrefix: true,
    maxAttempts: 1,
  });
  const close = async (): Promise<void> => {
    client.destroy();
    await server.close();
  };

  let machines = 0;
  const endpoint: Endpoint = {
    clock,
    client,
    url: server.url,
    payloads,
    close,
    create: async (definition, { type = 'STANDARD', name = `machine-${++machines}` } = {}) => {
      const { stateMachineArn } = await client.send(
        new CreateStateMachineCommand({
          name,
          type,
          roleArn: ROLE,
          definition: typeof definition === 'string' ? definition : JSON.stringify(definition),
        }),
      );
      return present(stateMachineArn);
    },
    start: async (stateMachineArn, input = {}, name) => {
      const { executionArn } = await client.send(
        new StartExecutionCommand({
          stateMachineArn,
          input: JSON.stringify(input),
          ...(name === undefined ? {} : { name }),
        }),
      );
      return present(executionArn);
    },
    run: async (definition, input) => endpoint.start(await endpoint.create(definition), input),
    runSync: async (definition, input = {}, passingMs = 0) => {
      const stateMachineArn = await endpoint.create(definition, { type: 'EXPRESS' });
      const reply = client.send(
        new StartSyncExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }),
      );
      let answered = false;
      void reply.finally(() => {
        answered = true;
      });
      // The request must have arrived before time passes.
      for (let turns = 0; turns < 100 && !answered; turns++) await clock.idle();
      await clock.advance(passingMs);
      return await reply;
    },
    describe: async (executionArn) => {
      const { status, output, error, cause } = await client.send(
        new DescribeExecutionCommand({ executionArn }),
      );
      return {
        status: present(status),
        ...(output === undefined ? {} : { output: JSON.parse(output) }),
        ...(error === undefined ? {} : { error }),
        ...(cause === undefined ? {} : { cause }),
      };
    },
    history: async (executionArn) => {
      const { events } = await client.send(
        new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }),
      );
      return present(events);
    },
  };
  return endpoint;
}

/** @throws when a reply lacks a member that it must have */
export function present<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('A value is missing.');
  return value;
}
