/** Checks a table that is there already against the one that the template would make. */
import {
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  ResourceNotFoundException,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import { z } from 'zod';

const keySchema = z.array(z.object({ AttributeName: z.string(), KeyType: z.string() }));
const requiredSchema = z.looseObject({
  KeySchema: keySchema,
  AttributeDefinitions: z.array(z.object({ AttributeName: z.string(), AttributeType: z.string() })),
  GlobalSecondaryIndexes: z.array(
    z.looseObject({
      IndexName: z.string(),
      KeySchema: keySchema,
      Projection: z.object({ ProjectionType: z.string(), NonKeyAttributes: z.array(z.string()).default([]) }),
    }),
  ),
  TimeToLiveSpecification: z.object({ AttributeName: z.string() }),
});

/** What a function would fail on, were it given this table. */
export async function problemsOfTable(
  client: DynamoDBClient,
  tableName: string,
  properties: unknown,
): Promise<string[]> {
  const required = requiredSchema.parse(properties);
  const TableName = tableName;
  try {
    const { Table: table = {} } = await client.send(new DescribeTableCommand({ TableName }));
    const { TimeToLiveDescription: expiry = {} } = await client.send(
      new DescribeTimeToLiveCommand({ TableName }),
    );
    const problems = problemsOfDescription(required, table);
    const attribute = required.TimeToLiveSpecification.AttributeName;
    if (expiry.AttributeName !== attribute || !expiry.TimeToLiveStatus?.startsWith('ENABL')) {
      problems.push(`its items do not expire by the attribute ${attribute}`);
    }
    return problems.map((problem) => `tableName, "${tableName}": ${problem}`);
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
    return [`tableName, "${tableName}": there is no such table in this account and Region`];
  }
}

function problemsOfDescription(required: z.output<typeof requiredSchema>, table: TableDescription): string[] {
  const problems: string[] = [];
  if (table.TableStatus !== 'ACTIVE') problems.push(`is ${table.TableStatus}, not ACTIVE`);
  const typeOf = new Map(
    (table.AttributeDefinitions ?? []).map(({ AttributeName, AttributeType }) => [
      AttributeName,
      AttributeType,
    ]),
  );
  const indexes = new Map(
    (table.GlobalSecondaryIndexes ?? []).map((index) => [index.IndexName, index] as const),
  );
  if (textOfKey(table.KeySchema) !== textOfKey(required.KeySchema)) {
    problems.push(`its key is ${textOfKey(table.KeySchema)}, not ${textOfKey(required.KeySchema)}`);
  }
  for (const { IndexName, KeySchema, Projection } of required.GlobalSecondaryIndexes) {
    const index = indexes.get(IndexName);
    if (index === undefined) {
      problems.push(`has no index ${IndexName}`);
      continue;
    }
    if (textOfKey(index.KeySchema) !== textOfKey(KeySchema)) {
      problems.push(
        `the key of its index ${IndexName} is ${textOfKey(index.KeySchema)}, not ${textOfKey(KeySchema)}`,
      );
    }
    const { ProjectionType, NonKeyAttributes = [] } = index.Projection ?? {};
    const missing = Projection.NonKeyAttributes.filter((name) => !NonKeyAttributes.includes(name));
    if (ProjectionType !== 'ALL' && missing.length > 0) {
      problems.push(`its index ${IndexName} has no ${missing.join(', ')}`);
    }
  }
  for (const { AttributeName, AttributeType } of required.AttributeDefinitions) {
    const type = typeOf.get(AttributeName);
    if (type !== undefined && type !== AttributeType) {
      problems.push(`its attribute ${AttributeName} is of type ${type}, not ${AttributeType}`);
    }
  }
  return problems;
}

type Key = readonly { readonly AttributeName?: string | undefined; readonly KeyType?: string | undefined }[];

/** `pk (HASH), sk (RANGE)`. */
function textOfKey(key: Key = []): string {
  return key.map(({ AttributeName, KeyType }) => `${AttributeName} (${KeyType})`).join(', ') || 'none';
}
