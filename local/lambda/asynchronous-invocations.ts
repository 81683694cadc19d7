import type { Clock, InvokeLambda } from 'local-server-kit';
import { isLambdaAtFault } from './failures.ts';

/** Lambda waits one minute before the first repeat of a failed asynchronous invocation, and two before the second. */
const RETRY_DELAYS_MS = [60_000, 120_000];
/** What was throttled, or met an error of Lambda's own, is repeated after one second, then twice as long, … */
const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 300_000;
/** How old an event may get, by default and at most. */
const MAXIMUM_EVENT_AGE_SECONDS = 21_600;

export interface AsynchronousInvocation {
  readonly functionName: string;
  readonly payload: unknown;
  readonly maximumRetryAttempts: number;
  readonly maximumEventAgeSeconds?: number | undefined;
  /** Called when every attempt has failed or the event is too old, with the name of the last error. */
  readonly onGivenUp: (errorName: string, attempts: number) => void;
}

/** An event in the queue, with what has become of it so far. */
interface Queued {
  readonly invocation: AsynchronousInvocation;
  readonly queuedAtMs: number;
  /** Attempts that reached the function. */
  attempts: number;
  /** Attempts in a row that did not. */
  refused: number;
}

/**
 * Lambda's queue of asynchronous invocations (Developer Guide, "How Lambda handles errors and retries with
 * asynchronous invocation"). Nobody waits for them. An error of the function is repeated twice at most, one and two
 * minutes later; throttling and errors of Lambda itself until the event is too old, with growing distance.
 */
export class AsynchronousInvocations {
  readonly #clock: Clock;
  readonly #invokeLambda: InvokeLambda;
  readonly #cancels = new Set<() => void>();
  readonly #idleWaiters = new Set<() => void>();
  #running = 0;
  #closed = false;

  constructor(clock: Clock, invokeLambda: InvokeLambda) {
    this.#clock = clock;
    this.#invokeLambda = invokeLambda;
  }

  start(invocation: AsynchronousInvocation): void {
    void this.#attempt({ invocation, queuedAtMs: this.#clock.nowMs(), attempts: 0, refused: 0 });
  }

  /** Resolves when no attempt is under way; one that waits for its time does not count. */
  async idle(): Promise<void> {
    while (this.#running > 0) await new Promise<void>((resolve) => this.#idleWaiters.add(resolve));
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }

  async #attempt(queued: Queued): Promise<void> {
    this.#running++;
    const errorName = await this.#errorOf(queued.invocation);
    this.#running--;
    if (errorName !== undefined && !this.#closed) this.#repeatOrGiveUp(queued, errorName);
    if (this.#running > 0) return;
    for (const resolve of this.#idleWaiters) resolve();
    this.#idleWaiters.clear();
  }

  async #errorOf({ functionName, payload }: AsynchronousInvocation): Promise<string | undefined> {
    try {
      const result = await this.#invokeLambda(functionName, payload);
      return result.ok ? undefined : result.failure.errorType;
    } catch (error) {
      // An invoker should not throw; what it throws may quote the event, so its name alone goes on.
      return error instanceof Error ? error.name : typeof error;
    }
  }

  #repeatOrGiveUp(queued: Queued, errorName: string): void {
    const { invocation, queuedAtMs } = queued;
    const { maximumRetryAttempts, maximumEventAgeSeconds = MAXIMUM_EVENT_AGE_SECONDS } = invocation;
    const delayMs = delayAfter(queued, errorName);
    const isTooOften = queued.attempts > maximumRetryAttempts;
    const isTooOld = this.#clock.nowMs() + (delayMs ?? 0) - queuedAtMs > maximumEventAgeSeconds * 1000;
    if (delayMs === undefined || isTooOften || isTooOld) {
      invocation.onGivenUp(errorName, queued.attempts);
      return;
    }
    const cancel = this.#clock.setTimer(delayMs, () => {
      this.#cancels.delete(cancel);
      void this.#attempt(queued);
    });
    this.#cancels.add(cancel);
  }
}

/** Counts the failed attempt. @returns undefined when there is no further one. */
function delayAfter(queued: Queued, errorName: string): number | undefined {
  if (isLambdaAtFault(errorName)) {
    return Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** queued.refused++);
  }
  queued.refused = 0;
  return RETRY_DELAYS_MS[queued.attempts++];
}
