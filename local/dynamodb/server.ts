import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CreateTableCommand, type CreateTableCommandInput, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { isLoopbackHost, isOwnOrigin, LOCAL_CREDENTIALS } from 'local-server-kit';
import { KeyCapacity } from './capacity.ts';
import { makeDynaliteStrict } from './strict-dynalite.ts';

/** Turns of the event loop; a query takes some ten. Whoever has not sent the whole request by then is not waited for. */
const MOST_TURNS_TO_CLOSE = 1000;

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
  /** What a key takes in a second is counted by it: the machine's clock when absent. */
  readonly nowMs?: () => number;
}

/**
 * An in-memory DynamoDB (dynalite) with its tables, and with the limits of `limits.ts`. It keeps what a TTL would delete, ignores `ALL_OLD` on a
 * failed condition, and has no transactions; the functions need none of these.
 *
 * @throws the system's error when the port cannot be had.
 */
export async function startDynamoDb({
  port,
  region,
  tables,
  nowMs = Date.now,
}: DynamoDbOptions): Promise<DynamoDb> {
  // dynalite keeps small Buffers for good, and each holds the whole pool of 64 KiB (Node 24) that it was cut from: some 90 KB
  // for each window, until there is no pool.
  Buffer.poolSize = 0;
  makeDynaliteStrict();
  const server = dynalite({ createTableMs: 0, capacity: new KeyCapacity(nowMs, indexesOf(tables)) });
  const underWay = guard(server);
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
    async close() {
      // dynalite works on when its client has gone, and a query that finds its database closed would end the process.
      for (let turns = 0; underWay.size > 0 && turns < MOST_TURNS_TO_CLOSE; turns++) await nextTurn();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

function indexesOf(tables: DynamoDbOptions['tables']) {
  return tables.flatMap(({ GlobalSecondaryIndexes = [] }) =>
    GlobalSecondaryIndexes.flatMap(({ IndexName: name, KeySchema = [] }) => {
      const key = KeySchema.find(({ KeyType }) => KeyType === 'HASH')?.AttributeName;
      return name === undefined || key === undefined ? [] : [{ name, key }];
    }),
  );
}

/**
 * dynalite answers to any name, lets the pages of any site call it and read its replies (CORS, `*`), and throws
 * what a request does to it where nobody can catch it, which would end the process.
 *
 * @returns the requests that dynalite has not answered yet, whether anybody still waits for it or not.
 */
function guard(server: Server): ReadonlySet<IncomingMessage> {
  const underWay = new Set<IncomingMessage>();
  const [answer] = server.listeners('request');
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    if (!isLoopbackHost(request.headers.host)) response.writeHead(421).end();
    else if (!isOwnOrigin(request.headers)) response.writeHead(403).end();
    else {
      underWay.add(request);
      response.end = new Proxy(response.end, {
        apply: (end, self, parameters) => {
          underWay.delete(request);
          return Reflect.apply(end, self, parameters);
        },
      });
      // Of what was cut off dynalite never hears.
      request.once('close', () => {
        if (!request.complete) underWay.delete(request);
      });
      answerSafely(() => answer?.call(server, request, response), request, response);
    }
  });
  return underWay;
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
