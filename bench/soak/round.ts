import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { outcomeSchema } from '../../functions/shared/contracts/index.ts';
import type { LocalStack } from '../../local/local-stack.ts';
import { fateOf } from './fates.ts';
import { play } from './players.ts';
import { truthOf } from './truth.ts';

const recordedSchema = z.object({
  message: z.literal('OutcomeRecorded'),
  streamSessionId: z.string(),
  generation: z.number(),
  outcome: outcomeSchema,
});

/** The functions' own log, read as it is written: each line of a recorded outcome. */
export class RecordedOutcomes {
  readonly #of = new Map<string, z.output<typeof recordedSchema>[]>();

  read(line: string): void {
    if (!line.includes('"OutcomeRecorded"')) return;
    const recorded = recordedSchema.parse(JSON.parse(line));
    this.#of.set(recorded.streamSessionId, [...this.of(recorded.streamSessionId), recorded]);
  }

  of(streamSessionId: string): readonly z.output<typeof recordedSchema>[] {
    return this.#of.get(streamSessionId) ?? [];
  }

  forget(): void {
    this.#of.clear();
  }
}

export interface RoundOptions {
  readonly sessions: number;
  readonly windowSeconds: number;
  readonly random: () => number;
  readonly onProgress: (line: string) => void;
}

export interface Round {
  readonly disconnects: number;
  readonly recorded: Readonly<Record<string, number>>;
  /** Sessions whose outcomes are not what happened, with both. */
  readonly wrong: readonly string[];
  readonly seconds: number;
  readonly calls: number;
  readonly throttled: number;
}

/** How long after the last window outcomes may come: 2,000 reads at three quarters of 20 a second, twice. */
const PATIENCE_MS = 270_000;

/** Every session drops in the same second, nobody reports any, and each ends in its own way. */
export async function runRound(
  stack: LocalStack,
  outcomes: RecordedOutcomes,
  { sessions: count, windowSeconds, random, onProgress }: RoundOptions,
): Promise<Round> {
  await stack.control.reset();
  outcomes.forget();
  const sessions = await stack.control.startSessions({ count, connectionTimeoutSeconds: windowSeconds });
  const startMs = Date.now();
  await stack.control.clientDrops(sessions.map(({ streamSessionId }) => streamSessionId));
  const untilMs = startMs + windowSeconds * 1000;
  await Promise.all(
    sessions.map((session, index) => {
      // Nobody comes at the last second: whether that is in time is not for this machine's load to decide.
      const afterMs = random() * windowSeconds * 1000 * 0.6;
      return play({ stack, session, fate: fateOf(index), afterMs, untilMs });
    }),
  );
  const wrong = await settle(stack, outcomes, onProgress);
  const { CreateStreamSessionConnection: calls } = await stack.control.counters();
  const all = sessions.flatMap(({ streamSessionId }) => outcomes.of(streamSessionId));
  const recorded: Record<string, number> = {};
  for (const { outcome } of all) recorded[outcome] = (recorded[outcome] ?? 0) + 1;
  return {
    disconnects: (await stack.control.sessions()).flatMap((session) => truthOf(session).outcomes).length,
    recorded,
    wrong,
    seconds: Math.round((Date.now() - startMs) / 1000),
    calls: calls.calls,
    throttled: calls.throttled,
  };
}

/** Waits until every disconnect has ended and is recorded. @returns what is still wrong when patience ends. */
async function settle(
  stack: LocalStack,
  outcomes: RecordedOutcomes,
  onProgress: RoundOptions['onProgress'],
): Promise<readonly string[]> {
  const patientUntilMs = Date.now() + PATIENCE_MS;
  for (;;) {
    const wrong = (await stack.control.sessions()).flatMap((session) => {
      const { outcomes: expected, waiting } = truthOf(session);
      const found = [...outcomes.of(session.streamSessionId)]
        .sort((one, other) => one.generation - other.generation)
        .map(({ outcome }) => outcome);
      const right = !waiting && found.join() === expected.join();
      return right
        ? []
        : [`${session.streamSessionId}: ${expected.join()} happened, ${found.join()} is recorded`];
    });
    if (wrong.length === 0 || Date.now() > patientUntilMs) return wrong;
    onProgress(`${wrong.length} outcomes to come; first: ${wrong[0]}`);
    await sleep(5000);
  }
}
