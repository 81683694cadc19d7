import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { TABLE_TIMEOUTS } from './timeouts.ts';

export const documents = DynamoDBDocumentClient.from(
  new DynamoDBClient({ maxAttempts: 5, requestHandler: TABLE_TIMEOUTS }),
  {
    marshallOptions: { removeUndefinedValues: true },
  },
);
