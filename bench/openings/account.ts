import { SFNClient } from '@aws-sdk/client-sfn';
import type { LambdaResult } from 'local-server-kit';
import { StartThrottle } from 'step-functions-local';
import { z } from 'zod';
import { MemoryTable } from '../../local/dynamodb/memory-table.ts';
import { AsynchronousInvocations } from '../../local/lambda/asynchronous-invocations.ts';
import { Concurrency } from '../../local/lambda/concurrency.ts';
import { InProcessClock } from '../../local/simulation/in-process-clock.ts';
import { sendThrough } from '../../local/simulation/send-through.ts';

/** How long things take, in ms: the least, and what comes on top of it by chance. */
const TABLE_WAY = { least: 1, spread: 2 };
const START_EXECUTION = { least: 15, spread: 30 };
const THROTTLED_START = { least: 5, spread: 10 };
const WARM_START = { least: 2, spread: 8 };
const COLD_START = { least: 250, spread: 200 };
/** From the start of a window to its first task, and that task's own time. */
const TO_FIRST_TASK = { least: 30, spread: 40 };
const FIRST_TASK = { least: 20, spread: 30 };
/** The machine's own Retry of what Lambda throttles. */
const TASK_RETRY_MS = 2_000;
/** Of a throttled call in the SDK's standard mode: up to 2^n × 500 ms, 20 s at most. */
const SDK_BACKOFF = { baseMs: 500, mostMs: 20_000 };
const REQUEST = { least: 20, spread: 40 };
/** One request in twenty is near its turn and waits for it. */
const WAITING_SHARE = 0.05;
const WAIT_MS = 3_000;
const COME_BACK_MS = 10_000;
const STORM_SECONDS = 120;

/** AWS's defaults where Step Functions has its smaller quotas. */
export const CAPACITY = { startBucket: 800, startsPerSecond: 150, concurrency: 1_000 } as const;

/** One AWS account in virtual time: Lambda's concurrency, StartExecution's quota, a table, and players who ask. */
export class Account {
  readonly clock = new InProcessClock();
  readonly random: () => number;
  readonly table: MemoryTable['table'];
  readonly concurrency: Concurrency;
  readonly asynchronous: AsynchronousInvocations;
  /** When each execution was started, by its name. */
  readonly startedAtMs = new Map<string, number>();
  /** How often each window was announced, by its execution's name. */
  readonly announcements = new Map<string, number>();
  /** Until then EventBridge takes nothing from a function. */
  busAwayUntilMs = 0;
  throttledStarts = 0;
  throttledRequests = 0;
  requests = 0;
  readonly #handlers = new Map<string, (payload: unknown) => Promise<unknown>>();
  readonly #throttle: StartThrottle;
  readonly #environments = new Map<string, { running: number; warm: number }>();

  constructor(random: () => number, reserved: Readonly<Record<string, number>> = {}) {
    this.random = random;
    const { clock } = this;
    this.concurrency = new Concurrency({ account: CAPACITY.concurrency, reserved }, clock);
    this.asynchronous = new AsynchronousInvocations(clock, (name, payload) => this.invoke(name, payload));
    const travel = () => this.take(TABLE_WAY);
    this.table = new MemoryTable({ nowMs: () => clock.nowMs(), travel }).table;
    const { startBucket: bucket, startsPerSecond: perSecond } = CAPACITY;
    const rate = { bucket, perSecond };
    this.#throttle = new StartThrottle({ standard: rate, express: rate }, clock.nowMs());
    this.deploy('register-task-token', () => this.take(FIRST_TASK));
  }

  take({ least, spread }: { readonly least: number; readonly spread: number }): Promise<void> {
    return this.clock.sleep(least + this.random() * spread);
  }

  deploy(functionName: string, handler: (payload: unknown) => Promise<unknown>): void {
    this.#handlers.set(functionName, handler);
  }

  invoke(functionName: string, payload: unknown): Promise<LambdaResult> {
    return this.concurrency.invoke(functionName, async () => {
      const environments = this.#environments.get(functionName) ?? { running: 0, warm: 0 };
      this.#environments.set(functionName, environments);
      environments.running++;
      const isCold = environments.running > environments.warm;
      environments.warm = Math.max(environments.warm, environments.running);
      try {
        await this.take(isCold ? COLD_START : WARM_START);
        return { ok: true, payload: await this.#handlers.get(functionName)?.(payload) };
      } catch (error) {
        const errorType = error instanceof Error ? error.name : typeof error;
        return { ok: false, failure: { errorType, errorMessage: 'failed' } };
      } finally {
        environments.running--;
      }
    });
  }

  /** Players who have dropped ask, and ask again every ten seconds, as they are told to, until the storm is over. */
  startPlayers(count: number): void {
    this.deploy('request-connection', async () => {
      await this.take(this.random() < WAITING_SHARE ? { least: WAIT_MS, spread: 0 } : REQUEST);
    });
    const endMs = this.clock.nowMs() + STORM_SECONDS * 1000;
    const ask = async () => {
      this.requests++;
      const result = await this.invoke('request-connection', {});
      if (!result.ok) this.throttledRequests++;
      if (this.clock.nowMs() + COME_BACK_MS < endMs) this.clock.setTimer(COME_BACK_MS, () => void ask());
    };
    for (let player = 0; player < count; player++) {
      this.clock.setTimer(1_000 + this.random() * COME_BACK_MS, () => void ask());
    }
  }

  /** A client that tries a throttled start so many times, with the backoff of the SDK's standard mode. */
  stepFunctions(attempts: number): SFNClient {
    return sendThrough(new SFNClient({ region: 'us-west-2' }), async (_command, input) => {
      const { name } = z.object({ name: z.string() }).parse(input);
      for (let attempt = 1; !(await this.#start(name)); attempt++) {
        if (attempt === attempts) {
          throw Object.assign(new Error('Rate exceeded'), { name: 'ThrottlingException' });
        }
        const mostMs = Math.min(SDK_BACKOFF.mostMs, SDK_BACKOFF.baseMs * 2 ** (attempt - 1));
        await this.clock.sleep(this.random() * mostMs);
      }
      return {};
    });
  }

  async #start(name: string): Promise<boolean> {
    try {
      this.#throttle.take('STANDARD', this.clock.nowMs());
    } catch {
      this.throttledStarts++;
      await this.take(THROTTLED_START);
      return false;
    }
    await this.take(START_EXECUTION);
    if (this.startedAtMs.has(name)) return true;
    this.startedAtMs.set(name, this.clock.nowMs());
    void this.#runFirstTask();
    return true;
  }

  async #runFirstTask(): Promise<void> {
    await this.take(TO_FIRST_TASK);
    while (!(await this.invoke('register-task-token', {})).ok) await this.clock.sleep(TASK_RETRY_MS);
  }
}
