import { Logger } from '@aws-lambda-powertools/logger';
import { isKnownError } from './errors.ts';

/** The stable names of log lines: dashboards, alarms and saved queries rely on them. */
export type LogEvent =
  | 'WindowOpened'
  | 'WindowStarted'
  | 'WindowSignalled'
  | 'SignalDelivered'
  | 'SignalPending'
  | 'TaskTokenRegistered'
  | 'TaskTokenSuperseded'
  | 'DeadlineCorrected'
  | 'DuplicateEventIgnored'
  | 'StaleEventIgnored'
  | 'ImpossibleTimeIgnored'
  | 'EventWithoutWindowIgnored'
  | 'EventRejected'
  | 'EventThrottled'
  | 'EventsPutBack'
  | 'MessagesNotHidden'
  | 'SessionChecked'
  | 'SessionNotAbandoned'
  | 'SessionTerminated'
  | 'TerminationLeftOut'
  | 'EarlyEndLifted'
  | 'DrainUnreadable'
  | 'EarlyEndTold'
  | 'LeavingAnswered'
  | 'OutcomeRecorded'
  | 'OutcomePostponed'
  | 'WindowFailed'
  | 'ConnectionCreated'
  | 'ConnectionRefused'
  | 'RefusalNotExplained'
  | 'LossNotNoted'
  | 'ConnectionRequested'
  | 'ConnectionAnswered'
  | 'NotFoundNotKept'
  | 'WaitingNotListed'
  | 'WaitingNotNoted'
  | 'GroupNotKept'
  | 'NumberNotDrawn'
  | 'OwnerNotKept'
  | 'PlaceNotLeft'
  | 'WindowRead'
  | 'SessionEndAnswered'
  | 'EndNotMarked'
  | 'RefusalNotNoted'
  | 'WindowNotTold'
  | 'SwitchChanged'
  | 'SwitchUnreadable'
  | 'AdminShellRequested'
  | 'AdminShellGranted'
  | 'AdminShellRefused'
  | 'AdminShellCreated'
  | 'AdminShellNotCreated'
  | 'AuditNotPublished'
  | 'DisconnectNoticed'
  | 'WindowWoken'
  | 'TimeoutNotLearned'
  | 'ServiceAway'
  | 'WindowReplaced'
  | 'WindowGivenUp'
  | 'ExecutionFailed'
  | 'StrangeExecutionIgnored'
  | 'PageFailed'
  | 'ListingIncomplete'
  | 'EventsNotTaken'
  | 'LookFailed'
  | 'WatcherIsOff'
  | 'StreamGroupWatched'
  | 'StreamGroupGone'
  | 'StreamGroupLeft'
  | 'StreamGroupLeftOut'
  | 'TooManyStreamGroups'
  | 'StreamGroupsNotListed'
  | 'CallThrottled'
  | 'CallDenied'
  | 'MetricsNotEmitted'
  | 'TaskFailed'
  | 'RequestRefused'
  | 'RequestFailed';

export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

/** What a decision may write: an event's name and plain fields. Payloads, tokens and signals never fit in. */
export interface Log {
  info(event: LogEvent, fields?: LogFields): void;
  warn(event: LogEvent, fields?: LogFields): void;
  /** Writes the error's name, its causes' names and its stack frames; never a message, which may quote input. */
  error(event: LogEvent, error: unknown, fields?: LogFields): void;
  /** The same log with more fields on every line. */
  with(fields: LogFields): Log;
}

let root: Logger | undefined;

/** A log of its own for each invocation: concurrent invocations must not share keys. */
export function createLog(fields: LogFields): Log {
  root ??= new Logger();
  return logOf(root, fields);
}

function logOf(parent: Logger, fields: LogFields): Log {
  const logger = parent.createChild({
    persistentKeys: { ...parent.getPersistentLogAttributes(), ...fields },
  });
  return {
    info: (event, more = {}) => logger.info(event, more),
    warn: (event, more = {}) => logger.warn(event, more),
    error: (event, error, more = {}) => logger.error(event, { ...more, ...describeError(error) }),
    with: (more) => logOf(logger, more),
  };
}

interface ErrorDescription {
  readonly errorName: string;
  readonly causes?: readonly string[];
  readonly frames?: readonly string[];
  /** Only of errors whose messages are fixed. */
  readonly errorMessage?: string;
}

/** An error that a service has sent is called what its reply says, which may be anything. */
export function nameToTell({ name }: Error): string {
  return /^[a-zA-Z][a-zA-Z0-9.]{0,99}$/.test(name) ? name : 'Error';
}

/** What may be said of an error: a JSON.parse error quotes its input in its message, an SDK's may too. */
export function describeError(error: unknown): ErrorDescription {
  if (!(error instanceof Error)) return { errorName: typeof error };
  const causes: string[] = [];
  for (let cause = error.cause; cause instanceof Error && causes.length < 5; cause = cause.cause) {
    causes.push(nameToTell(cause));
  }
  return {
    errorName: nameToTell(error),
    ...(causes.length > 0 ? { causes } : {}),
    ...(isKnownError(error) ? { errorMessage: error.message } : {}),
    frames: framesOf(error),
  };
}

/** The stack begins with the message, whose own lines may look like frames: only what follows it is told. */
function framesOf({ stack = '', message }: Error): string[] {
  const start = stack.indexOf(message);
  if (start < 0) return [];
  const lines = stack.slice(start + message.length).split('\n');
  return lines
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 8)
    .map((frame) => frame.trim());
}
