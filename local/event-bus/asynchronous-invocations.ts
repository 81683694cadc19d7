import type { Clock } from '../shared/clock.ts';
import type { InvokeLambda } from '../shared/invoke-lambda.ts';

/** Lambda waits one minute before the first repeat of a failed asynchronous invocation, and two before the second. */
const RETRY_DELAYS_MS = [60_000, 120_000];

export interface AsynchronousInvocation {
  readonly functionName: string;
  readonly payload: unknown;
  readonly maximumRetryAttempts: number;
  /** Called when every attempt has failed, with the name of the last error. */
  readonly onGivenUp: (errorName: string, attempts: number) => void;
}

/** Lambda's queue of asynchronous invocations: they wait for nobody, and failed ones are repeated. */
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
    void this.#attempt(invocation, 1);
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

  async #attempt(invocation: AsynchronousInvocation, attempt: number): Promise<void> {
    this.#running++;
    const errorName = await this.#errorOf(invocation);
    this.#running--;
    if (errorName !== undefined && !this.#closed) this.#repeatOrGiveUp(invocation, attempt, errorName);
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

  #repeatOrGiveUp(invocation: AsynchronousInvocation, attempt: number, errorName: string): void {
    const delayMs = RETRY_DELAYS_MS[attempt - 1];
    if (attempt > invocation.maximumRetryAttempts || delayMs === undefined) {
      invocation.onGivenUp(errorName, attempt);
      return;
    }
    const cancel = this.#clock.setTimer(delayMs, () => {
      this.#cancels.delete(cancel);
      void this.#attempt(invocation, attempt + 1);
    });
    this.#cancels.add(cancel);
  }
}
