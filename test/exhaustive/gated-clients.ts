import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SFNClient } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import type { Table } from '../../functions/shared/runtime/table.ts';
import type { MemoryItems } from '../../local/dynamodb/memory-items.ts';
import { sendThrough } from '../../local/simulation/send-through.ts';
import type { Gate } from './world.ts';

const region = 'us-west-2';
const documents = DynamoDBDocumentClient.from(new DynamoDBClient({ region }));
const stepFunctions = new SFNClient({ region });
const eventBridge = new EventBridgeClient({ region });

const getSchema = z.object({ Key: z.object({ sk: z.string() }) });

/**
 * A table each of whose calls is one step of a process.
 *
 * @param unwritten the sort keys of items that nobody writes in this world: when they are read is all the same.
 */
export function gatedTable(items: MemoryItems, gate: Gate, unwritten: readonly string[] = []): Table {
  const answer = (command: string, input: unknown) => {
    const isAlone = command === 'GetCommand' && unwritten.includes(getSchema.parse(input).Key.sk);
    return gate(
      command,
      () => items.answer(command, input),
      () => isAlone,
    );
  };
  return { documents: sendThrough(documents, answer), name: 'Table' };
}

const sendSchema = z.object({ taskToken: z.string(), output: z.string() });
const startSchema = z.object({ name: z.string(), input: z.string() });
const describeSchema = z.object({ executionArn: z.string() });

/** What Step Functions does with the calls of the functions, each at once. */
export interface Executions {
  /** @returns whether the token's task was waiting. */
  succeed(taskToken: string, output: unknown): boolean;
  /** Whether the token's task is over for good. */
  isOver(taskToken: string): boolean;
  /** @returns false when another execution has the name. */
  start?(name: string, input: string): boolean;
  status?(executionArn: string): string | undefined;
}

/** Step Functions, each of whose calls is one step of a process. */
export function gatedStepFunctions(executions: Executions, gate: Gate): SFNClient {
  const answers: Readonly<Record<string, (input: unknown) => object>> = {
    SendTaskSuccessCommand: (input) => {
      const { taskToken, output } = sendSchema.parse(input);
      if (executions.succeed(taskToken, JSON.parse(output))) return {};
      throw named('TaskTimedOut');
    },
    StartExecutionCommand: (input) => {
      const { name, input: text } = startSchema.parse(input);
      if (executions.start?.(name, text) === true) return {};
      throw named('ExecutionAlreadyExists');
    },
    DescribeExecutionCommand: (input) => {
      const status = executions.status?.(describeSchema.parse(input).executionArn);
      if (status === undefined) throw named('ExecutionDoesNotExist');
      return { status };
    },
  };
  return sendThrough(stepFunctions, (command, input) => {
    const answer = answers[command];
    if (answer === undefined) throw new Error(`No command: ${command}`);
    const isAlone = () =>
      command === 'SendTaskSuccessCommand' && executions.isOver(sendSchema.parse(input).taskToken);
    return gate(command, () => answer(input), isAlone);
  });
}

const entriesSchema = z.object({ Entries: z.array(z.object({ Detail: z.string() })) });

/** A bus that keeps what is published, each call one step of a process. */
export function gatedEventBridge(published: unknown[], gate: Gate): EventBridgeClient {
  return sendThrough(eventBridge, (command, input) =>
    gate(command, () => {
      const { Entries } = entriesSchema.parse(input);
      published.push(...Entries.map(({ Detail }): unknown => JSON.parse(Detail)));
      return { FailedEntryCount: 0, Entries: Entries.map(() => ({ EventId: 'event' })) };
    }),
  );
}

function named(name: string): Error {
  return Object.assign(new Error(name), { name });
}
