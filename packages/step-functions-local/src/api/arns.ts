import { ServiceError } from './service-error.ts';

/** The account and Region that the endpoint plays; both only show in ARNs. */
export interface Place {
  readonly region: string;
  readonly accountId: string;
}

type ResourceType = 'stateMachine' | 'execution';

export function stateMachineArn(place: Place, name: string): string {
  return `${prefix(place)}:stateMachine:${name}`;
}

export function executionArn(place: Place, machineName: string, executionName: string): string {
  return `${prefix(place)}:execution:${machineName}:${executionName}`;
}

/** Express names need not be unique, so their ARNs end in an id. */
export function expressExecutionArn(place: Place, machineName: string, name: string, id: string): string {
  return `${prefix(place)}:express:${machineName}:${name}:${id}`;
}

function prefix({ region, accountId }: Place): string {
  return `arn:aws:states:${region}:${accountId}`;
}

/**
 * @throws ServiceError InvalidArn when `arn` is none, or one of another type: an Express execution's, above
 *   all, which no operation reads.
 */
export function requireArnOf(type: ResourceType, arn: string): void {
  if (!arn.startsWith('arn:'))
    throw new ServiceError('InvalidArn', `Invalid Arn: 'Invalid ARN prefix: ${arn}'`);
  const actual = arn.split(':')[5] ?? '';
  if (actual !== type) {
    throw new ServiceError('InvalidArn', `Invalid Arn: 'Resource type not valid in this context: ${actual}'`);
  }
}
