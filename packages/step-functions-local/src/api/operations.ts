import { nameToTell } from 'local-server-kit';
import type { z } from 'zod';
import {
  describeExecution,
  listExecutions,
  startExecution,
  startSyncExecution,
  stopExecution,
} from './execution-operations.ts';
import { getExecutionHistory } from './history-operations.ts';
import {
  createStateMachine,
  describeStateMachine,
  listStateMachines,
  validateStateMachineDefinition,
} from './machine-operations.ts';
import { type OperationName, parseRequest, requests } from './requests.ts';
import type { ServerContext } from './server-context.ts';
import { ServiceError } from './service-error.ts';
import { sendTaskFailure, sendTaskSuccess } from './task-operations.ts';

type Operation = (context: ServerContext, body: unknown) => Promise<unknown>;

function operation<Schema extends z.ZodType>(
  schema: Schema,
  handle: (context: ServerContext, request: z.infer<Schema>) => unknown,
): Operation {
  return async (context, body) => await handle(context, parseRequest(schema, body));
}

const operations: Readonly<Record<OperationName, Operation>> = {
  CreateStateMachine: operation(requests.CreateStateMachine, createStateMachine),
  ValidateStateMachineDefinition: operation(
    requests.ValidateStateMachineDefinition,
    validateStateMachineDefinition,
  ),
  ListStateMachines: operation(requests.ListStateMachines, listStateMachines),
  DescribeStateMachine: operation(requests.DescribeStateMachine, describeStateMachine),
  StartExecution: operation(requests.StartExecution, startExecution),
  StartSyncExecution: operation(requests.StartSyncExecution, startSyncExecution),
  DescribeExecution: operation(requests.DescribeExecution, describeExecution),
  ListExecutions: operation(requests.ListExecutions, listExecutions),
  GetExecutionHistory: operation(requests.GetExecutionHistory, getExecutionHistory),
  StopExecution: operation(requests.StopExecution, stopExecution),
  SendTaskSuccess: operation(requests.SendTaskSuccess, sendTaskSuccess),
  SendTaskFailure: operation(requests.SendTaskFailure, sendTaskFailure),
};

/** @throws ServiceError */
export async function perform(context: ServerContext, name: string, body: unknown): Promise<unknown> {
  if (!isOperationName(name)) {
    throw new ServiceError('UnknownOperationException', `${nameToTell(name)} is not supported here`);
  }
  return await operations[name](context, body);
}

function isOperationName(name: string): name is OperationName {
  return Object.hasOwn(operations, name);
}
