import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { LOCAL_CREDENTIALS } from 'local-server-kit';

/** A client of the local table. */
export function documentsAt(endpoint: string): DynamoDBDocumentClient {
  const client = new DynamoDBClient({ region: 'us-west-2', credentials: LOCAL_CREDENTIALS, endpoint });
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
}
