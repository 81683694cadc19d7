import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/** The one table: partition key `pk`, sort key `sk`, TTL attribute `expiresAt` in epoch seconds. */
export interface Table {
  readonly documents: DynamoDBDocumentClient;
  readonly name: string;
}

/** DynamoDB's answer when an item is not as a write demands; every other failure is a breakage. */
export function isConditionFailure(error: unknown): boolean {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException';
}

export function epochSeconds(epochMs: number): number {
  return Math.ceil(epochMs / 1000);
}
