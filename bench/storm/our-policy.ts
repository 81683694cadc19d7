import { ThrottlingException as TableThrottlingException } from '@aws-sdk/client-dynamodb';
import {
  ConflictException,
  GameLiftStreamsClient,
  ThrottlingException,
} from '@aws-sdk/client-gameliftstreams';
import { SFNClient } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import {
  type CreateConnectionInput,
  type CreateConnectionResult,
  createConnectionTask,
} from '../../functions/create-connection/create-connection.ts';
import { requestConnectionRoute } from '../../functions/request-connection/request-connection.ts';
import { openWindow } from '../../functions/shared/window/open-window.ts';
import { rememberGroup } from '../../functions/shared/window/waiting-sessions.ts';
import { MemoryTable } from '../../local/dynamodb/memory-table.ts';
import { proxyEvent } from '../../local/rest-api/proxy-event.ts';
import { contextOf } from '../../local/simulation/functions.ts';
import { offerOf } from '../../local/simulation/offers.ts';
import { sendThrough } from '../../local/simulation/send-through.ts';
import type { Policy, Storm } from './policy.ts';
import { RetryPolicy } from './retry-policy.ts';
import type { Player } from './scenario.ts';

const STREAM_GROUP_ID = 'sg-1AB2C3De4';
/** One way to DynamoDB and back takes a few milliseconds. */
const TABLE_WAY_MS = { least: 1, spread: 1 } as const;
const TABLE_RETRIES = 4;
const WINDOWS_PER_SECOND = 1000;
/** From StartSyncExecution to the task's first line: Step Functions and a warm Lambda. */
const START_MS = { least: 15, spread: 15 } as const;

const PATH = '/streamgroups/{Identifier}/streamsessions/{StreamSessionIdentifier}/connections';
const ROUTE = {
  method: 'POST',
  path: PATH,
  functionName: 'request-connection',
  authorizer: 'AWS_IAM',
} as const;
const CONTEXT = contextOf({ name: 'storm', arn: 'arn:aws:lambda:us-west-2:123456789012:function:storm' });

/** What request-connection starts the execution with. */
const inputSchema = z.object({
  streamGroupId: z.string(),
  streamSessionId: z.string(),
  signalRequest: z.string(),
  clientToken: z.string(),
  deadlineMs: z.number(),
});
type ExecutionInput = z.infer<typeof inputSchema>;

/**
 * The shipped handlers of request-connection and create-connection on a table in memory. Between
 * the two stands what Step Functions does: the machine's own Retry, read from its definition.
 */
export function ourPolicy(): Policy {
  let memory: MemoryTable | undefined;
  let requests = 0;
  return {
    name: 'permits and places (ours)',
    prepare: async (storm) => {
      const { clock, players, random, perSecond } = storm;
      const between = ({ least, spread }: { least: number; spread: number }) =>
        clock.sleep(least + random() * spread);
      let openingMs = 0;
      memory = new MemoryTable({
        nowMs: () => clock.nowMs() + openingMs,
        travel: () => between(TABLE_WAY_MS),
      });
      requests = 0;
      const { table } = memory;
      retryThrottling(table, storm);
      const environment = {
        AWS_REGION: 'us-west-2',
        TABLE_NAME: table.name,
        CREATE_CONNECTION_ARN: 'create-connection',
        CONNECTIONS_PER_SECOND: String(perSecond),
        READS_PER_SECOND: String(perSecond),
        LISTS_PER_SECOND: String(perSecond),
        DEFAULT_CONNECTION_TIMEOUT_SECONDS: '120',
        USER_ID_CHECK: 'false',
      };
      const { documents } = table;
      const surroundings = { clock, random, environment };
      const gameLiftStreams = serviceClient(storm);
      const createConnection = createConnectionTask.handler({ documents, gameLiftStreams }, surroundings);
      const stepFunctions = executionsClient(async (input) => {
        await between(START_MS);
        return execute(storm, (retryCount, look) =>
          createConnection({ ...input, executionName: 'execution', retryCount, ...look }, CONTEXT),
        );
      });
      const requestConnection = requestConnectionRoute.handler(
        { documents, gameLiftStreams, stepFunctions },
        surroundings,
      );
      // How fast the table takes new windows is not measured here: each thousand has a second of its own.
      for (let from = 0; from < players.length; from += WINDOWS_PER_SECOND) {
        await openWindows(players.slice(from, from + WINDOWS_PER_SECOND), memory);
        openingMs += 1000;
      }
      // As signal-window leaves it after each connection, for 30 days: a storm seldom comes before a group's first one.
      await rememberGroup(table, STREAM_GROUP_ID, clock.nowMs());
      return async (player) => {
        const body = Buffer.from(JSON.stringify({ SignalRequest: offerOf(player.id) }));
        while (clock.nowMs() < player.deadlineMs) {
          await storm.service.travel();
          const event = requestEvent(player, body, `request-${++requests}`, clock.nowMs());
          const reply = await requestConnection(event, CONTEXT);
          await storm.service.travel();
          if (reply.statusCode === 200) return true;
          if (reply.statusCode !== 429 && reply.statusCode !== 500) return false;
          await clock.sleep(Number(reply.headers?.['retry-after'] ?? 1) * 1000);
        }
        return false;
      };
    },
    usage: () => ({
      requests,
      tableReads: memory?.reads ?? 0,
      tableWrites: memory?.writes ?? 0,
      refusedTableWrites: memory?.refusedWrites ?? 0,
      mostWritesOfOneItemPerSecond: memory?.mostWriteUnitsPerSecond ?? 0,
    }),
  };
}

/** The request as API Gateway hands it over. */
function requestEvent({ id }: Player, body: Buffer, requestId: string, nowMs: number) {
  const pathParameters = { Identifier: STREAM_GROUP_ID, StreamSessionIdentifier: id };
  return proxyEvent(
    {
      method: ROUTE.method,
      target: `/streamgroups/${STREAM_GROUP_ID}/streamsessions/${id}/connections`,
      headers: {},
      rawHeaders: [],
      body,
    },
    {
      route: ROUTE,
      pathParameters,
      account: '123456789012',
      region: 'us-west-2',
      stage: 'storm',
      nowMs,
      requestId,
      extendedRequestId: requestId,
      traceId: '',
    },
  );
}

/** The table's client makes five attempts, with the SDK's full jitter; a throttled one waits from 0.5 s on. */
function retryThrottling({ documents }: MemoryTable['table'], { clock, random }: Storm): void {
  documents.middlewareStack.add(
    (next) => async (args) => {
      for (let retries = 0; ; retries++) {
        try {
          return await next(args);
        } catch (error) {
          if (!(error instanceof TableThrottlingException) || retries === TABLE_RETRIES) throw error;
          await clock.sleep(random() * 500 * 2 ** retries);
        }
      }
    },
    { step: 'initialize', priority: 'high', name: 'retryThrottling' },
  );
}

/** The feeds have reported every disconnect by the time that its player is back. */
async function openWindows(players: readonly Player[], { table }: MemoryTable): Promise<void> {
  const settings = {
    DEFAULT_CONNECTION_TIMEOUT_SECONDS: 120,
    WINDOW_MARGIN_SECONDS: 2,
    TERMINATE_ABANDONED_SESSIONS: false,
  };
  const open = ({ id, deadlineMs }: Player) =>
    openWindow(
      table,
      { streamGroupId: STREAM_GROUP_ID, streamSessionId: id },
      { disconnectedAtMs: deadlineMs, connectionTimeoutSeconds: 0, sessionEndsAtMs: undefined },
      settings,
      async () => true,
    );
  await Promise.all(players.map(open));
}

/** The SDK's client, whose calls go to the storm's service. */
function serviceClient({ service }: Storm): GameLiftStreamsClient {
  const client = new GameLiftStreamsClient({ region: 'us-west-2' });
  return sendThrough(client, async (command, input) => {
    if (command === 'ListStreamSessionsCommand') {
      await service.travel();
      return pageOf(service.waiting(), input);
    }
    // A 409 is explained by a read, and the session that it is about has ended.
    if (command !== 'CreateStreamSessionConnectionCommand') return { Status: 'TERMINATED' };
    const { StreamSessionIdentifier: id } = z.object({ StreamSessionIdentifier: z.string() }).parse(input);
    const message = 'storm';
    switch (await service.connect(id)) {
      case 'CREATED':
        return { SignalResponse: '{"type":"answer"}' };
      case 'THROTTLED':
        throw new ThrottlingException({ message, Message: message, $metadata: { httpStatusCode: 429 } });
      case 'CONFLICT':
        throw new ConflictException({ message, Message: message, $metadata: { httpStatusCode: 409 } });
      case 'LOST':
        throw Object.assign(new Error('socket hang up'), { name: 'TimeoutError' });
    }
  });
}

const listInputSchema = z.object({ MaxResults: z.number(), NextToken: z.string().default('0') });

function pageOf(ids: readonly string[], input: unknown) {
  const { MaxResults, NextToken } = listInputSchema.parse(input);
  const endIndex = Number(NextToken) + MaxResults;
  return {
    Items: ids.slice(Number(NextToken), endIndex).map((id) => ({ Arn: `arn:aws:streamsession/${id}` })),
    ...(ids.length > endIndex ? { NextToken: String(endIndex) } : {}),
  };
}

function executionsClient(run: (input: ExecutionInput) => Promise<object>): SFNClient {
  return sendThrough(new SFNClient({ region: 'us-west-2' }), (_command, input) =>
    run(inputSchema.parse(JSON.parse(z.object({ input: z.string() }).parse(input).input))),
  );
}

/** What Step Functions does with create-connection.asl.yml, the signal to the window left out. */
async function execute(
  { clock, random }: Storm,
  attempt: (retryCount: number, look: Pick<CreateConnectionInput, 'look'>) => Promise<CreateConnectionResult>,
): Promise<object> {
  let policy = new RetryPolicy();
  let look: Pick<CreateConnectionInput, 'look'> = {};
  for (let retryCount = 0; ; retryCount++) {
    try {
      const connection = await attempt(retryCount, look);
      if (connection.result === 'REFUSED') {
        // LookAtSession has the same Retry as the call.
        look = { look: connection.fault };
        policy = new RetryPolicy();
        continue;
      }
      if (connection.result === 'DEADLINE_PASSED') return { status: 'FAILED', error: 'CallerDeadlinePassed' };
      return { status: 'SUCCEEDED', output: JSON.stringify(connection) };
    } catch (error) {
      const name = error instanceof Error ? error.name : 'UnexpectedError';
      if (look.look !== undefined && (name === 'ConflictException' || name === 'SessionAnsweredException')) {
        look = {};
        policy = new RetryPolicy();
        await clock.sleep(1000);
        continue;
      }
      const delayMs = policy.delayMs(name, random);
      if (delayMs === undefined) return { status: 'FAILED', error: name };
      await clock.sleep(delayMs);
    }
  }
}
