import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { LOCAL_CREDENTIALS } from 'local-server-kit';

export const REGION = 'us-west-2';

/** A table of the service's form, with an index of its own. */
export const TABLE_DEFINITION = {
  TableName: 'Table',
  AttributeDefinitions: ['pk', 'sk', 'openIn'].map((AttributeName) => ({
    AttributeName,
    AttributeType: 'S' as const,
  })),
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' as const },
    { AttributeName: 'sk', KeyType: 'RANGE' as const },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'OpenWindows',
      KeySchema: [
        { AttributeName: 'openIn', KeyType: 'HASH' as const },
        { AttributeName: 'pk', KeyType: 'RANGE' as const },
      ],
      Projection: { ProjectionType: 'ALL' as const },
    },
  ],
};

/** One attempt: how the SDK repeats is not what a table is about. */
export function documentsAt(endpoint: string): DynamoDBDocumentClient {
  const client = new DynamoDBClient({
    region: REGION,
    credentials: LOCAL_CREDENTIALS,
    endpoint,
    maxAttempts: 1,
  });
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
}
