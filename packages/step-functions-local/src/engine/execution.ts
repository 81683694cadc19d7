import type { CancelTimer, Clock } from 'local-server-kit';
import type { Document } from './document.ts';
import { ExecutionEnded, STATES_ERRORS, type StateFailure } from './failure.ts';
import { History } from './history.ts';
import type { StateMachine } from './state-machines.ts';
import { setLongTimer } from './timer.ts';

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

/** AWS's own limits: Express runs five minutes at most, Standard a year. */
const MAX_RUN_SECONDS = { EXPRESS: 300, STANDARD: 31_536_000 } as const;

/** One execution: how it stands, its history, and the one thing that it waits for. */
export class Execution {
  readonly arn: string;
  readonly name: string;
  readonly machine: StateMachine;
  readonly input: Document;
  readonly traceHeader: string | undefined;
  readonly startMs: number;
  readonly history: History;
  /** Settles when the execution has ended, however it did. */
  readonly ended: Promise<void>;
  status: ExecutionStatus = 'RUNNING';
  stopMs: number | undefined;
  outputText: string | undefined;
  errorName: string | undefined;
  causeText: string | undefined;
  readonly #clock: Clock;
  readonly #cancelTimeout: CancelTimer;
  #settleEnded: () => void = () => {};
  #interrupt: ((reason: ExecutionEnded) => void) | undefined;

  constructor(options: {
    arn: string;
    name: string;
    machine: StateMachine;
    input: Document;
    traceHeader: string | undefined;
    clock: Clock;
  }) {
    this.arn = options.arn;
    this.name = options.name;
    this.machine = options.machine;
    this.input = options.input;
    this.traceHeader = options.traceHeader;
    this.#clock = options.clock;
    this.startMs = options.clock.nowMs();
    this.history = new History({
      keep: options.machine.type === 'STANDARD',
      nowMs: () => options.clock.nowMs(),
    });
    this.ended = new Promise((resolve) => {
      this.#settleEnded = resolve;
    });
    const most = MAX_RUN_SECONDS[options.machine.type];
    const runSeconds = Math.min(options.machine.program.timeoutSeconds ?? most, most);
    this.#cancelTimeout = setLongTimer(options.clock, runSeconds * 1000, () => this.timeOut());
  }

  /**
   * Waits for something that `begin` starts and that settles by one of the two functions it is given.
   * `begin` returns how to take it back; that is called once, whether it settled or the execution ended.
   *
   * @throws ExecutionEnded when the execution ends first.
   */
  async pause<Result>(
    begin: (resolve: (result: Result) => void, reject: (error: unknown) => void) => () => void,
  ): Promise<Result> {
    let takeBack: (() => void) | undefined;
    try {
      return await new Promise<Result>((resolve, reject) => {
        this.#interrupt = reject;
        takeBack = begin(resolve, reject);
      });
    } finally {
      this.#interrupt = undefined;
      takeBack?.();
    }
  }

  succeed(output: Document): void {
    this.outputText = output.text;
    const details = { output: output.text, outputDetails: { truncated: false } };
    this.history.end('ExecutionSucceeded', { executionSucceededEventDetails: details }, 'inside');
    this.#end('SUCCEEDED');
  }

  fail(failure: StateFailure): void {
    const details = this.#setError(failure.errorName, failure.causeText);
    this.history.end('ExecutionFailed', { executionFailedEventDetails: details }, 'inside');
    this.#end('FAILED');
  }

  timeOut(): void {
    // A Standard execution that timed out tells neither error nor cause; a synchronous Express one does.
    const details = this.machine.type === 'EXPRESS' ? this.#setError(STATES_ERRORS.timeout, undefined) : {};
    this.history.end('ExecutionTimedOut', { executionTimedOutEventDetails: details }, 'outside');
    this.#end('TIMED_OUT');
  }

  abort(errorName: string | undefined, causeText: string | undefined): void {
    const details = this.#setError(errorName, causeText);
    this.history.end('ExecutionAborted', { executionAbortedEventDetails: details }, 'outside');
    this.#end('ABORTED');
  }

  /** The server closes: no timer and no wait of this execution may outlive it. */
  abandon(): void {
    this.#end('ABORTED');
  }

  #setError(errorName: string | undefined, causeText: string | undefined): Record<string, string> {
    this.errorName = errorName;
    this.causeText = causeText;
    return {
      ...(errorName === undefined ? {} : { error: errorName }),
      ...(causeText === undefined ? {} : { cause: causeText }),
    };
  }

  #end(status: ExecutionStatus): void {
    if (this.status !== 'RUNNING') throw new Error('This execution has already ended.');
    this.status = status;
    this.stopMs = this.#clock.nowMs();
    this.#cancelTimeout();
    this.#interrupt?.(new ExecutionEnded());
    this.#settleEnded();
  }
}
