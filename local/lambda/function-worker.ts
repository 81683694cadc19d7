import { Worker } from 'node:worker_threads';
import type { CancelTimer, Clock, LambdaFailure, LambdaResult } from 'local-server-kit';
import { failureOf, runtimeFailure } from './failures.ts';
import { readLines } from './lines.ts';
import { type FunctionConfiguration, type InvokeMessage, runtimeMessageSchema } from './messages.ts';

/** How long Lambda lets a bundle load before the function's own timeout begins to count. */
const LOAD_LIMIT_MS = 10_000;

/** A runaway function ends its worker at this heap size, and not every stand-in with it. */
const MAX_HEAP_MEGABYTES = 2_048;

export interface WorkerOptions {
  readonly configuration: FunctionConfiguration;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly clock: Clock;
  readonly onLog: (line: string) => void;
}

export interface Invocation {
  readonly requestId: string;
  readonly invokedFunctionArn: string;
  /** JSON text. */
  readonly payload: string;
}

/** The reply as JSON text, or why there is none. */
export type WorkerResult =
  | { readonly ok: true; readonly payload: string }
  | Extract<LambdaResult, { ok: false }>;

interface Pending {
  readonly number: number;
  readonly invocation: Invocation;
  readonly settle: (result: WorkerResult) => void;
  cancelTimer: CancelTimer;
}

/** One worker of one function, from its start to its end. Once `usable` is false a new one takes its place. */
export class FunctionWorker {
  readonly #options: WorkerOptions;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #waitingForLoad: Pending[] = [];
  #count = 0;
  #loaded = false;
  #retired = false;
  #exited = false;
  #crash: LambdaFailure | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#worker = new Worker(new URL('./runtime.ts', import.meta.url), {
      env: { ...options.environment },
      workerData: options.configuration,
      stdout: true,
      stderr: true,
      // Not this process's own flags, such as a test runner's loader.
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MEGABYTES },
    });
    readLines(this.#worker.stdout, options.onLog);
    readLines(this.#worker.stderr, options.onLog);
    this.#worker.on('message', (message) => this.#hear(message));
    this.#worker.on('error', (error) => {
      this.#crash ??= crashFailure(error);
    });
    this.#worker.on('exit', (exitCode) => this.#end(exitCode));
  }

  get ended(): boolean {
    return this.#exited;
  }

  get usable(): boolean {
    return !this.#retired && !this.#exited;
  }

  invoke(invocation: Invocation): Promise<WorkerResult> {
    return new Promise((settle) => {
      const pending: Pending = { number: this.#count++, invocation, settle, cancelTimer: () => {} };
      this.#pending.set(pending.number, pending);
      if (this.#loaded) {
        this.#send(pending);
        return;
      }
      const limitMs = LOAD_LIMIT_MS + this.#options.timeoutSeconds * 1000;
      pending.cancelTimer = this.#options.clock.setTimer(limitMs, () => this.#timeOut(pending));
      this.#waitingForLoad.push(pending);
    });
  }

  /** Ends the worker and all that it does. */
  async close(): Promise<void> {
    this.#retired = true;
    await this.#worker.terminate();
  }

  #send(pending: Pending): void {
    pending.cancelTimer();
    const timeoutMs = this.#options.timeoutSeconds * 1000;
    pending.cancelTimer = this.#options.clock.setTimer(timeoutMs, () => this.#timeOut(pending));
    const { number, invocation } = pending;
    const message: InvokeMessage = { number, ...invocation, deadlineMs: Date.now() + timeoutMs };
    this.#worker.postMessage(message);
  }

  #hear(message: unknown): void {
    const parsed = runtimeMessageSchema.safeParse(message);
    // A bundle may post messages too; Lambda has nobody who would listen.
    if (!parsed.success) return;
    const { data } = parsed;
    switch (data.type) {
      case 'loaded':
        this.#loaded = true;
        for (const pending of this.#waitingForLoad.splice(0)) {
          if (this.#pending.has(pending.number)) this.#send(pending);
        }
        return;
      case 'loadFailed':
      case 'crashed':
        // It exits next; an invocation that comes in between must not go to it.
        this.#retired = true;
        this.#crash = definedFailure(data.failure);
        return;
      case 'succeeded':
        this.#settle(data.number, { ok: true, payload: data.payload });
        return;
      case 'failed':
        this.#settle(data.number, { ok: false, failure: definedFailure(data.failure) });
    }
  }

  /**
   * Lambda kills the environment, and with it the one invocation in it. Killing a worker would fail the others
   * that it serves at the moment, so it takes no new ones and is killed when those have ended. Until then what
   * has timed out goes on running, which on Lambda it would not.
   */
  #timeOut({ number, invocation: { requestId } }: Pending): void {
    const seconds = this.#options.timeoutSeconds.toFixed(2);
    this.#retired = true;
    this.#settle(number, {
      ok: false,
      failure: {
        errorType: 'Sandbox.Timedout',
        errorMessage: `RequestId: ${requestId} Error: Task timed out after ${seconds} seconds`,
      },
    });
  }

  #settle(number: number, result: WorkerResult): void {
    const pending = this.#pending.get(number);
    if (pending === undefined) return;
    this.#pending.delete(number);
    pending.cancelTimer();
    pending.settle(result);
    if (this.#retired && this.#pending.size === 0) void this.#worker.terminate();
  }

  #end(exitCode: number): void {
    this.#exited = true;
    for (const { number, invocation } of [...this.#pending.values()]) {
      const failure = this.#crash ?? exitFailure(invocation.requestId, exitCode);
      this.#settle(number, { ok: false, failure });
    }
  }
}

function definedFailure(failure: {
  errorType: string;
  errorMessage: string;
  trace?: string[] | undefined;
}): LambdaFailure {
  const { errorType, errorMessage, trace } = failure;
  return { errorType, errorMessage, ...(trace !== undefined && { trace }) };
}

function crashFailure(error: unknown): LambdaFailure {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ERR_WORKER_OUT_OF_MEMORY'
    ? runtimeFailure('Runtime.OutOfMemory', 'Error: Runtime exited with error: signal: killed')
    : failureOf(error);
}

function exitFailure(requestId: string, exitCode: number): LambdaFailure {
  const how = exitCode === 0 ? 'without providing a reason' : `with error: exit status ${exitCode}`;
  return runtimeFailure('Runtime.ExitError', `RequestId: ${requestId} Error: Runtime exited ${how}`);
}
