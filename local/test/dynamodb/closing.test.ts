import { setImmediate as nextTurn } from 'node:timers/promises';
import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { expect, it } from 'vitest';
import { startDynamoDb } from '../../dynamodb/server.ts';
import { documentsAt, REGION, TABLE_DEFINITION } from './small-table.ts';

/** More turns of the event loop than a query takes. */
const MOST_TURNS = 40;

// A watcher's query was under way when the stack closed, and ended the process: dynalite throws where nobody can catch it.
it('the DynamoDB stand-in closes while queries are under way, wherever they are', async () => {
  for (let turns = 0; turns < MOST_TURNS; turns++) {
    const server = await startDynamoDb({ port: 0, region: REGION, tables: [TABLE_DEFINITION] });
    const documents = documentsAt(server.url);
    const query = new QueryCommand({
      TableName: TABLE_DEFINITION.TableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': 'session' },
    });
    const queries = Promise.allSettled(Array.from({ length: 5 }, () => documents.send(query)));

    for (let turn = 0; turn < turns; turn++) await nextTurn();
    await server.close();
    documents.destroy();

    expect(await queries).toHaveLength(5);
  }
});
