import type { IncomingMessage, Server, ServerResponse } from 'node:http';
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
  // dynalite keeps small Buffers for good, and each holds the whole pool of 64 KiB (Node 24) that it was cut from: some 90 KB
  // for each window, until there is no pool.
  Buffer.poolSize = 0;
  const server = dynalite({ createTableMs: 0 });
  guard(server);
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

/**
 * dynalite answers to any name, lets the pages of any site call it and read its replies (CORS, `*`), and throws
 * what a request does to it where nobody can catch it, which would end the process.
 */
function guard(server: Server): void {
  const [answer] = server.listeners('request');
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    if (!isLoopbackHost(request.headers.host)) response.writeHead(421).end();
    else if (request.headers.origin !== undefined) response.writeHead(403).end();
    else answerSafely(() => answer?.call(server, request, response), request, response);
  });
}

function answerSafely(answer: () => void, request: IncomingMessage, response: ServerResponse): void {
  const before = request.listeners('end');
  answer();
  // A client that hangs up in the middle of its request is nobody's error.
  request.removeAllListeners('error').on('error', () => {});
  for (const listener of request.listeners('end').filter((one) => !before.includes(one))) {
    request.removeAllListeners('end').once('end', () => {
      try {
        listener.call(request);
      } catch {
        // Without the reason: it may quote the request.
        response.writeHead(400).end('{"__type":"com.amazon.coral.service#SerializationException"}');
      }
    });
  }
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
