import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { type ReportedBy, reportedBySchema } from '../../functions/shared/contracts/fields.ts';
import { windowOutputSchema } from '../../functions/shared/contracts/machine-outputs.ts';
import { parseJson } from '../../functions/shared/runtime/text.ts';

/** One thing that happened, in a sentence. */
export interface Sentence {
  readonly atMs: number;
  readonly text: string;
}

/** What a window's execution is given, as far as it is told. */
export const executionInputSchema = z.object({
  streamGroupId: z.string(),
  disconnectedAtMs: z.number(),
  deadlineMs: z.number(),
  connectionTimeoutSeconds: z.number().optional(),
  notBeforeMs: z.number().nullish(),
  /** Absent in an execution of an earlier version, which has `foundByWatcher` instead. */
  reportedBy: reportedBySchema.optional().catch(undefined),
  foundByWatcher: z.boolean().optional(),
});
export type ExecutionInput = z.infer<typeof executionInputSchema>;

const lookSchema = z.object({
  status: z.string(),
  statusReason: z.string().nullish(),
  statusChangedAtMs: z.number().optional(),
  deadlineMs: z.number().optional(),
  beforeLoss: z.boolean().optional(),
  overdue: z.boolean().optional(),
});
const signalSchema = z.object({
  seq: z.number(),
  connectionCreatedAtMs: z.number(),
  connectionAttempts: z.number(),
  correction: z.object({ seq: z.number(), deadlineMs: z.number() }).optional(),
  endEarlyAtMs: z.number().optional(),
  endEarlyFor: z.string().optional(),
});
const recordedSchema = z.object({ recorded: z.boolean() });
const payloadOf = <Schema extends z.ZodType>(schema: Schema) => z.object({ Payload: schema });

/** The states that wait for a signal. */
const WAITS = ['AwaitReconnection', 'AwaitClient', 'AwaitEnd', 'AwaitService'] as const;

/** What is known while a history is read from its beginning. */
interface Known {
  state: string;
  connectionCreatedAtMs: number;
  ackSeq: number;
  deadlineMs: number;
}

/**
 * Tells what happened in a window by its execution's history: what the service said at each look, when the player had an
 * answer, what failed, and how it ended. Only what this function names is told, so a task token in the history is not.
 *
 * A look that finds the same as the one before is not told again, and neither is a failure of the same task.
 */
export function tellHistory(events: readonly HistoryEvent[]): Sentence[] {
  const sentences: Sentence[] = [];
  const known: Known = { state: '', connectionCreatedAtMs: 0, ackSeq: 0, deadlineMs: 0 };
  for (const event of events) {
    const entered = event.stateEnteredEventDetails?.name;
    if (entered !== undefined) known.state = entered;
    const atMs = event.timestamp?.getTime() ?? 0;
    for (const sentence of tellEvent(event, known, atMs)) {
      const last = sentences.at(-1);
      if (last?.text !== sentence.text) sentences.push(sentence);
    }
  }
  return sentences;
}

function tellEvent(event: HistoryEvent, known: Known, atMs: number): Sentence[] {
  const say = (text: string, at = atMs): Sentence[] => [{ atMs: at, text }];
  switch (event.type) {
    case 'ExecutionStarted':
      return tellStart(event.executionStartedEventDetails?.input, known, say);
    case 'TaskSucceeded':
      return tellResult(event.taskSucceededEventDetails?.output, known, say);
    case 'TaskTimedOut':
    case 'TaskFailed':
      return tellFailure(event, known, atMs, say);
    case 'TaskStateEntered':
      return known.state === 'AwaitService'
        ? say('Amazon GameLift Streams could not be read. The window waited for it.')
        : [];
    case 'WaitStateEntered':
      return known.state === 'SlowDown'
        ? say('So many signals had come that the window looked every five minutes only.')
        : [];
    case 'ExecutionSucceeded':
      return tellEnd(event.executionSucceededEventDetails?.output, say);
    case 'ExecutionFailed':
      return say(`The window failed: ${event.executionFailedEventDetails?.error ?? 'no error name'}.`);
    case 'ExecutionTimedOut':
      return say('The execution ran into its time limit.');
    case 'ExecutionAborted':
      return say('The execution was stopped by hand or by a script.');
    default:
      return [];
  }
}

type Say = (text: string, atMs?: number) => Sentence[];

const OPENED_BECAUSE: Readonly<Record<ReportedBy, string>> = {
  WATCHER: 'the watcher found the session waiting',
  FEED: 'a feed reported the loss',
  API: "the player's page said that it was going away",
};

function tellStart(input: string | undefined, known: Known, say: Say): Sentence[] {
  const parsed = executionInputSchema.safeParse(parseJson(input));
  if (!parsed.success) return say('The window opened.');
  const { disconnectedAtMs, deadlineMs, connectionTimeoutSeconds, notBeforeMs } = parsed.data;
  const { foundByWatcher, reportedBy = foundByWatcher === true ? 'WATCHER' : 'FEED' } = parsed.data;
  known.deadlineMs = deadlineMs;
  const timeout = connectionTimeoutSeconds === undefined ? '' : ` (${connectionTimeoutSeconds} s)`;
  return [
    ...say(
      `The player lost the connection. The session was to be kept until ${timeOf(deadlineMs)}${timeout}.`,
      disconnectedAtMs,
    ),
    ...(typeof notBeforeMs === 'number'
      ? say('The window took over from one before it, whose execution had failed.')
      : say(`The window opened, because ${OPENED_BECAUSE[reportedBy]}.`)),
  ];
}

function tellResult(output: string | undefined, known: Known, say: Say): Sentence[] {
  const result = parseJson(output);
  if (WAITS.some((name) => name === known.state)) {
    const signal = signalSchema.safeParse(result);
    return signal.success ? tellSignal(signal.data, known, say) : [];
  }
  if (known.state === 'LookAtOnce' || known.state === 'CheckSession') {
    const look = payloadOf(lookSchema).safeParse(result);
    return look.success ? tellLook(look.data.Payload, known, say) : [];
  }
  if (known.state === 'RecordOutcome') {
    const record = payloadOf(recordedSchema).safeParse(result);
    return record.success && !record.data.Payload.recorded
      ? say('Something was signalled meanwhile, so the outcome was not recorded and the window looked again.')
      : [];
  }
  return known.state === 'TerminateSession'
    ? say('The window set out to end the session, if it still waited for its player.')
    : [];
}

function tellSignal(signal: z.infer<typeof signalSchema>, known: Known, say: Say): Sentence[] {
  const { connectionCreatedAtMs, connectionAttempts, correction } = signal;
  const isNew = connectionCreatedAtMs > known.connectionCreatedAtMs;
  const isCorrected = correction !== undefined && correction.seq > known.ackSeq;
  known.connectionCreatedAtMs = connectionCreatedAtMs;
  known.ackSeq = signal.seq;
  if (isCorrected) known.deadlineMs = correction.deadlineMs;
  const calls = `${connectionAttempts} ${connectionAttempts === 1 ? 'call' : 'calls'} so far`;
  return [
    ...(isCorrected ? say(tellCorrection(correction.deadlineMs, signal)) : []),
    ...(isNew
      ? say(`The player asked to come back and got an answer (${calls}).`, connectionCreatedAtMs)
      : []),
  ];
}

const EARLY_ENDS: Readonly<Record<string, string>> = {
  LEFT: 'The page was going away, so the session was to end',
  GIVE_UP: 'The report said how long to wait, so the session was to end',
  OPERATOR: 'An operator drained the stream group, so the session was to end',
};

function tellCorrection(
  deadlineMs: number,
  { endEarlyAtMs, endEarlyFor = '' }: z.infer<typeof signalSchema>,
): string {
  const why = EARLY_ENDS[endEarlyFor];
  return endEarlyAtMs === undefined || why === undefined
    ? `A feed corrected the deadline to ${timeOf(deadlineMs)}.`
    : `${why} at ${timeOf(endEarlyAtMs)} if the player was not back.`;
}

function tellLook(look: z.infer<typeof lookSchema>, known: Known, say: Say): Sentence[] {
  const { status, statusReason, statusChangedAtMs, deadlineMs, beforeLoss, overdue } = look;
  const since = statusChangedAtMs === undefined ? '' : `, since ${timeOf(statusChangedAtMs)}`;
  if (deadlineMs !== undefined) known.deadlineMs = deadlineMs;
  const until = overdue === true ? '; it was overdue' : `, until ${timeOf(known.deadlineMs)}`;
  switch (status) {
    case 'UNREAD':
      return [];
    case 'PENDING_CLIENT_RECONNECTION':
      return say(`The service waited for the player to come back${until}.`);
    case 'ACTIVE':
    case 'RECONNECTING':
      return say(`The service waited for the player’s client to use the answer${until}.`);
    case 'CONNECTED':
      return say(
        beforeLoss === true
          ? 'The service still said CONNECTED: it had not noticed the loss.'
          : `The service said that the player was connected${since}.`,
      );
    case 'TERMINATED':
    case 'ERROR':
      return say(
        `The service said that the session had ended${since}: ${status}${statusReason ? `, ${statusReason}` : ''}.`,
      );
    case 'TERMINATING':
      return say('The service was ending the session.');
    case 'NOT_FOUND':
      return say('The service did not know the session.');
    default:
      return say(`The service said ${status}.`);
  }
}

function tellFailure(event: HistoryEvent, known: Known, atMs: number, say: Say): Sentence[] {
  const isWait = WAITS.some((name) => name === known.state);
  if (event.type === 'TaskTimedOut' && isWait) {
    const isOver = known.state === 'AwaitReconnection' && atMs >= known.deadlineMs;
    return isOver ? say('The deadline passed, and the player had not come back.') : [];
  }
  const error =
    event.type === 'TaskTimedOut'
      ? 'no reply in time'
      : (event.taskFailedEventDetails?.error ?? 'no error name');
  return say(`${known.state} failed: ${error}.`);
}

function tellEnd(output: string | undefined, say: Say): Sentence[] {
  const parsed = windowOutputSchema.safeParse(parseJson(output));
  if (!parsed.success) return say('The window ended.');
  const { outcome, cause } = parsed.data;
  return say(`The outcome was recorded: ${outcome}${cause === undefined ? '' : `, cause ${cause}`}.`);
}

/** A time as it is told: UTC, to the millisecond. */
export function timeOf(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('T', ' ').replace('Z', '');
}
