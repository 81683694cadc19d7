import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { LOCAL_CREDENTIALS } from 'local-server-kit';
import type { MemoryItems } from '../dynamodb/memory-items.ts';
import type { FunctionHooks } from './hooks.ts';
import { sendThrough } from './send-through.ts';

/** A client of the local table, or of items in memory where they are given. */
export function documentsAt(
  endpoint: string,
  items?: MemoryItems,
  request: NonNullable<FunctionHooks['request']> = (_, send) => send(),
): DynamoDBDocumentClient {
  const client = new DynamoDBClient({ region: 'us-west-2', credentials: LOCAL_CREDENTIALS, endpoint });
  const documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  if (items === undefined) return documents;
  return sendThrough(documents, (command, input) =>
    request(command, async () => items.answer(command, input)),
  );
}
