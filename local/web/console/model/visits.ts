import type { ExecutionStatus, HistoryEvent } from './execution.ts';

/** How one attempt of a task ended; `running` while it has not. */
export interface Attempt {
  readonly startedAtMs: number;
  readonly endedAtMs: number | undefined;
  readonly result: 'running' | 'succeeded' | 'failed' | 'timedOut';
  readonly error: string | undefined;
  readonly cause: string | undefined;
  /** How long Retry had waited since the attempt before; undefined for the first. */
  readonly waitedMs: number | undefined;
  readonly timeoutSeconds: number | undefined;
}

export type VisitStatus = 'running' | 'succeeded' | 'caught' | 'failed' | 'timedOut' | 'aborted';

/** One stay of an execution in a state. */
export interface Visit {
  readonly state: string;
  readonly type: string;
  readonly enteredEventId: number;
  readonly enteredAtMs: number;
  /** When the state was left, or the execution ended in it. */
  readonly leftAtMs: number | undefined;
  readonly status: VisitStatus;
  readonly input: string | undefined;
  readonly output: string | undefined;
  readonly assigned: Readonly<Record<string, string>>;
  readonly attempts: readonly Attempt[];
  /** What was caught, or what the execution failed with. */
  readonly error: string | undefined;
  readonly cause: string | undefined;
}

type Draft = { -readonly [Member in keyof Visit]: Visit[Member] } & { attempts: Attempt[] };

const ENTERED = /^(\w+)StateEntered$/;
const EXITED = /StateExited$/;
const ATTEMPT_ENDS: Readonly<Record<string, Attempt['result']>> = {
  TaskSucceeded: 'succeeded',
  TaskFailed: 'failed',
  TaskStartFailed: 'failed',
  TaskSubmitFailed: 'failed',
  TaskTimedOut: 'timedOut',
};
const EXECUTION_ENDS: Readonly<Record<string, VisitStatus>> = {
  ExecutionFailed: 'failed',
  ExecutionTimedOut: 'timedOut',
  ExecutionAborted: 'aborted',
};

/** The stays of an execution in its states, in their order, as its history tells them. */
export function visitsOf(events: readonly HistoryEvent[]): Visit[] {
  const visits: Draft[] = [];
  for (const event of events) {
    const entered = ENTERED.exec(event.type);
    if (entered !== null) visits.push(enter(event, entered[1] ?? ''));
    else {
      const visit = visits.at(-1);
      if (visit !== undefined) follow(visit, event);
    }
  }
  return visits;
}

function enter({ id, atMs, details }: HistoryEvent, type: string): Draft {
  return {
    state: details.name ?? '',
    type,
    enteredEventId: id,
    enteredAtMs: atMs,
    leftAtMs: undefined,
    status: 'running',
    input: details.input,
    output: undefined,
    assigned: {},
    attempts: [],
    error: undefined,
    cause: undefined,
  };
}

function follow(visit: Draft, event: HistoryEvent): void {
  const { type, atMs, details } = event;
  const result = ATTEMPT_ENDS[type];
  const end = EXECUTION_ENDS[type];
  if (type === 'TaskScheduled') {
    visit.attempts.push(beginAttempt(visit, event));
    visit.error = undefined;
  } else if (result !== undefined) {
    const last = visit.attempts.at(-1);
    const { error, cause } = details;
    if (last !== undefined) {
      visit.attempts[visit.attempts.length - 1] = { ...last, result, endedAtMs: atMs, error, cause };
    }
    if (result !== 'succeeded') Object.assign(visit, { error, cause });
  } else if (type === 'EvaluationFailed') {
    Object.assign(visit, { error: details.error, cause: details.cause });
  } else if (EXITED.test(type)) {
    visit.leftAtMs = atMs;
    visit.status = visit.error === undefined ? 'succeeded' : 'caught';
    visit.output = details.output;
    visit.assigned = details.assignedVariables ?? {};
  } else if (end !== undefined && visit.leftAtMs === undefined) {
    visit.leftAtMs = atMs;
    visit.status = end;
    visit.error = details.error ?? visit.error;
    visit.cause = details.cause ?? visit.cause;
  }
}

function beginAttempt({ attempts }: Draft, { atMs, details }: HistoryEvent): Attempt {
  const previousEndedAtMs = attempts.at(-1)?.endedAtMs;
  return {
    startedAtMs: atMs,
    endedAtMs: undefined,
    result: 'running',
    error: undefined,
    cause: undefined,
    waitedMs: previousEndedAtMs === undefined ? undefined : atMs - previousEndedAtMs,
    timeoutSeconds: details.timeoutInSeconds,
  };
}

/** How often the visit's task was tried again. */
export function retriesOf({ attempts }: Pick<Visit, 'attempts'>): number {
  return Math.max(0, attempts.length - 1);
}

/** The visit that goes on, if the execution does. */
export function currentVisit(visits: readonly Visit[], status: ExecutionStatus): Visit | undefined {
  const last = visits.at(-1);
  return status === 'RUNNING' && last?.leftAtMs === undefined ? last : undefined;
}
