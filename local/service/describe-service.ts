import type { z } from 'zod';
import { parseAt, ServiceDescriptionError } from './description-error.ts';
import { type IntrinsicScope, resolveIntrinsics, resolveText } from './intrinsics.ts';
import {
  definitionScope,
  eventBusArn,
  functionLogicalId,
  intrinsicScope,
  lambdaArn,
  type NamedParts,
  queueArn,
  stateMachineArn,
} from './names.ts';
import { evaluateConditions, type ParsedResources, parseResources } from './resources.ts';
import { routesAndRules } from './routes-and-rules.ts';
import {
  functionSchema,
  type ParsedFunction,
  printedSchema,
  resourceSchema,
  resourcesSchema,
  rolePropertiesSchema,
  stateMachineSchema,
} from './schemas.ts';
import type { Permission, Service, ServiceFunction, StateMachine } from './service.ts';

type Printed = z.output<typeof printedSchema>;

export interface DescribeOptions {
  /** The account that ARNs name. */
  readonly account: string;
}

/**
 * Reads the document that `serverless print` prints.
 *
 * @throws ServiceDescriptionError that names the path of whatever the stand-ins do not know.
 */
export function describeService(document: unknown, { account }: DescribeOptions): Service {
  const printed = parseAt(printedSchema, document, 'serverless.yml');
  const { region, stage } = printed.provider;
  const parsedFunctions = Object.entries(printed.functions).map(
    ([key, value]) => [key, parseAt(functionSchema, value, `functions.${key}`)] as const,
  );
  const functions = parsedFunctions.map(([key, parsed]) => describeFunction(key, parsed, printed, account));
  // Conditions and names may use the pseudo parameters, not other resources.
  const pseudoParameters = intrinsicScope({
    ...{ name: printed.service, stage, region, account, conditions: {} },
    ...{ functions: [], stateMachines: [], tables: [], queues: [], buses: [] },
  });
  const conditions = evaluateConditions(printed.resources, pseudoParameters);
  const resources = parseResources(printed.resources, conditions);
  const undefinedMachines = describeStateMachines(printed, account);
  const unnamed = {
    name: printed.service,
    stage,
    region,
    account,
    conditions,
    functions,
    stateMachines: undefinedMachines,
    ...nameResources(resources, printed, { ...pseudoParameters, conditions }),
  };
  const scope = definitionScope(unnamed);
  const stateMachines = undefinedMachines.map((machine): StateMachine => {
    const path = `stepFunctions.stateMachines.${machine.key}.definition`;
    const resolved = resolveIntrinsics(machine.definition, scope, path);
    if (!isRecord(resolved)) throw new ServiceDescriptionError(path, 'must be an object');
    return { ...machine, definition: resolved };
  });
  const named = { ...unnamed, stateMachines };
  return {
    ...named,
    queues: withRedrives(named, resources.queues),
    ...routesAndRules(named, new Map(parsedFunctions), resources.rules),
  };
}

function describeFunction(
  key: string,
  parsed: ParsedFunction,
  { provider, resources }: Printed,
  account: string,
): ServiceFunction {
  const dot = parsed.handler.indexOf('.');
  return {
    key,
    logicalId: functionLogicalId(key),
    name: parsed.name,
    arn: lambdaArn(provider.region, account, parsed.name),
    handler: { module: parsed.handler.slice(0, dot), exportName: parsed.handler.slice(dot + 1) },
    timeoutSeconds: parsed.timeout ?? provider.timeout,
    memoryMegabytes: parsed.memorySize ?? provider.memorySize,
    maximumRetryAttempts: parsed.maximumRetryAttempts,
    ...(parsed.maximumEventAge !== undefined && { maximumEventAgeSeconds: parsed.maximumEventAge }),
    ...(typeof parsed.reservedConcurrency === 'number' && {
      reservedConcurrency: parsed.reservedConcurrency,
    }),
    environment: { ...provider.environment, ...parsed.environment },
    ...(typeof parsed.role === 'string' && { permissions: permissionsOf(parsed.role, resources) }),
  };
}

/** @throws ServiceDescriptionError when the template has no such role, or it has what the stand-ins do not know. */
function permissionsOf(role: string, printedResources: unknown): Permission[] {
  const { Resources } = parseAt(resourcesSchema, printedResources ?? {}, 'resources');
  const path = `resources.Resources.${role}`;
  const { Properties } = parseAt(resourceSchema, Resources[role], path);
  const { Policies } = parseAt(rolePropertiesSchema, Properties, `${path}.Properties`);
  return Policies.flatMap(({ PolicyDocument }) =>
    PolicyDocument.Statement.map(({ Action, Condition }) => ({
      actions: Action,
      conditions: Object.values(Condition).flatMap((keys = {}) =>
        Object.entries(keys).map(([key, patterns]) => ({ key, patterns })),
      ),
    })),
  );
}

/** The machines with their definitions as printed: intrinsics in them may name one another. */
function describeStateMachines(printed: Printed, account: string): StateMachine[] {
  return Object.entries(printed.stepFunctions.stateMachines).map(([key, value]) => {
    const machine = parseAt(stateMachineSchema, value, `stepFunctions.stateMachines.${key}`);
    const { id, name, type, definition } = machine;
    const arn = stateMachineArn(printed.provider.region, account, name);
    return { key, logicalId: id, name, arn, type, definition };
  });
}

/** Resources without a name of their own get `<service>-<stage>-<logical id>`, as CloudFormation's begin. */
function nameResources(
  resources: ParsedResources,
  { service, provider: { stage } }: Printed,
  scope: IntrinsicScope,
): Pick<Service, 'tables' | 'queues' | 'buses'> {
  const { region, account } = scope;
  const nameOf = (logicalId: string, given: unknown, field: string): string =>
    given === undefined
      ? `${service}-${stage}-${logicalId}`
      : resolveText(given, scope, `resources.Resources.${logicalId}.Properties.${field}`);
  return {
    tables: resources.tables.map(({ logicalId, properties }) => ({
      logicalId,
      name: nameOf(logicalId, properties.TableName, 'TableName'),
      attributeDefinitions: properties.AttributeDefinitions,
      keySchema: properties.KeySchema,
      indexes: properties.GlobalSecondaryIndexes.map(({ IndexName, KeySchema, Projection }) => ({
        name: IndexName,
        keySchema: KeySchema,
        projection: Projection,
      })),
      ...(properties.TimeToLiveSpecification?.Enabled === true && {
        timeToLiveAttribute: properties.TimeToLiveSpecification.AttributeName,
      }),
    })),
    queues: resources.queues.map(({ logicalId, properties }) => {
      const name = nameOf(logicalId, properties.QueueName, 'QueueName');
      return {
        logicalId,
        name,
        arn: queueArn(region, account, name),
        visibilityTimeoutSeconds: properties.VisibilityTimeout,
        retentionSeconds: properties.MessageRetentionPeriod,
      };
    }),
    buses: resources.buses.map(({ logicalId, properties }) => {
      const name = nameOf(logicalId, properties.Name, 'Name');
      return { logicalId, name, arn: eventBusArn(region, account, name) };
    }),
  };
}

/** A queue's redrive policy names another queue of the service. */
function withRedrives(parts: NamedParts, parsed: ParsedResources['queues']): Service['queues'] {
  const scope = intrinsicScope(parts);
  return parts.queues.map((queue) => {
    const policy = parsed.find(({ logicalId }) => logicalId === queue.logicalId)?.properties.RedrivePolicy;
    if (policy === undefined) return queue;
    const path = `resources.Resources.${queue.logicalId}.Properties.RedrivePolicy.deadLetterTargetArn`;
    const arn = resolveText(policy.deadLetterTargetArn, scope, path);
    const target = parts.queues.find((candidate) => candidate.arn === arn);
    if (target === undefined) throw new ServiceDescriptionError(path, `${arn} is no queue of this service`);
    return { ...queue, redrive: { queueName: target.name, maxReceiveCount: policy.maxReceiveCount } };
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
