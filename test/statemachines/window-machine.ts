import {
  NO_ANSWER,
  type ScriptedFunction,
  type SignalledState,
  startMachines,
  TaskError,
} from '../helpers/machines.ts';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

/** What check-session returns of a session, with a deadline far away. */
export function sessionCheck(overrides: Readonly<Record<string, unknown>> = {}): ScriptedFunction {
  return ({ pendingSinceMs, connectionTimeoutSeconds }) => ({
    status: 'PENDING_CLIENT_RECONNECTION',
    statusReason: null,
    statusChangedAtMs: pendingSinceMs,
    pendingSinceMs,
    connectionTimeoutSeconds,
    deadlineMs: Number(pendingSinceMs) + Number(connectionTimeoutSeconds) * SECOND,
    seenWaitingAtMs: pendingSinceMs,
    beforeLoss: false,
    overdue: false,
    ...overrides,
  });
}

/** What the first look of a window returns: in a storm it is left out, else it finds the session waiting. */
export function firstLook(overrides: Readonly<Record<string, unknown>> = {}): ScriptedFunction {
  return (payload) => sessionCheck({ deadlineMs: payload['deadlineMs'], ...overrides })(payload);
}
export const leftOut = firstLook({ status: 'UNREAD', seenWaitingAtMs: 0 });

export const isFirstLook = ({ onlyIfSpare }: Readonly<Record<string, unknown>>) => onlyIfSpare === true;

/** Answers each call with the next of the scripts; the last one goes on. */
export function inTurn(...scripts: readonly ScriptedFunction[]): ScriptedFunction {
  let call = 0;
  return (payload) => scripts[Math.min(call++, scripts.length - 1)]?.(payload);
}

export const recorded: ScriptedFunction = ({ ackSeq, connectionAttempts }) => ({
  recorded: true,
  seq: ackSeq,
  connectionCreatedAtMs: 0,
  connectionAttempts,
});

export async function start(
  functions: Readonly<Record<string, ScriptedFunction>> = {},
  random: () => number = () => 0.5,
  first: ScriptedFunction = firstLook(),
) {
  const later =
    functions['checkSession'] ?? sessionCheck({ status: 'TERMINATED', statusReason: 'reconnectionTimeout' });
  const machines = await startMachines(
    {
      registerTaskToken: () => null,
      recordOutcome: recorded,
      recordFailure: () => null,
      terminateSession: () => null,
      ...functions,
      checkSession: (payload) => (isFirstLook(payload) ? first : later)(payload),
    },
    random,
  );
  /** First looks left out. */
  const invokedAs = (key: string) =>
    machines.invoked.filter(({ functionKey, payload }) => functionKey === key && !isFirstLook(payload));
  return {
    ...machines,
    /** Signals whoever waits now. */
    signalWaiting: async (state: SignalledState) => {
      const waiting = machines.invoked.findLast(({ functionKey }) => functionKey === 'registerTaskToken');
      await machines.signal(waiting?.payload['taskToken'], state);
      await machines.clock.idle();
    },
    phases: () =>
      machines.invoked
        .filter(({ functionKey }) => functionKey === 'registerTaskToken')
        .map(({ payload }) => payload['phase']),
    payloadsOf: (key: string) => invokedAs(key).map(({ payload }) => payload),
    timesOf: (key: string, sinceMs: number) => invokedAs(key).map(({ atMs }) => (atMs - sinceMs) / SECOND),
  };
}

export function created(seq: number, connectionCreatedAtMs: number, connectionAttempts = 1): SignalledState {
  return { seq, connectionCreatedAtMs, connectionAttempts };
}

export function failWith(error: string): unknown {
  if (error === 'States.Timeout') return NO_ANSWER;
  throw new TaskError(error);
}

/** A read that fails while the service is away, which a test ends. */
export function awayService(error: string, back: ScriptedFunction = sessionCheck({ status: 'TERMINATED' })) {
  const service = { isAway: true };
  const checkSession: ScriptedFunction = (payload) => (service.isAway ? failWith(error) : back(payload));
  return { service, checkSession };
}
