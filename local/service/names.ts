import type { IntrinsicScope, ResourceValues } from './intrinsics.ts';
import type { Service } from './service.ts';

export type NamedParts = Pick<
  Service,
  | 'name'
  | 'stage'
  | 'region'
  | 'account'
  | 'conditions'
  | 'functions'
  | 'stateMachines'
  | 'tables'
  | 'queues'
  | 'buses'
>;

export function lambdaArn(region: string, account: string, name: string): string {
  return `arn:aws:lambda:${region}:${account}:function:${name}`;
}

export function stateMachineArn(region: string, account: string, name: string): string {
  return `arn:aws:states:${region}:${account}:stateMachine:${name}`;
}

export function queueArn(region: string, account: string, name: string): string {
  return `arn:aws:sqs:${region}:${account}:${name}`;
}

export function eventBusArn(region: string, account: string, name: string): string {
  return `arn:aws:events:${region}:${account}:event-bus/${name}`;
}

/** The framework's name for a function in CloudFormation: `hello-world` → `HelloDashworldLambdaFunction`. */
export function functionLogicalId(key: string): string {
  const normalized = key.replaceAll('-', 'Dash').replaceAll('_', 'Underscore');
  return `${normalized.charAt(0).toUpperCase()}${normalized.slice(1)}LambdaFunction`;
}

/** What `Ref` and `Fn::GetAtt` give for each resource of the service, by logical id. */
export function intrinsicScope(parts: NamedParts): IntrinsicScope {
  const { region, account } = parts;
  const resources = new Map<string, ResourceValues>();
  for (const { logicalId, name, arn } of parts.functions) {
    resources.set(logicalId, { ref: name, attributes: { Arn: arn } });
  }
  for (const { logicalId, name, arn } of parts.stateMachines) {
    resources.set(logicalId, { ref: arn, attributes: { Arn: arn, Name: name } });
  }
  for (const { logicalId, name } of parts.tables) {
    const arn = `arn:aws:dynamodb:${region}:${account}:table/${name}`;
    resources.set(logicalId, { ref: name, attributes: { Arn: arn } });
  }
  for (const { logicalId, name, arn } of parts.queues) {
    const url = `https://sqs.${region}.amazonaws.com/${account}/${name}`;
    resources.set(logicalId, { ref: url, attributes: { Arn: arn, QueueName: name, QueueUrl: url } });
  }
  for (const { logicalId, name, arn } of parts.buses) {
    resources.set(logicalId, { ref: name, attributes: { Arn: arn, Name: name } });
  }
  const { conditions } = parts;
  return { region, account, stackName: `${parts.name}-${parts.stage}`, resources, conditions };
}

/**
 * The scope of a state machine's definition, where a function goes by its key too: serverless-step-functions
 * turns `Fn::GetAtt: [createConnection, Arn]` into the function's logical id, unless a resource has that name.
 */
export function definitionScope(parts: NamedParts): IntrinsicScope {
  const scope = intrinsicScope(parts);
  const byKey = parts.functions.map(
    ({ key, name, arn }) => [key, { ref: name, attributes: { Arn: arn } }] as const,
  );
  return { ...scope, resources: new Map([...byKey, ...scope.resources]) };
}
