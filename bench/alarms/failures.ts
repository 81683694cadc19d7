import type { MetricKey } from './read-alarms.ts';

/** What a metric gets from a minute on: so many a minute, evenly spread, or a value for each minute. */
export type Flow = number | ((minute: number) => number | undefined);
export type Flows = Readonly<Record<MetricKey, Flow>>;

export interface Traffic {
  /** A minute. */
  readonly disconnects: number;
  /** A minute, for connections. */
  readonly requests: number;
}

export interface Failure {
  /** What goes wrong, as a sentence without its full stop. */
  readonly what: string;
  /** What is different from a good day, from the minute of the failure on. */
  readonly flows: (traffic: Traffic) => Flows;
}

const SHARE_RECONNECTED = 0.7;
const MINUTES_PER_MONTH = 30.4 * 1440;
/** What an SDK makes of a request that ends with a 5xx. */
const ATTEMPTS = 3;
/** The watcher repeats its report of a session that gets no window, every 20 s of a window of 120 s. */
const REPORTS = 6;
/** One in this many executions of windows fails, where the failure is that `onExecutionFailure` does not run. */
const ONE_IN = 10;
const A_DAY = 1440;
const SIX_HOURS = 360;

export function trafficOf(disconnectsPerMonth: number): Traffic {
  const disconnects = disconnectsPerMonth / MINUTES_PER_MONTH;
  return { disconnects, requests: SHARE_RECONNECTED * disconnects };
}

const ofFunction = (metric: string, name: string) =>
  `AWS/Lambda ${metric} FunctionName=${name}LambdaFunction`;
const ofMachine = (metric: string, name: string) => `AWS/States ${metric} StateMachineArn=${name}`;
const ofQueue = (metric: string, name: string) => `AWS/SQS ${metric} QueueName=${name}`;
const inQueue = (name: string) => ofQueue('ApproximateNumberOfMessagesVisible', name);
const API_5XX = 'AWS/ApiGateway 5XXError ApiName=dev-stream-session-reconnection Stage=dev';
const INVOKED = ofFunction('Invocations', 'RequestConnection');
const AGE = ofQueue('ApproximateAgeOfOldestMessage', 'StatusChanges');

/** A good day: the watcher finds every disconnect, as where there is no feed. */
export function goodDay({ disconnects, requests }: Traffic): Flows {
  return {
    'own WatcherLooks': 12,
    'own DisconnectsNoticed': disconnects,
    'own WindowsOpened': disconnects,
    'own WindowsReconnected': SHARE_RECONNECTED * disconnects,
    'own WindowsTerminated': (1 - SHARE_RECONNECTED) * disconnects,
    'own ConnectionsCreated': requests,
    [ofMachine('ExecutionsSucceeded', 'ReconnectionWindow')]: disconnects,
    [ofMachine('ExecutionsStarted', 'CreateConnection')]: requests,
    [INVOKED]: requests,
    [AGE]: () => 1,
  };
}

const NO_WINDOWS: Flows = {
  'own WindowsOpened': 0,
  'own WindowsReconnected': 0,
  'own WindowsTerminated': 0,
  [ofMachine('ExecutionsSucceeded', 'ReconnectionWindow')]: 0,
};
const NO_WATCHER: Flows = {
  ...NO_WINDOWS,
  'own WatcherLooks': 0,
  'own WatcherLag': () => undefined,
  'own DisconnectsNoticed': 0,
};
const nobodyReturns = ({ disconnects }: Traffic): Flows => ({
  'own ConnectionsCreated': 0,
  'own WindowsReconnected': 0,
  'own WindowsTerminated': disconnects,
});
/** Windows that do not open, though the watcher reports their disconnects. */
const unheard = ({ disconnects }: Traffic): Flows => ({
  ...NO_WINDOWS,
  'own DisconnectsNoticed': REPORTS * disconnects,
  'own WatcherLag': (minute) =>
    arrived(disconnects, minute) > arrived(disconnects, minute - 2) ? 100_000 : 0,
});
const ageFrom = ({ disconnects }: Traffic): Flow => {
  const firstMinute = Math.ceil(1 / disconnects);
  return (minute) => Math.max(0, minute - firstMinute) * 60;
};
const once = (minute: number) => (minute === 0 ? 1 : undefined);
/** What a dead-letter queue holds, from the first message on, which comes so many minutes late. */
const lettersOf =
  (rate: number, lateMinutes = 0): Flow =>
  (minute) =>
    arrived(rate, minute - lateMinutes);

/** How many have come by the end of a minute, the first of which comes after a whole interval. */
export function arrived(rate: number, minute: number): number {
  return minute < 0 ? 0 : Math.floor((minute + 1) * rate + 1e-9);
}

/** The failures that docs/alarms.md lists. Where a rate is a guess, it is a low one. */
export const FAILURES: readonly Failure[] = [
  { what: 'The rule of the watcher’s schedule is disabled', flows: () => NO_WATCHER },
  { what: 'The queue of the watcher’s looks invokes nobody', flows: () => NO_WATCHER },
  {
    what: 'The watcher’s function crashes every minute',
    flows: () => ({ ...NO_WATCHER, [ofQueue('NumberOfMessagesSent', 'FailedWatches')]: 1 }),
  },
  {
    what: 'The watcher’s role may not list its stream group',
    flows: () => ({ ...NO_WATCHER, 'own WatcherLooksFailed': 12, 'own CallsDenied': 12 }),
  },
  {
    what: 'Another tool uses up the quota of ListStreamSessions',
    flows: () => ({ ...NO_WATCHER, 'own WatcherLooksFailed': 12, 'own CallsThrottled': 12 }),
  },
  {
    what: 'A stream group is tagged with the key and a mistyped value',
    flows: () => ({ 'own StreamGroupsLeftOut': () => 1 }),
  },
  {
    what: 'The account gets more stream groups than the quota of lists bears',
    flows: () => ({ 'own StreamGroupsBeyondLimit': () => 1 }),
  },
  {
    what: 'A watched stream group has 14 days until it expires',
    // The watcher writes it in one hour of six, which has just ended.
    flows: () => ({ 'own StreamGroupDaysLeft': (minute) => (minute % 360 < 300 ? undefined : 14) }),
  },
  { what: 'The rule that takes status changes off the bus is disabled', flows: unheard },
  {
    what: 'EventBridge may not write to the queue of status changes',
    flows: (traffic) => ({
      ...unheard(traffic),
      [inQueue('UndeliveredStatusChanges')]: lettersOf(REPORTS * traffic.disconnects, A_DAY),
    }),
  },
  {
    what: 'EventBridge may write neither to that queue nor to its dead-letter queue',
    flows: (traffic) => ({
      ...unheard(traffic),
      'AWS/Events InvocationsFailedToBeSentToDlq EventBusName=StatusChangeRule RuleName=StatusChangeRule': (
        minute,
      ) => (minute < A_DAY ? undefined : REPORTS * traffic.disconnects),
    }),
  },
  {
    what: '`onStatusChange` throws on every event',
    flows: (traffic) => ({ ...unheard(traffic), [AGE]: ageFrom(traffic) }),
  },
  {
    what: '`onStatusChange` crashes when it loads',
    flows: (traffic) => ({
      ...unheard(traffic),
      [AGE]: ageFrom(traffic),
    }),
  },
  {
    what: 'An event has failed for the thousandth time',
    flows: () => ({ [inQueue('FailedStatusChanges')]: () => 1 }),
  },
  {
    what: 'A feed’s release sends events that do not fit the contract',
    flows: ({ disconnects }) => ({ 'own EventsRejected': disconnects }),
  },
  {
    what: 'A task of the windows’ machine fails every time',
    flows: ({ disconnects }) => ({
      'own WindowsReconnected': 0,
      'own WindowsTerminated': 0,
      [ofMachine('ExecutionsSucceeded', 'ReconnectionWindow')]: 0,
      // The first execution and the three that replace it.
      [ofMachine('ExecutionsFailed', 'ReconnectionWindow')]: 4 * disconnects,
    }),
  },
  {
    what: 'A feed names one session that does not exist',
    flows: () => ({ [ofMachine('ExecutionsFailed', 'ReconnectionWindow')]: once }),
  },
  {
    what: 'One execution of a window is stopped by hand',
    flows: () => ({ [ofMachine('ExecutionsAborted', 'ReconnectionWindow')]: once }),
  },
  {
    what: 'One execution of a window runs into the machine’s timeout',
    flows: () => ({ [ofMachine('ExecutionsTimedOut', 'ReconnectionWindow')]: once }),
  },
  {
    what: 'One window in ten fails, and `onExecutionFailure` fails on each',
    flows: ({ disconnects }) => failedFollowUps(disconnects),
  },
  {
    what: 'The same, and Lambda may not write to its dead-letter queue',
    flows: ({ disconnects }) => ({
      ...failedFollowUps(disconnects),
      [inQueue('FailedExecutionFailures')]: 0,
      [ofFunction('DestinationDeliveryFailures', 'OnExecutionFailure')]: disconnects / ONE_IN,
    }),
  },
  {
    what: 'One window in ten fails, and EventBridge may not invoke `onExecutionFailure`',
    flows: ({ disconnects }) => ({
      [ofMachine('ExecutionsFailed', 'ReconnectionWindow')]: disconnects / ONE_IN,
      [inQueue('UndeliveredExecutionFailures')]: lettersOf(disconnects / ONE_IN, SIX_HOURS),
    }),
  },
  { what: 'GetStreamSession is away for hours', flows: () => ({ ...NO_WINDOWS, 'own WindowsOpened': 1 }) },
  {
    what: 'Another tool uses up the quota of GetStreamSession',
    flows: ({ disconnects }) => ({ 'own PermitsRefused operation=GetStreamSession': REPORTS * disconnects }),
  },
  {
    what: 'A storm: 5,000 players drop within a minute',
    flows: () => ({ 'own RequestsNotInTime': (minute) => (minute < 10 ? 100 : undefined) }),
  },
  {
    what: 'Another tool uses up the quota of connections',
    flows: (traffic) => ({
      ...nobodyReturns(traffic),
      'own CallsThrottled': ATTEMPTS * traffic.requests,
      [ofMachine('ExecutionsFailed', 'CreateConnection')]: traffic.requests,
    }),
  },
  {
    what: 'The role of `createConnection` may not connect',
    flows: (traffic) => ({
      ...nobodyReturns(traffic),
      'own CallsDenied': traffic.requests,
      [ofMachine('ExecutionsFailed', 'CreateConnection')]: traffic.requests,
    }),
  },
  {
    what: 'Amazon GameLift Streams answers every connection call with an error',
    flows: (traffic) => failingConnections(traffic),
  },
  {
    what: '`requestConnection` crashes when it loads',
    flows: (traffic) => ({
      ...nobodyReturns(traffic),
      [ofMachine('ExecutionsStarted', 'CreateConnection')]: 0,
      [INVOKED]: ATTEMPTS * traffic.requests,
      [API_5XX]: ATTEMPTS * traffic.requests,
    }),
  },
  {
    what: 'API Gateway may not invoke `requestConnection`',
    flows: (traffic) => ({
      ...nobodyReturns(traffic),
      [ofMachine('ExecutionsStarted', 'CreateConnection')]: 0,
      [INVOKED]: 0,
      [API_5XX]: ATTEMPTS * traffic.requests,
    }),
  },
  {
    what: 'The switch is forgotten at `refuse`',
    flows: (traffic) => ({
      ...nobodyReturns(traffic),
      [ofMachine('ExecutionsStarted', 'CreateConnection')]: 0,
      [INVOKED]: ATTEMPTS * traffic.requests,
      [API_5XX]: ATTEMPTS * traffic.requests,
      'own SwitchedOffFor': (minute) => minute * 60_000,
    }),
  },
  {
    what: 'Nine in ten players do not come back',
    flows: ({ disconnects }) => ({
      'own WindowsReconnected': 0.1 * disconnects,
      'own WindowsTerminated': 0.9 * disconnects,
    }),
  },
  {
    what: 'Other functions take all of the account’s concurrency',
    flows: (traffic) => ({
      ...nobodyReturns(traffic),
      ...NO_WATCHER,
      [AGE]: ageFrom(traffic),
      [INVOKED]: 0,
      [ofMachine('ExecutionsStarted', 'CreateConnection')]: 0,
      [API_5XX]: ATTEMPTS * traffic.requests,
      [ofQueue('NumberOfMessagesSent', 'FailedWatches')]: 1,
      [ofFunction('Throttles', 'WatchSessions')]: 3,
      [ofFunction('Throttles', 'RequestConnection')]: ATTEMPTS * traffic.requests,
    }),
  },
  {
    what: 'DynamoDB throttles two writes of each disconnect, in the table or its index',
    flows: ({ disconnects }) => ({
      'AWS/DynamoDB WriteThrottleEvents TableName=Table GlobalSecondaryIndexName=OpenWindows':
        2 * disconnects,
    }),
  },
  {
    what: 'An operator asks for an admin shell every minute and gets none',
    flows: () => ({ [ofMachine('ExecutionsFailed', 'CreateAdminShell')]: 1 }),
  },
  {
    what: 'A person invokes a function behind the API directly, and invocations are watched',
    flows: () => ({ [inQueue('DirectInvocations')]: () => 1 }),
  },
];

function failingConnections(traffic: Traffic): Flows {
  const asked = ATTEMPTS * traffic.requests;
  return {
    ...nobodyReturns(traffic),
    [INVOKED]: asked,
    [ofMachine('ExecutionsStarted', 'CreateConnection')]: asked,
    [ofMachine('ExecutionsFailed', 'CreateConnection')]: asked,
    [API_5XX]: asked,
  };
}

function failedFollowUps(disconnects: number): Flows {
  const failed = disconnects / ONE_IN;
  return {
    [ofMachine('ExecutionsFailed', 'ReconnectionWindow')]: failed,
    [ofFunction('AsyncEventsDropped', 'OnExecutionFailure')]: failed,
    // Two repeats, after a minute and after two.
    [inQueue('FailedExecutionFailures')]: lettersOf(failed, 3),
  };
}
