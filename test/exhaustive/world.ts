/**
 * Processes whose every step waits until it is chosen: a call to the table or to Step Functions is one step,
 * and what the code does between two calls belongs to the step before. So an order of choices is an order in
 * which several Lambda functions, each in an environment of its own, can run.
 */
import { hash } from 'node:crypto';

/** Something that may happen next. */
export interface Choice {
  /** Which of all choices it is, for people and for replays. */
  readonly label: string;
  happen(): void;
}

/**
 * Takes part in an effect when it is chosen; its result, or what it throws, is what the process goes on with.
 *
 * @param isAlone whether the effect is the same whenever it takes place and nobody else sees it: then there is no
 *   other order to try.
 */
export type Gate = <Result>(label: string, effect: () => Result, isAlone?: () => boolean) => Promise<Result>;

export interface ProcessOptions<Result> {
  /** How the process ended; a step of its own where it may die, for a reply can be lost like any call. */
  readonly onReturn?: (result: Result) => void;
  readonly onThrow?: (error: unknown) => void;
  /** It was killed. Without it nobody kills this process. */
  readonly onDeath?: () => void;
}

interface PendingStep {
  readonly label: string;
  isAlone(): boolean;
  take(): void;
  /** What a call throws whose server is gone: before its effect, or after it. */
  fail(when: 'before' | 'after'): void;
}

export interface Budget {
  /** How many processes may be killed in one history. */
  readonly deaths: number;
  /** How many calls may fail, before their effect or after it. */
  readonly failures: number;
}

class Process {
  readonly name: string;
  readonly pending: PendingStep[] = [];
  readonly onDeath: (() => void) | undefined;
  isOver = false;
  /**
   * What each of its steps has shown it: with its code, all that its future depends on. In no order, for of
   * several calls at once nothing here asks which was answered first.
   */
  readonly seen: string[] = [];
  begun = 0;

  constructor(name: string, onDeath: (() => void) | undefined) {
    this.name = name;
    this.onDeath = onDeath;
  }
}

/** DynamoDB's and Step Functions' own, after the SDK's retries. */
class CallFailed extends Error {
  override readonly name = 'InternalServerError';
  readonly $metadata = { httpStatusCode: 500 };
}

/** One history of some processes, made by choosing. */
export class World {
  readonly #processes: Process[] = [];
  #deathsLeft: number;
  #failuresLeft: number;
  #unexpected: { readonly error: unknown } | undefined;

  constructor({ deaths, failures }: Budget) {
    this.#deathsLeft = deaths;
    this.#failuresLeft = failures;
  }

  start<Result>(
    name: string,
    body: (gate: Gate) => Promise<Result>,
    { onReturn = () => {}, onThrow, onDeath }: ProcessOptions<Result> = {},
  ): void {
    const process = new Process(name, onDeath);
    const gate = this.#gateOf(process);
    this.#processes.push(process);
    const end = (settle: () => void) =>
      gate(
        'returns',
        () => {
          process.isOver = true;
          settle();
        },
        () => !this.#mayDie(process),
      );
    body(gate).then(
      (result) => end(() => onReturn(result)),
      (error) =>
        end(() => {
          if (onThrow === undefined) this.#unexpected = { error };
          else onThrow(error);
        }),
    );
  }

  /** Every step that a process may take next, and every way in which it may go wrong; or the only one to try. */
  choices(): { readonly choices: readonly Choice[]; readonly isForced: boolean } {
    const choices: Choice[] = [];
    for (const process of this.#processes) {
      if (process.isOver) continue;
      for (const [index, step] of process.pending.entries()) {
        const taken = (take: () => void) => () => {
          process.pending.splice(index, 1);
          take();
        };
        const choice = { label: `${process.name}: ${step.label}`, happen: taken(() => step.take()) };
        if (step.isAlone()) return { choices: [choice], isForced: true };
        choices.push(choice);
        if (step.label === 'returns' || this.#failuresLeft === 0) continue;
        for (const when of ['before', 'after'] as const) {
          choices.push({
            label: `${process.name}: ${step.label} fails ${when} its effect`,
            happen: taken(() => {
              this.#failuresLeft--;
              step.fail(when);
            }),
          });
        }
      }
      const { onDeath } = process;
      if (onDeath === undefined || !this.#mayDie(process) || process.pending.length === 0) continue;
      choices.push({
        label: `${process.name} dies`,
        happen: () => {
          this.#deathsLeft--;
          process.isOver = true;
          process.pending.length = 0;
          onDeath();
        },
      });
    }
    return { choices, isForced: false };
  }

  /** @throws what a process has thrown that nobody expects. */
  throwUnexpected(): void {
    if (this.#unexpected !== undefined) throw this.#unexpected.error;
  }

  /** Whether every process has ended. */
  isQuiet(): boolean {
    return this.#processes.every((process) => process.isOver);
  }

  /** All that the future of the processes depends on. */
  state(): unknown {
    return [
      this.#deathsLeft,
      this.#failuresLeft,
      ...this.#processes
        .filter((process) => !process.isOver)
        .map(({ name, seen, pending }) => [name, seen.toSorted(), pending.map(({ label }) => label)]),
    ];
  }

  #mayDie({ onDeath }: Process): boolean {
    return onDeath !== undefined && this.#deathsLeft > 0;
  }

  #gateOf(process: Process): Gate {
    return <Result>(label: string, effect: () => Result, isAlone = () => false) =>
      new Promise<Result>((resolve, reject) => {
        const step = `${label} ${process.begun++}`;
        const settle = (work: () => Result) => {
          try {
            const result = work();
            process.seen.push(digest([step, result]));
            resolve(result);
          } catch (error) {
            process.seen.push(digest([step, error instanceof Error ? error.name : error]));
            reject(error);
          }
        };
        process.pending.push({
          label,
          isAlone,
          take: () => settle(effect),
          fail: (when) =>
            settle(() => {
              if (when === 'after') effect();
              throw new CallFailed();
            }),
        });
      });
  }
}

/** The same for the same value, sets included. */
export function digest(value: unknown): string {
  const text = JSON.stringify(value, (_, member: unknown) =>
    member instanceof Set ? { set: [...member].sort() } : member,
  );
  return hash('sha1', text ?? 'undefined', 'base64');
}
