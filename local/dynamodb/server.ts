import type { Server } from 'node:http';
import { CreateTableCommand, type CreateTableCommandInput, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { LOCAL_CREDENTIALS } from '../shared/credentials.ts';
import { isLoopbackHost } from '../shared/loopback-server.ts';

export interface DynamoDb {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

export interface DynamoDbOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly region: string;
  readonly tables: readonly Pick<
    CreateTableCommandInput,
    'TableName' | 'AttributeDefinitions' | 'KeySchema' | 'GlobalSecondaryIndexes'
  >[];
}

/**
 * An in-memory DynamoDB (dynalite) with its tables. It keeps what a TTL would delete, ignores `ALL_OLD` on a
 * failed condition, and has no transactions; the functions need none of these.
 *
 * @throws the system's error when the port cannot be had.
 */
export async function startDynamoDb({ port, region, tables }: DynamoDbOptions): Promise<DynamoDb> {
  const server = dynalite({ createTableMs: 0 });
  refuseOtherHosts(server);
  const url = await listen(server, port);
  const client = new DynamoDBClient({
    endpoint: url,
    region,
    credentials: LOCAL_CREDENTIALS,
  });
  for (const table of tables) {
    await client.send(new CreateTableCommand({ ...table, BillingMode: 'PAY_PER_REQUEST' }));
  }
  client.destroy();
  return {
    port: Number(new URL(url).port),
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** dynalite answers to any name; what resolves to this machine is not therefore meant for it. */
function refuseOtherHosts(server: Server): void {
  const [answer] = server.listeners('request');
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    if (isLoopbackHost(request.headers.host)) answer?.call(server, request, response);
    else response.writeHead(421).end();
  });
}

function listen(server: Server, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('DynamoDB has no port.'));
      else resolve(`http://127.0.0.1:${address.port}`);
    });
  });
}
