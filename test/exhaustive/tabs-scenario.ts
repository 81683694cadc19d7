/**
 * Tabs of one player who each bring an offer for the same session: their place in line, the permit, and the call.
 * The functions are the real ones; the service takes one offer after the other, the same token as the same offer.
 */
import { GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import { z } from 'zod';
import { createConnection } from '../../functions/create-connection/create-connection.ts';
import { awaitTurn } from '../../functions/request-connection/await-turn.ts';
import { countsOf, deadlinesOf } from '../../functions/shared/quota/deadline-bucket.ts';
import { isSuperseded, offerIdOf } from '../../functions/shared/quota/places.ts';
import { MemoryItems } from '../../local/dynamodb/memory-items.ts';
import { sendThrough } from '../../local/simulation/send-through.ts';
import { memoryLog } from '../helpers/log.ts';
import { memoryMetrics } from '../helpers/metrics.ts';
import type { Scenario } from './explore.ts';
import { gatedTable } from './gated-clients.ts';
import { SteppingClock } from './stepping-clock.ts';
import type { Gate, World } from './world.ts';

const SESSION = { streamGroupId: 'sg-1', streamSessionId: 'session' };
const START_MS = 1_000_000_000;
const settings = {
  CONNECTIONS_PER_SECOND: 20,
  READS_PER_SECOND: 20,
  LISTS_PER_SECOND: 20,
  DEFAULT_CONNECTION_TIMEOUT_SECONDS: 120,
};
const service = new GameLiftStreamsClient({ region: 'us-west-2' });
const callSchema = z.object({ ClientToken: z.string() });
const placeSchema = z.object({
  latestOffer: z.string(),
  knownOffers: z.set(z.string()),
  recentOffers: z.string().default(''),
});
const OPERATION = 'CreateStreamSessionConnection';

export interface Code {
  readonly awaitTurn: typeof awaitTurn;
  readonly createConnection: typeof createConnection;
}
export const REAL_CODE: Code = { awaitTurn, createConnection };

export interface TabsOptions {
  readonly code?: Code;
  readonly tabs: number;
  /** How often a tab asks again whose request died. */
  readonly repeats?: number;
}

export function tabsScenario(world: World, { code = REAL_CODE, tabs, repeats = 0 }: TabsOptions): Scenario {
  const items = new MemoryItems();
  const clock = new SteppingClock(START_MS, { stepMs: 0, steps: 0 });
  /** The tokens that the service has accepted. */
  const accepted = new Set<string>();
  const results: Record<string, string> = {};
  /** Tabs that will not ask again. */
  const gone: string[] = [];

  const gameLiftStreams = (gate: Gate) =>
    sendThrough(service, (command, input) =>
      gate(
        command,
        () => {
          const { ClientToken } = callSchema.parse(input);
          accepted.add(ClientToken);
          return { SignalResponse: `answer to ${ClientToken}` };
        },
        // Nothing that is looked at here depends on the order of the calls.
        () => true,
      ),
    );

  function ask(tab: string, repeatsLeft: number): void {
    const again = () => {
      if (repeatsLeft > 0) ask(tab, repeatsLeft - 1);
      else gone.push(tab);
    };
    world.start(
      tab,
      async (gate) => {
        const dependencies = {
          table: gatedTable(items, gate, ['window']),
          gameLiftStreams: gameLiftStreams(gate),
          clock: clock.skewed(0),
          random: () => 0.5,
          log: memoryLog(),
          metrics: memoryMetrics(),
          settings,
        };
        const turn = await code.awaitTurn(SESSION, tab, dependencies);
        if (turn.kind !== 'NOW') return turn.kind;
        const input = {
          ...SESSION,
          executionName: tab,
          signalRequest: 'offer',
          clientToken: tab,
          deadlineMs: START_MS + 20_000,
          retryCount: 0,
        };
        const { result } = await code.createConnection(input, dependencies);
        return result;
      },
      {
        onReturn: (result) => {
          results[tab] = result;
        },
        onThrow: again,
        onDeath: again,
      },
    );
  }

  for (let tab = 1; tab <= tabs; tab++) ask(`tab-${tab}`, repeats);

  return {
    events: () => clock.events(),
    state: () => [items.all(), clock.state(), accepted, results, gone],
    always: () => {
      const line = items.item({ pk: `line#${OPERATION}`, sk: 'line' }) ?? {};
      const counters = Object.entries(line).filter(([name]) => deadlinesOf(name) !== undefined);
      for (const [name, value] of counters) {
        const { drawn, served } = countsOf(Number(value));
        if (served > drawn) throw new Error(`${served} numbers were served of ${drawn} in ${name}`);
      }
    },
    whenQuiet: () => {
      const item = items.item({ pk: 'session#sg-1/session', sk: 'place' });
      if (item === undefined) {
        if (gone.length < tabs) throw new Error('nobody has a place');
        return;
      }
      const place = { ...placeSchema.parse(item), revision: 0, askedAtMs: 0, deadlineMs: 0 };
      for (const [tab, result] of Object.entries(results)) {
        const isLatest = place.latestOffer === offerIdOf(tab);
        if (isLatest && result !== 'CONNECTION_CREATED')
          throw new Error(`${tab} asked last and got ${result}`);
        // Two calls that are both on their way reach the service in either order, and nobody here can tell:
        // then the answer of who asked last is there, but an older offer has the session. A new offer mends it.
        if (!isRemembered(place, tab)) throw new Error(`the offer of ${tab} was forgotten`);
        if (result === 'CONNECTION_CREATED' && !accepted.has(tab)) throw new Error('an answer from nowhere');
      }
    },
  };
}

/** By the names of the latest offers alone: the few that are also kept in full are for the code before. */
function isRemembered(place: Parameters<typeof isSuperseded>[0], tab: string): boolean {
  const offerId = offerIdOf(tab);
  return place.latestOffer === offerId || isSuperseded({ ...place, knownOffers: new Set() }, offerId);
}
