import { type DefinitionError, readDefinition } from '../definition/check.ts';
import { compile } from '../engine/machine.ts';
import type { StateMachine } from '../engine/state-machines.ts';
import { requireArnOf, stateMachineArn } from './arns.ts';
import { requireName } from './names.ts';
import { page } from './paging.ts';
import type { Request } from './requests.ts';
import type { ServerContext } from './server-context.ts';
import { ServiceError } from './service-error.ts';

const DEFAULT_DIAGNOSTICS = 100;

export async function createStateMachine(
  context: ServerContext,
  request: Request<'CreateStateMachine'>,
): Promise<unknown> {
  requireName(request.name);
  const arn = stateMachineArn(context.place, request.name);
  const read = await readDefinition(request.definition, request.type);
  if (!read.ok) {
    const lines = read.errors.map((error) => `\n  ${error.path}: ${error.message}`);
    throw new ServiceError('InvalidDefinition', `Invalid State Machine Definition:${lines.join('')}`);
  }
  // Looked up after the check, which takes its time: two creations may cross.
  const existing = context.machines.get(arn);
  const machine: StateMachine = {
    arn,
    name: request.name,
    type: request.type,
    roleArn: request.roleArn,
    definitionText: request.definition,
    program: compile(read.definition),
    createdMs: context.engine.clock.nowMs(),
    loggingConfiguration: request.loggingConfiguration,
    tracingConfiguration: request.tracingConfiguration,
  };
  if (existing === undefined) context.machines.add(machine);
  else if (!isSame(existing, machine)) {
    throw new ServiceError('StateMachineAlreadyExists', `State Machine Already Exists: '${arn}'`);
  }
  return { stateMachineArn: arn, creationDate: (existing ?? machine).createdMs / 1000 };
}

/** What AWS compares for idempotency; the role is not part of it. */
function isSame(one: StateMachine, other: StateMachine): boolean {
  const compared = ({ definitionText, type, loggingConfiguration, tracingConfiguration }: StateMachine) =>
    JSON.stringify([definitionText, type, loggingConfiguration, tracingConfiguration]);
  return compared(one) === compared(other);
}

export async function validateStateMachineDefinition(
  _context: ServerContext,
  request: Request<'ValidateStateMachineDefinition'>,
): Promise<unknown> {
  const read = await readDefinition(request.definition, request.type);
  const errors = read.ok ? [] : read.errors;
  const most = request.maxResults || DEFAULT_DIAGNOSTICS;
  return {
    result: errors.length === 0 ? 'OK' : 'FAIL',
    diagnostics: errors.slice(0, most).map(diagnostic),
    truncated: errors.length > most,
  };
}

function diagnostic({ path, message }: DefinitionError): Record<string, string> {
  return { severity: 'ERROR', code: 'SCHEMA_VALIDATION_FAILED', message, location: path };
}

export function listStateMachines(context: ServerContext, request: Request<'ListStateMachines'>): unknown {
  const numbered = context.machines.all().map((machine, index) => ({ machine, number: index }));
  const { items, ...next } = page(numbered, request, { keyOf: ({ number }) => number, falls: false });
  return {
    stateMachines: items.map(({ machine }) => ({
      stateMachineArn: machine.arn,
      name: machine.name,
      type: machine.type,
      creationDate: machine.createdMs / 1000,
    })),
    ...next,
  };
}

export function describeStateMachine(
  context: ServerContext,
  request: Request<'DescribeStateMachine'>,
): unknown {
  const machine = requireStateMachine(context, request.stateMachineArn);
  return {
    stateMachineArn: machine.arn,
    name: machine.name,
    status: 'ACTIVE',
    // Empty rather than absent, for the member is required.
    definition: request.includedData === 'METADATA_ONLY' ? '' : machine.definitionText,
    roleArn: machine.roleArn,
    type: machine.type,
    creationDate: machine.createdMs / 1000,
    loggingConfiguration: machine.loggingConfiguration,
    tracingConfiguration: machine.tracingConfiguration,
  };
}

/** @throws ServiceError InvalidArn, StateMachineDoesNotExist */
export function requireStateMachine(context: ServerContext, arn: string): StateMachine {
  requireArnOf('stateMachine', arn);
  const machine = context.machines.get(arn);
  if (machine !== undefined) return machine;
  throw new ServiceError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
}
