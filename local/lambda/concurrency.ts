import { type Clock, type LambdaResult, TokenBucket } from 'local-server-kit';

/** Concurrent executions of an account in one Region, by default: Lambda Developer Guide, "Lambda quotas". */
const ACCOUNT_CONCURRENCY = 1_000;
/** What reservations must leave for the functions without one: "Configuring reserved concurrency". */
const LEAST_UNRESERVED = 100;
/** Requests a second for each unit of concurrency: "Understanding Lambda function scaling". */
const REQUESTS_PER_SECOND_EACH = 10;

export interface ConcurrencyOptions {
  /** Of the account. New accounts have as few as 10. */
  readonly account?: number | undefined;
  /** Reserved for a function, by its name. 0 lets nothing through. */
  readonly reserved?: Readonly<Record<string, number>> | undefined;
}

export interface FunctionCounters {
  readonly invocations: number;
  readonly throttled: number;
  /** The most executions at one time. */
  readonly peak: number;
}

/** Executions that share a limit: one function's reservation, or all functions without one. */
class Pool {
  readonly #size: number;
  readonly #requests: TokenBucket;
  #running = 0;
  peak = 0;

  constructor(size: number, nowMs: number) {
    this.#size = size;
    const perSecond = size * REQUESTS_PER_SECOND_EACH;
    this.#requests = new TokenBucket({ bucket: perSecond, perSecond }, nowMs);
  }

  enter(nowMs: number): boolean {
    if (this.#running >= this.#size || !this.#requests.take(nowMs)) return false;
    this.#running++;
    this.peak = Math.max(this.peak, this.#running);
    return true;
  }

  leave(): void {
    this.#running--;
  }
}

/** Lets through as many executions at one time as the account has, and refuses the others as Lambda does. */
export class Concurrency {
  readonly #clock: Clock;
  readonly #unreserved: Pool;
  readonly #reserved: ReadonlyMap<string, Pool>;
  readonly #counters = new Map<
    string,
    { invocations: number; throttled: number; running: number; peak: number }
  >();

  /** @throws Error with Lambda's own sentence when the reservations leave too little. */
  constructor({ account = ACCOUNT_CONCURRENCY, reserved = {} }: ConcurrencyOptions, clock: Clock) {
    this.#clock = clock;
    const sizes = Object.entries(reserved);
    const unreserved = sizes.reduce((left, [, size]) => left - size, account);
    if (sizes.length > 0 && unreserved < LEAST_UNRESERVED) {
      throw new Error(
        `Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${LEAST_UNRESERVED}].`,
      );
    }
    const nowMs = clock.nowMs();
    this.#unreserved = new Pool(unreserved, nowMs);
    this.#reserved = new Map(sizes.map(([name, size]) => [name, new Pool(size, nowMs)]));
  }

  /** Runs the invocation, or gives the 429 that Lambda's Invoke gives. */
  async invoke(functionName: string, run: () => Promise<LambdaResult>): Promise<LambdaResult> {
    const pool = this.#reserved.get(functionName) ?? this.#unreserved;
    const counters = this.#countersOf(functionName);
    if (!pool.enter(this.#clock.nowMs())) {
      counters.throttled++;
      return {
        ok: false,
        failure: { errorType: 'Lambda.TooManyRequestsException', errorMessage: 'Rate Exceeded.' },
      };
    }
    counters.invocations++;
    counters.running++;
    counters.peak = Math.max(counters.peak, counters.running);
    try {
      return await run();
    } finally {
      counters.running--;
      pool.leave();
    }
  }

  /** What each function's invocations came to, by its name. */
  counters(): Readonly<Record<string, FunctionCounters>> {
    return Object.fromEntries(
      [...this.#counters].map(([name, { invocations, throttled, peak }]) => [
        name,
        { invocations, throttled, peak },
      ]),
    );
  }

  /** The most executions of functions without a reservation at one time. */
  get unreservedPeak(): number {
    return this.#unreserved.peak;
  }

  #countersOf(functionName: string) {
    let counters = this.#counters.get(functionName);
    if (counters === undefined) {
      counters = { invocations: 0, throttled: 0, running: 0, peak: 0 };
      this.#counters.set(functionName, counters);
    }
    return counters;
  }
}
