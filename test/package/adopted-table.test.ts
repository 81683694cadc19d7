import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  ResourceNotFoundException,
  type TableDescription,
  type TimeToLiveDescription,
} from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { problemsOfTable } from '../../scripts/serverless/adopted-table.ts';
import { REPOSITORY_DIRECTORY } from '../../scripts/serverless/run-serverless.ts';
import { mockClient } from '../helpers/mock-client.ts';

const file: unknown = parse(await readFile(join(REPOSITORY_DIRECTORY, 'resources', 'table.yml'), 'utf8'));
const { Properties } = z
  .object({ resources: z.object({ Table: z.object({ Properties: z.record(z.string(), z.unknown()) }) }) })
  .parse(file).resources.Table;

const dynamoDb = mockClient(DynamoDBClient);
beforeEach(() => dynamoDb.reset());

/** As DynamoDB describes the table that the template makes, but for what a test changes. */
function description(): TableDescription {
  return { ...structuredClone(Properties), TableStatus: 'ACTIVE' };
}

async function problemsWith(
  change: TableDescription,
  expiry: TimeToLiveDescription = { AttributeName: 'expiresAt', TimeToLiveStatus: 'ENABLED' },
) {
  dynamoDb.on(DescribeTableCommand).resolves({ Table: { ...description(), ...change } });
  dynamoDb.on(DescribeTimeToLiveCommand).resolves({ TimeToLiveDescription: expiry });
  const problems = await problemsOfTable(new DynamoDBClient(), 'old', Properties);
  return problems.map((problem) => problem.replace('tableName, "old": ', ''));
}

describe('a table that is there already', () => {
  it('will do when it is as the template would make it', async () => {
    expect(await problemsWith({})).toEqual([]);
  });

  it('may have an index of all attributes', async () => {
    const [index] = description().GlobalSecondaryIndexes ?? [];

    expect(
      await problemsWith({ GlobalSecondaryIndexes: [{ ...index, Projection: { ProjectionType: 'ALL' } }] }),
    ).toEqual([]);
  });

  it.each<readonly [string, TableDescription, string]>([
    [
      'has another key',
      { KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }] },
      'its key is id (HASH), not pk (HASH), sk (RANGE)',
    ],
    ['lacks the index', { GlobalSecondaryIndexes: [] }, 'has no index OpenWindows'],
    [
      'has an index without an attribute that the service reads',
      {
        GlobalSecondaryIndexes: [
          {
            ...description().GlobalSecondaryIndexes?.[0],
            Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['generation'] },
          },
        ],
      },
      'its index OpenWindows has no phase, ',
    ],
    [
      'has a key of another type',
      { AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'N' }] },
      'its attribute pk is of type N, not S',
    ],
    ['is being deleted', { TableStatus: 'DELETING' }, 'is DELETING, not ACTIVE'],
  ])('is refused when it %s', async (_what, change, expected) => {
    expect((await problemsWith(change)).join('\n')).toContain(expected);
  });

  it('is refused when its items do not expire', async () => {
    expect(await problemsWith({}, { TimeToLiveStatus: 'DISABLED' })).toEqual([
      'its items do not expire by the attribute expiresAt',
    ]);
  });

  it('is refused when there is none of that name', async () => {
    dynamoDb
      .on(DescribeTableCommand)
      .rejects(new ResourceNotFoundException({ message: 'none', $metadata: {} }));

    expect(await problemsOfTable(new DynamoDBClient(), 'old', Properties)).toEqual([
      'tableName, "old": there is no such table in this account and Region',
    ]);
  });
});
