import { type Document, isTooLarge, parseDocument } from '../engine/document.ts';
import { Execution } from '../engine/execution.ts';
import { run } from '../engine/interpreter.ts';
import type { StateMachine } from '../engine/state-machines.ts';
import { executionArn, expressExecutionArn, requireArnOf } from './arns.ts';
import { requireStateMachine } from './machine-operations.ts';
import { requireName } from './names.ts';
import { page } from './paging.ts';
import { redriveOf } from './redrive.ts';
import type { Request } from './requests.ts';
import type { ServerContext } from './server-context.ts';
import { ServiceError } from './service-error.ts';

/** What one Express execution is billed at least: 64 MB, and time in steps of 100 ms. */
const BILLED_MEMORY_MB = 64;
const BILLED_STEP_MS = 100;

export function startExecution(context: ServerContext, request: Request<'StartExecution'>): unknown {
  const machine = requireStateMachine(context, request.stateMachineArn);
  context.starts.take(machine.type, context.engine.clock.nowMs());
  const input = parseInput(request.input);
  const name = nameOf(context, request.name);
  const execution =
    machine.type === 'EXPRESS'
      ? begin(context, machine, name, input, request.traceHeader)
      : (runningLike(context, machine, name, input) ??
        begin(context, machine, name, input, request.traceHeader));
  return { executionArn: execution.arn, startDate: execution.startMs / 1000 };
}

export async function startSyncExecution(
  context: ServerContext,
  request: Request<'StartSyncExecution'>,
): Promise<unknown> {
  const machine = requireStateMachine(context, request.stateMachineArn);
  if (machine.type !== 'EXPRESS') throw typeNotSupported();
  const input = parseInput(request.input);
  const execution = begin(context, machine, nameOf(context, request.name), input, request.traceHeader);
  await execution.ended;
  const stopMs = execution.stopMs ?? execution.startMs;
  const durationMs = Math.max(1, stopMs - execution.startMs);
  return {
    ...describe(execution, request.includedData),
    billingDetails: {
      billedMemoryUsedInMB: BILLED_MEMORY_MB,
      billedDurationInMilliseconds: Math.ceil(durationMs / BILLED_STEP_MS) * BILLED_STEP_MS,
    },
  };
}

export function describeExecution(context: ServerContext, request: Request<'DescribeExecution'>): unknown {
  const execution = requireExecution(context, request.executionArn);
  return {
    ...describe(execution, request.includedData),
    redriveCount: 0,
    ...redriveOf(execution, context.engine.clock.nowMs()),
  };
}

export function listExecutions(context: ServerContext, request: Request<'ListExecutions'>): unknown {
  const machine = requireStateMachine(context, request.stateMachineArn);
  if (machine.type === 'EXPRESS') throw typeNotSupported();
  const all = context.executions.of(machine, request.statusFilter);
  const { items, ...next } = page(all, request, { keyOf: ({ number }) => number, falls: true });
  return {
    executions: items.map(({ execution }) => ({ ...summary(execution), redriveCount: 0 })),
    ...next,
  };
}

/** A finished execution is left as it is, and its stop date given. */
export function stopExecution(context: ServerContext, request: Request<'StopExecution'>): unknown {
  const execution = requireExecution(context, request.executionArn);
  if (execution.status === 'RUNNING') execution.abort(request.error, request.cause);
  return { stopDate: (execution.stopMs ?? execution.startMs) / 1000 };
}

/** @throws ServiceError InvalidArn, ExecutionDoesNotExist */
export function requireExecution(context: ServerContext, arn: string): Execution {
  requireArnOf('execution', arn);
  const execution = context.executions.get(arn);
  if (execution !== undefined) return execution;
  throw new ServiceError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
}

function typeNotSupported(): ServiceError {
  return new ServiceError(
    'StateMachineTypeNotSupported',
    'This operation is not supported by this type of state machine',
  );
}

function nameOf(context: ServerContext, name: string | undefined): string {
  if (name === undefined) return context.uniqueId();
  requireName(name);
  return name;
}

function parseInput(text: string): Document {
  // Fixed sentences: the parser's own would quote the input, which may be a secret.
  const invalid = (why: string) =>
    new ServiceError('InvalidExecutionInput', `Invalid State Machine Execution Input: '${why}'`);
  if (isTooLarge(text)) throw invalid('The input is larger than 262144 bytes.');
  try {
    return parseDocument(text);
  } catch {
    throw invalid('Invalid execution input.');
  }
}

/**
 * The execution that a repeated start means: same name, same input, still running.
 * @throws ServiceError ExecutionAlreadyExists when the name is taken otherwise.
 */
function runningLike(
  context: ServerContext,
  machine: StateMachine,
  name: string,
  input: Document,
): Execution | undefined {
  const arn = executionArn(context.place, machine.name, name);
  const existing = context.executions.get(arn);
  if (existing === undefined) return undefined;
  if (existing.status === 'RUNNING' && existing.input.text === input.text) return existing;
  throw new ServiceError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
}

function begin(
  context: ServerContext,
  machine: StateMachine,
  name: string,
  input: Document,
  traceHeader: string | undefined,
): Execution {
  const { place, engine } = context;
  const arn =
    machine.type === 'EXPRESS'
      ? expressExecutionArn(place, machine.name, name, context.uniqueId())
      : executionArn(place, machine.name, name);
  const execution = new Execution({ arn, name, machine, input, traceHeader, clock: engine.clock });
  context.executions.add(execution);
  if (machine.type === 'STANDARD') {
    context.announce(execution);
    void execution.ended.then(() => context.announce(execution));
  }
  void run(execution, engine);
  return execution;
}

function summary(execution: Execution): Record<string, unknown> {
  return {
    executionArn: execution.arn,
    stateMachineArn: execution.machine.arn,
    name: execution.name,
    status: execution.status,
    startDate: execution.startMs / 1000,
    ...(execution.stopMs === undefined ? {} : { stopDate: execution.stopMs / 1000 }),
  };
}

function describe(
  execution: Execution,
  includedData: 'ALL_DATA' | 'METADATA_ONLY' | undefined,
): Record<string, unknown> {
  const included = includedData !== 'METADATA_ONLY';
  const { outputText, errorName, causeText, traceHeader } = execution;
  return {
    ...summary(execution),
    ...(included ? { input: execution.input.text } : {}),
    inputDetails: { included },
    ...(outputText === undefined ? {} : { outputDetails: { included } }),
    ...(outputText === undefined || !included ? {} : { output: outputText }),
    ...(errorName === undefined ? {} : { error: errorName }),
    ...(causeText === undefined ? {} : { cause: causeText }),
    ...(traceHeader === undefined ? {} : { traceHeader }),
  };
}
