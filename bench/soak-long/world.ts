import type { SessionRecord } from 'game-lift-streams-local';
import { z } from 'zod';
import type { StatusChangeDetail } from '../../functions/shared/contracts/index.ts';
import { MemoryItems } from '../../local/dynamodb/memory-items.ts';
import type { Service } from '../../local/service/service.ts';
import { largestItems } from '../../local/simulation/largest-items.ts';
import { startSimulation } from '../../local/simulation/simulation.ts';

const answerSchema = z.object({ SignalResponse: z.string() });

/** From a function to the table, and back. */
const WAY_MS = 2;

export type SoakWorld = Awaited<ReturnType<typeof startSoakWorld>>;

/** The whole service in this process, in virtual time, without sockets. It notes the size of each item that is written. */
export async function startSoakWorld(service: Service, seed: number, watching: boolean) {
  const { largestBytes, onWrite } = largestItems();
  const refused: Record<string, number> = {};
  const simulation = await startSimulation({
    service,
    adapter: 'inProcess',
    seed,
    watching,
    environment: { USER_ID_CHECK: 'true' },
    keptExecutions: 50,
    items: (nowMs) => new MemoryItems({ nowMs, onWrite }),
    call: async ({ client }, send) => {
      if (client !== 'documents') return send();
      await simulation.clock.sleep(WAY_MS);
      try {
        return await send();
      } catch (error) {
        const name = error instanceof Error ? error.name : 'UnknownError';
        if (name !== 'ConditionalCheckFailedException') refused[name] = (refused[name] ?? 0) + 1;
        throw error;
      }
    },
  });

  return {
    ...simulation,
    largestBytes,
    refused,
    /** Reports a status that has changed now. */
    report: (session: SessionRecord, status: StatusChangeDetail['status']): Promise<void> =>
      simulation.emit(simulation.statusChange(session, { status, connectionTimeoutSeconds: undefined })),
    /** Asks for a connection as a backend does, in the name of the session's user. */
    async connect(session: SessionRecord, body: object) {
      const response = await simulation.connect(session, body, { 'x-user-id': session.userId ?? '' });
      const reply = answerSchema.safeParse(await response.json());
      return {
        answer: reply.data?.SignalResponse,
        retryAfterSeconds: Number(response.headers.get('retry-after') ?? 1),
      };
    },
  };
}
