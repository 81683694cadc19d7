import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { SessionRecord } from 'game-lift-streams-local';
import { InProcessNetwork, LOCAL_CREDENTIALS, seededRandom } from 'local-server-kit';
import { z } from 'zod';
import {
  STATUS_CHANGE_DETAIL_TYPE,
  type StatusChangeDetail,
} from '../../functions/shared/contracts/index.ts';
import { MemoryItems } from '../../local/dynamodb/memory-items.ts';
import { resolveEnvironment } from '../../local/service/read-service.ts';
import type { Service } from '../../local/service/service.ts';
import { inProcessFunctions } from '../../local/simulation/functions.ts';
import { InProcessClock } from '../../local/simulation/in-process-clock.ts';
import { largestItems } from '../../local/simulation/item-bounds.ts';
import { sendThrough } from '../../local/simulation/send-through.ts';
import { startStack } from '../../local/stack.ts';

const answerSchema = z.object({ SignalResponse: z.string() });

/** From a function to what it calls, and back. */
const WAY_MS = 2;

export type SoakWorld = Awaited<ReturnType<typeof startSoakWorld>>;

/** The whole service in this process, in virtual time, without sockets. It notes the size of each item that is written. */
export async function startSoakWorld(service: Service, seed: number, watching: boolean) {
  // The functions' log lines would drown the numbers.
  process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
  process.env['POWERTOOLS_METRICS_DISABLED'] = 'true';
  const clock = new InProcessClock();
  const random = seededRandom(seed);
  const network = new InProcessNetwork();
  const { largestBytes, onWrite } = largestItems();
  const refused: Record<string, number> = {};
  const items = new MemoryItems({
    nowMs: () => clock.nowMs(),
    onWrite,
  });
  const documents = sendThrough(
    DynamoDBDocumentClient.from(new DynamoDBClient({ region: service.region })),
    async (command, input) => {
      await clock.sleep(WAY_MS);
      try {
        return items.answer(command, input);
      } catch (error) {
        const name = error instanceof Error ? error.name : 'UnknownError';
        if (name !== 'ConditionalCheckFailedException') refused[name] = (refused[name] ?? 0) + 1;
        throw error;
      }
    },
  );
  const table = { documents, name: service.tables[0]?.name ?? '' };
  const { requestHandler } = network;
  const stack = await startStack({
    service,
    clock,
    random,
    network,
    gameLiftStreams: { activity: clock },
    keptExecutions: 50,
    runSchedules: watching,
    hostFunctions: (endpoints) =>
      inProcessFunctions(
        service,
        endpoints,
        clock,
        random,
        () => {},
        { USER_ID_CHECK: 'true' },
        {
          requestHandler,
          table,
        },
      ),
  });
  const { endpoints, control } = stack;
  const eventBridge = new EventBridgeClient({
    region: service.region,
    credentials: LOCAL_CREDENTIALS,
    requestHandler,
    endpoint: endpoints.eventBus,
  });
  const { EVENT_BUS_NAME, EVENT_SOURCE } = resolveEnvironment(service, 'onStatusChange');

  return {
    clock,
    random,
    control,
    items,
    largestBytes,
    refused,
    /** Reports a status that has changed now. */
    async report(session: SessionRecord, status: StatusChangeDetail['status']): Promise<void> {
      const { streamGroupId, streamSessionId } = session;
      const statusChangedAt = new Date(clock.nowMs()).toISOString();
      const detail = { version: '1', streamGroupId, streamSessionId, status, statusChangedAt };
      const entry = {
        EventBusName: EVENT_BUS_NAME,
        Source: EVENT_SOURCE,
        DetailType: STATUS_CHANGE_DETAIL_TYPE,
      };
      await eventBridge.send(
        new PutEventsCommand({ Entries: [{ ...entry, Detail: JSON.stringify(detail) }] }),
      );
    },
    /** Asks for a connection as a backend does, in the name of the session's user. */
    async connect({ streamGroupId, streamSessionId, userId = '' }: SessionRecord, body: object) {
      const response = await network.fetch(
        `${endpoints.api}/streamgroups/${streamGroupId}/streamsessions/${streamSessionId}/connections`,
        { method: 'POST', headers: { 'x-user-id': userId }, body: JSON.stringify(body) },
      );
      const reply = answerSchema.safeParse(await response.json());
      return {
        answer: reply.data?.SignalResponse,
        retryAfterSeconds: Number(response.headers.get('retry-after') ?? 1),
      };
    },
    async close(): Promise<void> {
      await stack.close();
      eventBridge.destroy();
    },
  };
}
