import fc from 'fast-check';
import type { NewFault } from 'game-lift-streams-local';
import type { Cast } from './cast.ts';
import type { Mishap } from './world.ts';

/** The service's own history is the model: commands that cannot happen in it do nothing. */
type Model = Record<string, never>;

/** Something that happens; its name and numbers are what a failing run prints. */
class Command implements fc.AsyncCommand<Model, Cast> {
  readonly #name: string;
  readonly #happen: (cast: Cast) => Promise<unknown>;

  constructor(name: string, happen: (cast: Cast) => Promise<unknown>) {
    this.#name = name;
    this.#happen = happen;
  }

  check(): boolean {
    return true;
  }

  async run(_: Model, cast: Cast): Promise<void> {
    await this.#happen(cast);
    // What it starts begins at once; the order of what follows is the clock's.
    await cast.world.clock.advance(0);
  }

  toString(): string {
    return this.#name;
  }
}

const session = fc.nat(1);
const FAULTS = [
  'throttling',
  'internalServer',
  'unavailable',
  'lostReply',
  // Of a clock that is wrong.
  'invalidSignature',
  'requestExpired',
  'requestTimeout',
] as const;
const OUTAGES = ['internalServer', 'throttling', 'noReply', 'accessDenied'] as const;
const OPERATIONS = ['GetStreamSession', 'ListStreamSessions', 'CreateStreamSessionConnection'] as const;
const MISHAPS: readonly Mishap[] = ['failsBefore', 'failsAfter', 'diesBefore', 'diesAfter'];

const advance = fc
  .oneof(
    fc.integer({ min: 10, max: 400 }),
    fc.integer({ min: 400, max: 4000 }),
    fc.integer({ min: 4000, max: 16_000 }),
  )
  .map((ms) => new Command(`time moves on by ${ms} ms`, ({ world }) => world.clock.advance(ms)));

/** What players, feeds and applications do. */
const everyday = [
  { weight: 6, arbitrary: advance },
  {
    weight: 4,
    arbitrary: session.map((index) => new Command(`player ${index} drops`, (cast) => cast.drop(index))),
  },
  {
    weight: 1,
    arbitrary: session.map(
      (index) => new Command(`the lost client of ${index} is back unnoticed`, (cast) => cast.recover(index)),
    ),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({
        index: session,
        skewMs: fc.integer({ min: -1500, max: 1500 }),
        tellsTimeout: fc.boolean(),
        copies: fc.integer({ min: 1, max: 2 }),
      })
      .map(
        ({ index, ...report }) =>
          new Command(`a feed reports the drop of ${index} (${JSON.stringify(report)})`, (cast) =>
            cast.reportDrop(index, report),
          ),
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(session, fc.nat(2))
      .map(
        ([index, ago]) =>
          new Command(`a feed tells the status of ${index}, ${ago} before the present one`, (cast) =>
            cast.reportStatus(index, ago),
          ),
      ),
  },
  {
    weight: 6,
    arbitrary: fc
      .record({ index: session, again: fc.boolean(), ownToken: fc.boolean() })
      .map(
        ({ index, ...ask }) =>
          new Command(`player ${index} asks (${JSON.stringify(ask)})`, async (cast) => cast.ask(index, ask)),
      ),
  },
  {
    weight: 5,
    arbitrary: session.map(
      (index) => new Command(`player ${index} uses the answer`, (cast) => cast.use(index)),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(session, fc.constantFrom('exits' as const, 'fails' as const, 'isTerminated' as const))
      .map(([index, how]) => new Command(`session ${index} ${how}`, (cast) => cast.end(index, how))),
  },
];

function faulty(name: string, happen: (cast: Cast) => Promise<unknown>): Command {
  return new Command(name, async (cast) => {
    cast.isDisturbed = true;
    await happen(cast);
  });
}

/** What goes wrong. */
const mishaps = [
  {
    weight: 2,
    arbitrary: fc
      .record({
        kind: fc.constantFrom(...FAULTS),
        operation: fc.constantFrom(...OPERATIONS),
        calls: fc.integer({ min: 1, max: 3 }),
      })
      .map((fault) => faultOf(fault)),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({
        operation: fc.constantFrom(...OPERATIONS),
        latencyMs: fc.integer({ min: 100, max: 6000 }),
        at: fc.constantFrom('request' as const, 'reply' as const),
      })
      .map((latency) => faultOf({ kind: 'latency', ...latency })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({
        kind: fc.constantFrom(...OUTAGES),
        operation: fc.constantFrom(...OPERATIONS),
        minutes: fc.integer({ min: 1, max: 15 }),
      })
      .map(({ kind, operation, minutes }) =>
        faulty(`${operation} is away for ${minutes} minutes (${kind})`, ({ world }) =>
          world.control.injectFault({
            kind,
            operation,
            untilMs: world.clock.nowMs() + minutes * 60_000,
          }),
        ),
      ),
  },
  {
    weight: 1,
    arbitrary: fc.constant(faultOf({ kind: 'conflict', operation: 'CreateStreamSessionConnection' })),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ mishap: fc.constantFrom(...MISHAPS), afterCalls: fc.nat(30) })
      .map((plan) =>
        faulty(`a call ${plan.mishap}, ${plan.afterCalls} calls from now`, async ({ world }) =>
          world.plan(plan),
        ),
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({
        duplicateNext: fc.nat(3),
        delayNext: fc.record({ count: fc.nat(3), delayMs: fc.integer({ min: 50, max: 20_000 }) }),
      })
      .map((disturbance) =>
        faulty(`the bus: ${JSON.stringify(disturbance)}`, ({ world }) => world.disturb(disturbance)),
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .nat(3)
      .map((index) => new Command(`execution ${index} is stopped`, (cast) => cast.stopExecution(index))),
  },
];

function faultOf(fault: NewFault): Command {
  return faulty(`the service: ${JSON.stringify(fault)}`, ({ world }) => world.control.injectFault(fault));
}

const options = { size: 'max', maxCommands: 40 } as const;

/** Days on which only players and feeds misbehave. */
export const everydayCommands = fc.commands(
  everyday.flatMap(({ weight, arbitrary }) => Array.from({ length: weight }, () => arbitrary)),
  options,
);

/** Days on which everything does. */
export const allCommands = fc.commands(
  [...everyday, ...mishaps].flatMap(({ weight, arbitrary }) =>
    Array.from({ length: weight }, () => arbitrary),
  ),
  options,
);
