import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { LOCAL_CREDENTIALS } from 'local-server-kit';
import { afterAll, beforeAll } from 'vitest';
import type { Table } from '../../functions/shared/runtime/table.ts';
import { MemoryTable, type MemoryTableOptions } from '../../local/dynamodb/memory-table.ts';
import { type DynamoDb, startDynamoDb } from '../../local/dynamodb/server.ts';
import { documentsAt } from '../../local/simulation/documents.ts';

export const LOCAL_CLIENT = {
  region: 'us-west-2',
  credentials: LOCAL_CREDENTIALS,
};

export const TABLE_DEFINITION = {
  TableName: 'Table',
  AttributeDefinitions: [
    { AttributeName: 'pk', AttributeType: 'S' as const },
    { AttributeName: 'sk', AttributeType: 'S' as const },
    { AttributeName: 'openIn', AttributeType: 'S' as const },
  ],
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

export function tableAt(url: string): Table {
  return { documents: documentsAt(url), name: TABLE_DEFINITION.TableName };
}

/**
 * A table for the tests of a file: in memory, which answers every call of the functions as dynalite does (`test/dynamodb`)
 * in a tenth of the time. `npm run test:dynalite` takes dynalite. Tests keep apart by using sessions of
 * their own.
 */
export function useTable(options: Pick<MemoryTableOptions, 'integersOnly'> = {}): () => Table {
  if (process.env['TABLE'] === 'dynalite') return useDynalite();
  const { table } = new MemoryTable({ travel: async () => {}, ...options });
  return () => table;
}

/** The same in dynalite, over HTTP. */
export function useDynalite(): () => Table {
  let server: DynamoDb | undefined;
  let table: Table | undefined;
  beforeAll(async () => {
    server = await startDynamoDb({ port: 0, region: LOCAL_CLIENT.region, tables: [TABLE_DEFINITION] });
    table = tableAt(server.url);
  });
  afterAll(async () => {
    table?.documents.destroy();
    await server?.close();
  });
  return () => {
    if (table === undefined) throw new Error('The table starts before the first test.');
    return table;
  };
}

/** Everything that rests in the table. */
export async function allItems(table: Table): Promise<Record<string, unknown>[]> {
  const { Items = [] } = await table.documents.send(new ScanCommand({ TableName: table.name }));
  return Items;
}
