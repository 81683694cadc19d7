import { AsyncLocalStorage } from 'node:async_hooks';
import type { LambdaResult, VirtualClock } from 'local-server-kit';
import type { FunctionHooks, SdkCall } from '../../local/simulation/hooks.ts';
import { type CallPoint, callPoint, mayBeAt, nameOf } from './call-points.ts';

/**
 * What goes wrong with one call, before it has its effect or after it. A client has made its own retries by then.
 *
 * - KILLED: the process ends here, as one that has run out of memory does. Lambda says so to whoever invoked it.
 * - ERROR: the call fails as a service that is down fails.
 * - SILENCE: no reply ever comes. Whoever has no time limit of its own is killed at the function's.
 * - THROTTLED: the call is over a quota, in the words of the service that it is sent to.
 * - SKEWED: the call is refused because the clock that signed it is wrong. A repeat is signed anew.
 * - REFUSED: the call is refused for good, as one that no policy allows.
 */
export const FAULTS = [
  'KILLED_BEFORE',
  'KILLED_AFTER',
  'ERROR_BEFORE',
  'ERROR_AFTER',
  'SILENCE_BEFORE',
  'SILENCE_AFTER',
  'THROTTLED',
  'SKEWED',
  'REFUSED',
] as const;
export type Fault = (typeof FAULTS)[number];

export interface Plan {
  /** The point, as `nameOf` names it. */
  readonly point: string;
  /** Which of the calls at this point, from 1; those after it are hit too, up to `times` in all. */
  readonly occurrence: number;
  readonly times: number;
  readonly fault: Fault;
}

interface Invocation {
  readonly functionKey: string;
  readonly endsAtMs: number;
  isDead: boolean;
  /** Calls on their way besides the spoilt one. */
  readonly underWay: Set<Promise<unknown>>;
  readonly die: (errorType: string) => Promise<void>;
}

type InjectorClock = Pick<VirtualClock, 'nowMs' | 'setTimer' | 'untracked'>;

/** Watches every call of the functions, and spoils the one that a plan names. */
export class FaultInjector {
  /** The points in the order in which they were reached, one for each call, while there is no plan. */
  readonly reached: CallPoint[] = [];
  hits = 0;
  /** Called with each reply of Amazon GameLift Streams that has reached a function. */
  onServiceReply: ((functionKey: string, call: SdkCall, reply: object) => void) | undefined;
  /** Called with the function's key before each invocation. */
  beforeInvocation: ((functionKey: string) => void) | undefined;
  #plan: Plan | undefined;
  #seen = 0;
  #clock: InjectorClock | undefined;
  readonly #invocations = new AsyncLocalStorage<Invocation>();

  /** @param clock known only when what the hooks are for has started. */
  useClock(clock: InjectorClock): void {
    this.#clock = clock;
  }

  start(plan: Plan | undefined): void {
    this.#plan = plan;
    this.#seen = 0;
    this.beforeInvocation = undefined;
    this.hits = 0;
    this.reached.length = 0;
  }

  readonly hooks: Pick<FunctionHooks, 'invocation' | 'call'> = {
    invocation: ({ key: functionKey, timeoutSeconds }, run) => {
      this.beforeInvocation?.(functionKey);
      const endsAtMs = this.#now() + timeoutSeconds * 1000;
      return new Promise<LambdaResult>((resolve, reject) => {
        const invocation: Invocation = {
          functionKey,
          endsAtMs,
          isDead: false,
          underWay: new Set(),
          die: async (errorType) => {
            invocation.isDead = true;
            // What it has sent arrives, and nobody hears the reply; the next attempt comes after that.
            await Promise.allSettled(invocation.underWay);
            resolve({ ok: false, failure: { errorType, errorMessage: 'The process has ended.' } });
          },
        };
        this.#invocations.run(invocation, run).then(resolve, reject);
      });
    },
    call: (call, send) => {
      const invocation = this.#invocations.getStore();
      if (invocation === undefined) return send();
      if (invocation.isDead) return never();
      const fault = this.#faultAt(invocation.functionKey, call);
      if (fault !== undefined) return this.#spoil(fault, call, send, invocation);
      return sendFrom(invocation, async () => {
        const reply = await send();
        if (call.client === 'gameLiftStreams') this.onServiceReply?.(invocation.functionKey, call, reply);
        return reply;
      });
    },
  };

  /** Called by the very line that sends the call. Without a plan it records where that is. */
  #faultAt(functionKey: string, call: SdkCall): Fault | undefined {
    const plan = this.#plan;
    if (plan === undefined) {
      this.reached.push(callPoint(functionKey, call));
      return undefined;
    }
    // Reading the stack takes ten times as long as the call itself.
    if (this.hits >= plan.times || !mayBeAt(plan.point, functionKey, call)) return undefined;
    if (nameOf(callPoint(functionKey, call)) !== plan.point) return undefined;
    this.#seen++;
    if (this.#seen < plan.occurrence) return undefined;
    this.hits++;
    return plan.fault;
  }

  async #spoil(
    fault: Fault,
    { command, abortSignal }: SdkCall,
    send: () => Promise<object>,
    invocation: Invocation,
  ): Promise<object> {
    // Whether the call worked is what nobody hears.
    if (fault.endsWith('AFTER')) await send().catch(() => {});
    switch (fault) {
      case 'KILLED_BEFORE':
      case 'KILLED_AFTER':
        await invocation.die('Runtime.ExitError');
        return never();
      case 'ERROR_BEFORE':
      case 'ERROR_AFTER':
        throw serviceError('InternalServerException', 500);
      case 'THROTTLED':
        throw throttledBy(command);
      case 'SKEWED':
        throw serviceError('InvalidSignatureException', 403);
      case 'REFUSED':
        throw serviceError('AccessDeniedException', 400);
      case 'SILENCE_BEFORE':
      case 'SILENCE_AFTER':
        await this.#silence(invocation, abortSignal);
        if (abortSignal?.aborted === true) {
          throw Object.assign(new Error('Request aborted'), { name: 'AbortError' });
        }
        await invocation.die('Sandbox.Timedout');
        return never();
    }
  }

  /** Ends when the caller gives the call up, or at the function's time limit. Time moves on meanwhile. */
  async #silence({ endsAtMs }: Invocation, abortSignal: AbortSignal | undefined): Promise<void> {
    const clock = this.#clock;
    await clock?.untracked(
      () =>
        new Promise<void>((resolve) => {
          const cancel = clock.setTimer(endsAtMs - clock.nowMs(), resolve);
          abortSignal?.addEventListener('abort', () => {
            cancel();
            resolve();
          });
        }),
    );
  }

  #now(): number {
    return this.#clock?.nowMs() ?? 0;
  }
}

async function sendFrom({ underWay }: Invocation, send: () => Promise<object>): Promise<object> {
  const reply = send();
  underWay.add(reply);
  try {
    return await reply;
  } finally {
    underWay.delete(reply);
  }
}

function never(): Promise<never> {
  return new Promise(() => {});
}

/** The document client's commands have the short names. */
const OF_TABLE = new Set(['GetCommand', 'PutCommand', 'UpdateCommand', 'BatchGetCommand', 'QueryCommand']);

function throttledBy(command: string): Error {
  if (OF_TABLE.has(command)) return serviceError('ProvisionedThroughputExceededException', 400);
  return serviceError('ThrottlingException', command.includes('StreamSession') ? 429 : 400);
}

function serviceError(name: string, httpStatusCode: number): Error {
  return Object.assign(new Error('The call went wrong.'), { name, $metadata: { httpStatusCode } });
}
