/**
 * Decisions of the state machines that `npm run prove` tries on AWS, each by one state. A test runs the same cases on
 * the Step Functions stand-in, so a difference is AWS's.
 */
export interface StateCase {
  /** The machine's logical id. */
  readonly machine: 'CreateConnection' | 'ReconnectionWindow';
  readonly state: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly next: string;
  /** What is special about it, as part of a sentence. */
  readonly because: string;
}

const asked = { holdUntilMs: 4_102_444_800_000, attempts: 0, sessionWaits: false };
const window = {
  seenWaitingAtMs: 1_000,
  connectionCreatedAtMs: 0,
  beforeLoss: false,
  overdue: false,
  terminateAbandoned: false,
  terminationAttempts: 0,
  endChecks: 0,
  notFoundSinceMs: 0,
  endEarlyAtMs: 0,
  earlyAttempts: 0,
};

const connection = (result: string, next: string, more: object = {}): StateCase => ({
  machine: 'CreateConnection',
  state: 'WasConnectionCreated',
  variables: { ...asked, connection: { result, ...more } },
  next,
  because: `after ${result}`,
});

const decision = (status: string, next: string, more: object = {}): StateCase => ({
  machine: 'ReconnectionWindow',
  state: 'DecideByStatus',
  variables: { ...window, status, ...more },
  next,
  because: `with ${status}`,
});

export const STATE_CASES: readonly StateCase[] = [
  connection('CONNECTION_CREATED', 'SignalWindow'),
  connection('DEADLINE_PASSED', 'ConnectionFailed'),
  connection('REFUSED', 'LookAtSession'),
  connection('CALL_NOW', 'CreateConnection'),
  // Uses $millis() and `and`.
  connection('LOSS_NOT_NOTICED', 'AwaitLossNotice', { canWait: true }),
  connection('LOSS_NOT_NOTICED', 'ConnectionRefused', { canWait: false }),
  connection('NOT_FOUND', 'ConnectionRefused'),
  decision('CONNECTED', 'RecordOutcome'),
  decision('CONNECTED', 'AwaitReconnection', { beforeLoss: true }),
  decision('TERMINATED', 'RecordOutcome'),
  decision('ERROR', 'RecordOutcome'),
  // Uses `in` with a list, and $not().
  decision('UNREAD', 'AwaitReconnection'),
  decision('PENDING_CLIENT_RECONNECTION', 'AwaitReconnection'),
  decision('PENDING_CLIENT_RECONNECTION', 'TerminateSession', { overdue: true, terminateAbandoned: true }),
  decision('PENDING_CLIENT_RECONNECTION', 'TerminateSession', { endEarlyAtMs: 1_000 }),
  decision('ACTIVE', 'AwaitClient'),
  // Assigns with $min and $power.
  decision('TERMINATING', 'AwaitEnd', { endChecks: 3 }),
  decision('NOT_FOUND', 'RecordFailure'),
  decision('NOT_FOUND', 'AwaitEnd', { notFoundSinceMs: 1_000 }),
  decision('SOMETHING_NEW', 'RejectUnexpectedStatus'),
];
