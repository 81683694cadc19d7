/**
 * Every assumption about AWS that this project makes and that no test here can prove. docs/assumptions.md is written from
 * this list (`npm run prove:docs`), a report of `npm run prove` names what depends on a finding, and
 * test/cli/prove-assumptions.test.ts compares the list with the README, the guarantees and the READMEs of the stand-ins.
 *
 * Why: docs/decisions/tests-and-tools.md#assumptions-about-aws-are-a-list-in-code
 */
import { QUOTAS } from '../../functions/shared/contracts/quotas.ts';
import { CLOCK_SKEW_MS, LOSS_NOTICE_MS } from '../../functions/shared/window/deadline.ts';
import type { CheckId } from './checks.ts';

/** A place in a page that takes a stand: the beginning of a list item, or the first cell of a table's row. */
export interface Place {
  readonly page: string;
  readonly entry: string;
}

/** A setting of the GameLift Streams stand-in, and the value it has unless a test says otherwise. */
export interface StandIn {
  readonly setting: string;
  readonly value: string | number | null | { readonly kind: string };
}

export interface Assumption {
  readonly id: string;
  readonly subject: Subject;
  /** What is taken for true, in one sentence. */
  readonly claim: string;
  /** What AWS says about it, or that it says nothing. */
  readonly source: string;
  /** Files and pages that depend on it, from the repository's root. */
  readonly usedIn: readonly string[];
  /** The check of `npm run prove` that settles it. Undefined: `byHand` says how a person can. */
  readonly settledBy?: CheckId;
  readonly byHand?: string;
  /** The check whose findings bear on it and do not settle it. */
  readonly relatedTo?: CheckId;
  readonly ifWrong: string;
  readonly toSet: string;
  readonly statedIn?: readonly Place[];
  readonly standIn?: readonly StandIn[];
}

export const SUBJECTS = [
  'Losing and finding a client',
  'Connections',
  'Windows and how sessions end',
  'Stream groups and quotas',
  'Admin shells',
  'Step Functions',
  'Events, queues and functions',
  'The API',
  'IAM and the deployment',
] as const;
export type Subject = (typeof SUBJECTS)[number];

export const README = 'README.md';
export const GUARANTEES = 'docs/guarantees.md';
export const STREAMS_README = 'packages/game-lift-streams-local/README.md';
export const STEP_FUNCTIONS_README = 'packages/step-functions-local/README.md';
export const EVENT_BUS_README = 'local/event-bus/README.md';
export const REST_API_README = 'local/rest-api/README.md';
export const LAMBDA_README = 'local/lambda/README.md';
export const SQS_README = 'local/sqs/README.md';

const at =
  (page: string) =>
  (entry: string): Place => ({ page, entry });
const readme = at(README);
const guarantees = at(GUARANTEES);
const streams = at(STREAMS_README);
const stepFunctions = at(STEP_FUNCTIONS_README);
const eventBus = at(EVENT_BUS_README);
const restApi = at(REST_API_README);
const lambda = at(LAMBDA_README);
const sqs = at(SQS_README);

const UNDOCUMENTED = 'Not documented.';
const WITH_A_SESSION =
  'Start a session from the console, lose its client, and watch GetStreamSession and the call’s reply.';

export const ASSUMPTIONS: readonly Assumption[] = [
  {
    id: 'no-status-events',
    subject: 'Losing and finding a client',
    claim: 'Amazon GameLift Streams sends no EventBridge event when a session’s status changes.',
    source: 'EventBridge’s list of services that send events has no row for GameLift Streams.',
    usedIn: ['functions/watch-sessions/watch-sessions.ts', 'events/README.md'],
    byHand:
      'Put a rule with the source prefix aws.gamelift on the default bus, lose a client, and look what arrives.',
    ifWrong: 'Nothing breaks. A native event would be sooner than the watcher.',
    toSet: 'Add a feed that turns the native event into ours: feeds/README.md.',
    statedIn: [
      readme('**The service’s undocumented answers.**'),
      guarantees('**Anything about AWS itself.**'),
    ],
  },
  {
    id: 'loss-notice',
    subject: 'Losing and finding a client',
    claim: `The service notices a lost client within ${LOSS_NOTICE_MS / 1000} s of the loss.`,
    source:
      'Not documented. WebRTC’s consent to send runs out 30 s after the last response (RFC 7675, section 5.1).',
    usedIn: ['functions/shared/window/deadline.ts', 'functions/create-connection/look-at-session.ts'],
    byHand:
      'Lose a client once by closing the tab and once by killing the browser; poll GetStreamSession each second until PENDING_CLIENT_RECONNECTION.',
    ifWrong:
      'Players who ask sooner are told ALREADY_CONNECTED, and a true report of a loss ends as NOT_DISCONNECTED.',
    toSet:
      'Raise LOSS_NOTICE_MS in functions/shared/window/deadline.ts above the longest notice that you measured.',
    statedIn: [
      readme('**How soon the real service notices a lost client**'),
      streams('How long after a client is lost the session waits for it'),
      streams('lossNoticeMs'),
    ],
    standIn: [{ setting: 'lossNoticeMs', value: 0 }],
  },
  {
    id: 'listed-while-waiting',
    subject: 'Losing and finding a client',
    claim:
      'ListStreamSessions with Status=PENDING_CLIENT_RECONNECTION lists every session that waits, soon after it waits.',
    source: 'The API reference documents the filter, not how soon a list shows a change.',
    usedIn: ['functions/watch-sessions/watch-sessions.ts', 'functions/shared/service/list-sessions.ts'],
    byHand: WITH_A_SESSION,
    ifWrong: 'The watcher finds disconnects later than within its interval.',
    toSet: 'Report disconnects with a feed of your own: feeds/README.md.',
  },
  {
    id: 'last-updated-at',
    subject: 'Losing and finding a client',
    claim: 'LastUpdatedAt is the time of the last change of status, in GetStreamSession and in a list alike.',
    source: 'Not documented, neither what it tracks nor that both operations read one record.',
    usedIn: ['functions/shared/service/read-session.ts', 'functions/watch-sessions/notice-disconnects.ts'],
    byHand: 'Read it in both operations before and after CONNECTED and PENDING_CLIENT_RECONNECTION.',
    ifWrong:
      'Windows that the watcher opens have a wrong start, so their deadlines and disconnect times are wrong.',
    toSet: 'Let a feed send statusChangedAt, which goes before LastUpdatedAt.',
    statedIn: [streams('LastUpdatedAt'), streams('listedLaterMs')],
    standIn: [{ setting: 'listedLaterMs', value: 0 }],
  },
  {
    id: 'timestamp-resolution',
    subject: 'Losing and finding a client',
    claim: 'Times of the service may be in whole seconds or in milliseconds.',
    source: 'restJson1 sends epoch seconds, with or without decimals.',
    usedIn: ['functions/shared/service/read-session.ts'],
    settledBy: 'session',
    ifWrong: 'Nothing: tests run with both.',
    toSet: 'Nothing.',
    statedIn: [streams('timestampUnit')],
    standIn: [{ setting: 'timestampUnit', value: 'millisecond' }],
  },
  {
    id: 'clock-skew',
    subject: 'Losing and finding a client',
    claim: `The clocks of feeds, Lambda and the service differ by at most ${CLOCK_SKEW_MS / 1000} s.`,
    source: 'Not documented for GameLift Streams. Lambda’s clocks follow Amazon Time Sync.',
    usedIn: ['functions/shared/window/deadline.ts'],
    byHand: 'Compare statusChangedAt of a feed with LastUpdatedAt of the service for the same change.',
    ifWrong: 'A late report is taken for a new disconnect, or a new disconnect for a late report.',
    toSet: 'Correct the clock of the feed, or raise CLOCK_SKEW_MS in functions/shared/window/deadline.ts.',
  },
  {
    id: 'wrong-status-connection',
    subject: 'Connections',
    claim: 'A connection in a status that takes none is refused with 409 or with 400, and changes nothing.',
    source:
      'ConflictException is documented without saying when; AWS documents “404 or 400” for admin shells in the wrong status.',
    usedIn: ['functions/create-connection/look-at-session.ts', 'functions/shared/runtime/service-fault.ts'],
    settledBy: 'session',
    ifWrong: 'A refusal with another status is retried as a failure (5xx) or ends as REQUEST_FAILED.',
    toSet: 'Add the error’s name to functions/shared/runtime/service-fault.ts.',
    statedIn: [
      streams('A connection in the wrong status'),
      streams('wrongStatusConnectionHttpStatus, wrongStatusAdminShellHttpStatus'),
      streams('The session ends while a connection is under way'),
    ],
    standIn: [{ setting: 'wrongStatusConnectionHttpStatus', value: 409 }],
  },
  {
    id: 'client-token-repeat',
    subject: 'Connections',
    claim:
      'A repeated ClientToken with the same parameters returns the first answer, or a 409 that changes nothing.',
    source: 'Not documented beyond “idempotency token”, nor for how long it is remembered.',
    usedIn: ['functions/create-connection/create-connection.ts', 'statemachines/create-connection.asl.yml'],
    settledBy: 'session',
    ifWrong: 'A retry after a lost reply makes a second connection, and the first answer may be worthless.',
    toSet:
      'Nothing to set. Players get NEW_OFFER_NEEDED more often; the client then makes a new offer by itself.',
    statedIn: [streams('repeatedClientToken'), streams('How long a ClientToken is remembered')],
    standIn: [{ setting: 'repeatedClientToken', value: 'firstAnswer' }],
  },
  {
    id: 'client-token-reuse',
    subject: 'Connections',
    claim:
      'A ClientToken with other parameters is a ConflictException, and the token of a failed call is free again.',
    source: UNDOCUMENTED,
    usedIn: ['functions/request-connection/request-connection.ts'],
    settledBy: 'session',
    ifWrong: 'Nothing: this service refuses such a token itself, before the call.',
    toSet: 'Nothing.',
    statedIn: [
      streams('The same ClientToken with other parameters'),
      streams('A ClientToken whose call failed'),
    ],
  },
  {
    id: 'connection-duration',
    subject: 'Connections',
    claim: 'CreateStreamSessionConnection answers within 12 s.',
    source: 'Not documented. A comment in AWS’s sample says “< 5 seconds”; 9 s were seen.',
    usedIn: ['functions/shared/service/call-service.ts', 'statemachines/create-connection.asl.yml'],
    settledBy: 'session',
    ifWrong: 'The call is cut off, costs a second permit, and the answer may be lost.',
    toSet:
      'Raise CONNECTION_TIMEOUT_MS in functions/shared/service/call-service.ts; API Gateway ends a request after 29 s.',
    statedIn: [streams('connectionMs')],
    standIn: [{ setting: 'connectionMs', value: 50 }],
  },
  {
    id: 'malformed-offer',
    subject: 'Connections',
    claim: 'A malformed offer may end the session in ERROR with invalidSignalRequest, so none is passed on.',
    source: 'StatusReason invalidSignalRequest is documented for starting and reconnecting.',
    usedIn: ['functions/request-connection/offer.ts'],
    settledBy: 'session',
    ifWrong: 'Nothing breaks: the check would only be stricter than it must be.',
    toSet: 'Nothing.',
    statedIn: [streams('A signal request that is no offer')],
  },
  {
    id: 'offer-of-start',
    subject: 'Connections',
    claim:
      'A connection needs an offer that StartStreamSession did not get; an offer of an earlier connection makes a second one.',
    source: 'API reference: the offer “must be newly generated”.',
    usedIn: ['packages/reconnection-client/src/reconnector.ts'],
    byHand: 'Call with the offer of the start, then with an earlier offer and a new token.',
    ifWrong: 'Nothing: the client makes a new offer for each try.',
    toSet: 'Nothing.',
    statedIn: [
      streams('A connection with the offer given to StartStreamSession'),
      streams('A connection with the offer of an earlier connection, under another ClientToken'),
    ],
  },
  {
    id: 'latest-answer-counts',
    subject: 'Connections',
    claim: 'Only the answer to the latest offer connects, and GetStreamSession shows that one.',
    source: UNDOCUMENTED,
    usedIn: ['functions/create-connection/create-connection.ts'],
    byHand: 'Get two answers, use the older one.',
    ifWrong: 'Of two tabs the older one may connect too; the window’s outcome stays right.',
    toSet: 'Nothing.',
    statedIn: [
      streams('Is the answer to an older offer still good?'),
      streams('SignalRequest and SignalResponse in GetStreamSession'),
    ],
  },
  {
    id: 'answer-shape',
    subject: 'Connections',
    claim:
      'SignalResponse is JSON with type “answer”, an sdp and webSdkProtocolUrl, as the Web SDK 1.2.0 reads it.',
    source: 'Read in the Web SDK 1.2.0; the API reference calls it a string.',
    usedIn: [
      'functions/create-connection/create-connection.ts',
      'packages/reconnection-client/src/web-sdk.ts',
    ],
    settledBy: 'session',
    ifWrong: 'Nothing here reads into the answer; the Web SDK says what is wrong with it.',
    toSet: 'Use the Web SDK file of the same release as the service.',
  },
  {
    id: 'second-window',
    subject: 'Windows and how sessions end',
    claim:
      'After an answer the client has ConnectionTimeoutSeconds again; a miss ends the session with connectionTimeout or another reason.',
    source:
      'The developer guide has the timer run in ACTIVE. The reason of a missed second window is not documented.',
    usedIn: ['statemachines/reconnection-window.asl.yml', 'functions/shared/window/cause.ts'],
    settledBy: 'session',
    ifWrong: 'The outcome is right; its cause may be UNKNOWN in place of TIMED_OUT.',
    toSet: 'Add the reason to functions/shared/window/cause.ts.',
    statedIn: [streams('StatusReason when nobody connects after a reconnection (the second window)')],
  },
  {
    id: 'reconnecting-pauses',
    subject: 'Windows and how sessions end',
    claim: 'The time to reconnect does not run while the session is RECONNECTING.',
    source: UNDOCUMENTED,
    usedIn: ['statemachines/reconnection-window.asl.yml'],
    byHand: 'Ask for a connection a second before the deadline, and see whether the session survives.',
    ifWrong:
      'A call in the last seconds may be lost. A read after the deadline decides, so the outcome is right.',
    toSet: 'Start sessions with a longer ConnectionTimeoutSeconds.',
    statedIn: [streams('Does the window run in RECONNECTING?')],
  },
  {
    id: 'end-after-deadline',
    subject: 'Windows and how sessions end',
    claim: 'The service ends a session soon after ConnectionTimeoutSeconds.',
    source: 'The developer guide has the timeout; how late the service may be is not documented.',
    usedIn: ['statemachines/reconnection-window.asl.yml', 'functions/terminate-session/terminate-session.ts'],
    settledBy: 'session',
    ifWrong: 'The window is looked at again with growing distance until the session has ended.',
    toSet: 'Raise windowMarginSeconds, or set terminateAbandonedSessions=true.',
    statedIn: [streams('overstayMs')],
    standIn: [{ setting: 'overstayMs', value: 0 }],
  },
  {
    id: 'terminating-length',
    subject: 'Windows and how sessions end',
    claim: 'TERMINATING may last minutes, and a window waits for TERMINATED however long it takes.',
    source: 'Not documented. File exports run at the session’s end.',
    usedIn: ['statemachines/reconnection-window.asl.yml', 'functions/check-session/check-session.ts'],
    settledBy: 'session',
    ifWrong: 'Nothing: the window only closes later.',
    toSet: 'Nothing.',
    statedIn: [streams('terminationMs')],
    standIn: [{ setting: 'terminationMs', value: 1000 }],
  },
  {
    id: 'terminate-again',
    subject: 'Windows and how sessions end',
    claim: 'Terminating a session that is ending or has ended succeeds or is refused without an effect.',
    source: 'API reference: any status except ACTIVATING. What an ended session replies is not documented.',
    usedIn: ['functions/terminate-session/terminate-session.ts'],
    settledBy: 'session',
    ifWrong: 'terminate-session retries until its next read says that the session has ended.',
    toSet: 'Nothing.',
    statedIn: [streams('Terminating a session that is ending or has ended')],
  },
  {
    id: 'status-reasons',
    subject: 'Windows and how sessions end',
    claim: 'StatusReason may be one of the documented values, any other text, or absent.',
    source: 'API reference: a string enum that is not required; services add values.',
    usedIn: ['functions/shared/window/cause.ts', 'functions/shared/service/read-session.ts'],
    byHand: WITH_A_SESSION,
    ifWrong: 'Nothing: an unknown reason is recorded as it is, with the cause UNKNOWN.',
    toSet: 'Add a new reason to functions/shared/window/cause.ts.',
    statedIn: [streams('statusReason: documented, a text of up to 1,024 characters, absent')],
    standIn: [{ setting: 'statusReason', value: { kind: 'documented' } }],
  },
  {
    id: 'session-length-from-creation',
    subject: 'Windows and how sessions end',
    claim: 'SessionLengthSeconds counts from CreatedAt.',
    source: 'API reference: “since it started”, without saying from which moment.',
    usedIn: ['functions/shared/service/read-session.ts', 'functions/shared/window/deadline.ts'],
    byHand: 'Start a session with SessionLengthSeconds=120 and note when it ends.',
    ifWrong: 'Deadlines near the session’s maximum length are wrong by the time it took to start.',
    toSet: 'Let a feed send sessionEndsAt.',
    statedIn: [streams('SessionLengthSeconds counts from')],
  },
  {
    id: 'stream-urls',
    subject: 'Windows and how sessions end',
    claim:
      'Sessions started from stream URLs cannot reconnect, and nothing in GetStreamSession tells them apart.',
    source: 'Developer guide, “Stream URLs”.',
    usedIn: ['functions/create-connection/look-at-session.ts', 'docs/decisions/connections.md'],
    byHand: 'Start one from a stream URL and read it.',
    ifWrong: 'Nothing: such a session’s window ends with what the service says.',
    toSet: 'Nothing.',
  },
  {
    id: 'published-quotas',
    subject: 'Stream groups and quotas',
    claim: `Each operation has its published quota of calls a second: ${Object.entries(QUOTAS)
      .map(([operation, { publishedPerSecond }]) => `${operation} ${publishedPerSecond}`)
      .join(', ')}.`,
    source: 'AWS General Reference, “Amazon GameLift Streams endpoints and quotas”.',
    usedIn: ['functions/shared/contracts/quotas.ts', 'functions/shared/quota/permits.ts', 'serverless.yml'],
    settledBy: 'quotas',
    ifWrong:
      'With a smaller quota calls are throttled until the permits have slowed down; with a larger one players wait in vain.',
    toSet:
      'Set connectionsPerSecond, readsPerSecond, listsPerSecond, terminationsPerSecond, adminShellsPerSecond or streamGroupCallsPerSecond.',
    statedIn: [guarantees('**Quotas that others use.**')],
  },
  {
    id: 'quota-burst',
    subject: 'Stream groups and quotas',
    claim:
      'An idle quota saves up one second’s worth of calls, and a ThrottlingException has no Retry-After.',
    source: UNDOCUMENTED,
    usedIn: ['functions/shared/quota/permits.ts'],
    byHand: 'Send 25 GetStreamSession at once, outside of production.',
    ifWrong:
      'With a smaller burst the first calls of a storm are throttled once, and the permits slow down by a tenth.',
    toSet: 'Lower BURST_MS in functions/shared/quota/permits.ts.',
    statedIn: [streams('Burst size of the quotas'), streams('Retry-After with a ThrottlingException')],
  },
  {
    id: 'group-status',
    subject: 'Stream groups and quotas',
    claim:
      'Stream groups that are ACTIVE, ACTIVE_WITH_ERRORS or UPDATING_LOCATIONS host sessions; others take no connection.',
    source: 'The API reference demands ACTIVE. The other statuses are not described.',
    usedIn: ['functions/watch-sessions/stream-groups.ts'],
    byHand:
      'Start a session in a group that is ACTIVE_WITH_ERRORS or UPDATING_LOCATIONS, lose its client, and ask for a connection.',
    relatedTo: 'stream-groups',
    ifWrong: 'The watcher does not watch a group that has sessions, or watches one that has none.',
    toSet: 'Name the groups in watchedStreamGroups.',
    statedIn: [
      streams('Do ACTIVE_WITH_ERRORS and UPDATING_LOCATIONS host sessions?'),
      streams('A session started or connected to in a stream group that hosts none'),
      streams('Sessions of a stream group that is EXPIRED'),
    ],
  },
  {
    id: 'group-life',
    subject: 'Stream groups and quotas',
    claim:
      'A stream group that is deleted ends its sessions with apiTerminated and then exists no more, within minutes.',
    source: 'The developer guide says that the sessions stop; the times are those of the SDK’s waiters.',
    usedIn: ['functions/watch-sessions/stream-groups.ts', 'functions/check-session/check-session.ts'],
    byHand: 'Delete a group with a session in it, outside of production.',
    ifWrong:
      'Windows of such sessions end with what the service says of them, at the latest when it knows them no more.',
    toSet: 'Nothing.',
    statedIn: [
      streams('A stream group that is DELETING'),
      streams('Deleting a stream group that is ACTIVATING or UPDATING_LOCATIONS'),
      streams('groupActivationMs'),
      streams('groupDeletionMs'),
    ],
    standIn: [
      { setting: 'groupActivationMs', value: 60_000 },
      { setting: 'groupDeletionMs', value: 60_000 },
    ],
  },
  {
    id: 'group-tags',
    subject: 'Stream groups and quotas',
    claim:
      'Policies can ask for a stream group’s tag, and a group without it is AccessDeniedException whether or not it exists.',
    source: 'Service Authorization Reference: aws:ResourceTag is a condition key of the session operations.',
    usedIn: ['scripts/serverless/template.ts', 'functions/watch-sessions/stream-groups.ts'],
    byHand:
      'With the role of check-session, read a session of a group that has the tag and one of a group that has not.',
    relatedTo: 'permissions',
    ifWrong: 'Calls for tagged groups are denied: the alarm on CallsDenied goes off.',
    toSet: 'Name the groups by id in streamGroups.',
    statedIn: [
      streams('onlyTagged'),
      streams('Tags of a resource that does not exist'),
      streams('A tag key that begins with aws:'),
    ],
    standIn: [{ setting: 'onlyTagged', value: null }],
  },
  {
    id: 'wrong-status-admin-shell',
    subject: 'Admin shells',
    claim: 'An admin shell in the wrong status is refused with 400 or 404.',
    source: 'Developer guide, “Troubleshoot admin shells”: “404 or 400”.',
    usedIn: ['functions/create-admin-shell/create-admin-shell.ts'],
    byHand: 'Ask for an admin shell of a session that has ended.',
    ifWrong: 'The operator gets a 500 in place of a 400.',
    toSet: 'Add the error’s name to functions/shared/runtime/service-fault.ts.',
    statedIn: [streams('An admin shell in the wrong status')],
    standIn: [{ setting: 'wrongStatusAdminShellHttpStatus', value: 400 }],
  },
  {
    id: 'definitions-accepted',
    subject: 'Step Functions',
    claim: 'Step Functions accepts each definition, with its JSONata, callbacks and retries.',
    source: 'Step Functions Developer Guide. The stand-in runs JSONata 2.2, AWS runs 2.0.6.',
    usedIn: [
      'statemachines/README.md',
      'statemachines/reconnection-window.asl.yml',
      'statemachines/create-connection.asl.yml',
    ],
    settledBy: 'state-machines',
    ifWrong: 'The deployment fails, or an execution fails with States.QueryEvaluationError.',
    toSet: 'Report it with the finding; the definition has to change.',
    statedIn: [
      readme('**Step Functions, EventBridge, API Gateway and Lambda themselves.**'),
      stepFunctions('The engine runs JSONata 2.2; AWS runs 2.0.6'),
    ],
  },
  {
    id: 'states-decide-alike',
    subject: 'Step Functions',
    claim:
      'A Choice, Pass or Wait state chooses the next state, output and variables on AWS as on the stand-in.',
    source:
      'Amazon States Language. A Choice’s own Output applies with its Default only, as a recording shows.',
    usedIn: ['statemachines/reconnection-window.asl.yml', 'statemachines/create-connection.asl.yml'],
    settledBy: 'states',
    ifWrong: 'A window takes another path than tests have shown.',
    toSet: 'Report it with the finding; the definition has to change.',
    statedIn: [stepFunctions('A Choice’s own Output counts only when its Default is taken')],
  },
  {
    id: 'states-all-and-data-limits',
    subject: 'Step Functions',
    claim:
      'States.ALL does not catch States.DataLimitExceeded, and too many variables end a state with that error.',
    source:
      'Developer guide; a recording on AWS shows it caught. What counts as too many is documented as 10 MiB.',
    usedIn: ['statemachines/reconnection-window.asl.yml'],
    byHand: 'No payload of these machines comes near the limit (256 KiB); nothing depends on it.',
    ifWrong: 'Nothing: no input of these machines can be that large.',
    toSet: 'Nothing.',
    statedIn: [
      stepFunctions('States.ALL does not catch States.DataLimitExceeded'),
      stepFunctions('Too many variables in all end a state'),
    ],
  },
  {
    id: 'start-quota',
    subject: 'Step Functions',
    claim:
      'StartExecution takes a burst and then a rate by Region: 300 a second in us-east-1, us-west-2 and eu-west-1, 150 elsewhere.',
    source: 'Step Functions Developer Guide, “Quotas related to API action throttling”.',
    usedIn: ['packages/step-functions-local/README.md', 'bench/openings.ts', 'resources/windows.yml'],
    settledBy: 'quotas',
    ifWrong: 'In a storm windows open more slowly than docs/storms.md says; none is lost.',
    toSet: 'Ask for a higher StartExecution quota, or lower openingConcurrency.',
  },
  {
    id: 'aborted-is-redrivable',
    subject: 'Step Functions',
    claim: 'Nothing depends on whether an aborted execution can be redriven.',
    source: 'The developer guide contradicts itself on two pages.',
    usedIn: ['functions/on-execution-failure/on-execution-failure.ts'],
    byHand: 'Stop an execution and describe it.',
    ifWrong: 'Nothing: a replaced window ignores a redriven execution’s callbacks.',
    toSet: 'Nothing.',
    statedIn: [stepFunctions('An aborted execution is REDRIVABLE in DescribeExecution')],
  },
  {
    id: 'patterns-match',
    subject: 'Events, queues and functions',
    claim: 'Each rule’s pattern matches the samples that it is for, and no other.',
    source: 'EventBridge User Guide, “Event patterns”.',
    usedIn: [
      'resources/windows.yml',
      'resources/events.yml',
      'resources/executions.yml',
      'events/samples/README.md',
    ],
    settledBy: 'event-patterns',
    ifWrong: 'Disconnects open no window, or failed executions are not followed by another.',
    toSet: 'Compare eventSource with what your feeds send.',
    statedIn: [
      eventBus('Three things that this matcher would judge otherwise than AWS’s Event Ruler'),
      eventBus('A number matches by its value'),
    ],
  },
  {
    id: 'execution-events',
    subject: 'Events, queues and functions',
    claim:
      'Step Functions sends an event for each failed, timed-out or stopped Standard execution to the default bus.',
    source: 'Step Functions Developer Guide, “Automating Step Functions event delivery with EventBridge”.',
    usedIn: ['functions/on-execution-failure/on-execution-failure.ts', 'resources/executions.yml'],
    byHand:
      'Stop an execution of reconnection-window, outside of production, and look whether on-execution-failure logs it.',
    relatedTo: 'event-patterns',
    ifWrong: 'A failed execution has no successor until its disconnect is reported again.',
    toSet: 'Keep the watcher on: it starts windows again whose execution has died.',
  },
  {
    id: 'event-delivery',
    subject: 'Events, queues and functions',
    claim:
      'EventBridge delivers an event at least once, in any order, and retries for a day before its dead-letter queue.',
    source: 'EventBridge User Guide, “Event retry policy”.',
    usedIn: ['resources/windows.yml', 'functions/on-status-change/on-status-change.ts'],
    byHand:
      'Take the queue’s policy away for an hour, outside of production, report a loss meanwhile, and see that its window opens later.',
    relatedTo: 'queues',
    ifWrong: 'A disconnect is found by the watcher alone, some seconds later.',
    toSet: 'Look into the queues UndeliveredStatusChanges and FailedStatusChanges: docs/runbook.md.',
    statedIn: [eventBus('It always hands over at once')],
  },
  {
    id: 'queue-order',
    subject: 'Events, queues and functions',
    claim:
      'SQS delivers at least once, in any order; the mapping grows by five batches at a time up to openingConcurrency.',
    source: 'Lambda Developer Guide, “Configuring scaling behavior for SQS event source mappings”.',
    usedIn: ['resources/windows.yml', 'functions/shared/runtime/queue-batch.ts'],
    byHand:
      'Send 1,000 status changes at once, outside of production, and look at the function’s ConcurrentExecutions.',
    relatedTo: 'queues',
    ifWrong: 'Windows open more slowly in a storm.',
    toSet: 'Raise openingConcurrency.',
    statedIn: [sqs('Where it differs')],
  },
  {
    id: 'delayed-looks',
    subject: 'Events, queues and functions',
    claim:
      'SQS holds each message of WatcherLooks back for its DelaySeconds, and Lambda receives it soon after.',
    source:
      'SQS Developer Guide, “Amazon SQS message timers”; how soon Lambda receives a message is not documented.',
    usedIn: ['resources/watcher.yml', 'functions/watch-sessions/watch-sessions.ts'],
    byHand: 'In the metrics of watchSessions, Invocations are 13 a minute with a watchIntervalSeconds of 5.',
    ifWrong: 'A loss that only the watcher can see is found some seconds later.',
    toSet: 'Let a backend or the game process report disconnects: feeds/README.md.',
  },
  {
    id: 'lambda-concurrency',
    subject: 'Events, queues and functions',
    claim:
      'The account has concurrent executions for openingConcurrency and for every held request; 100 stay unreserved.',
    source: 'Lambda Developer Guide, “Lambda quotas”: 1,000 by default; new accounts have fewer.',
    usedIn: ['resources/windows.yml', 'local/lambda/README.md'],
    settledBy: 'quotas',
    ifWrong: 'Requests are refused with 500 while other functions of the account take the executions.',
    toSet: 'Ask for a higher quota “Concurrent executions”, or set openingReservedConcurrency.',
    statedIn: [
      lambda('concurrent executions of the account'),
      lambda('concurrent executions of one function'),
      lambda('executions that stay unreserved'),
      lambda('requests a second'),
    ],
  },
  {
    id: 'asynchronous-retries',
    subject: 'Events, queues and functions',
    claim:
      'Lambda repeats a failed asynchronous invocation after one and two more minutes, and throttled ones for six hours.',
    source:
      'Lambda Developer Guide, “How Lambda handles errors and retries with asynchronous invocation”; a long queue has no numbers.',
    usedIn: ['local/lambda/README.md', 'resources/watcher.yml'],
    byHand: 'The metrics AsyncEventAge and AsyncEventsDropped tell of the real delays.',
    ifWrong: 'A minute’s look of the watcher or a failed execution’s successor comes later.',
    toSet: 'Look at the alarms on dropped and old events: docs/alarms.md.',
    statedIn: [
      lambda('An error of the function is repeated'),
      lambda('Throttling (429) and Lambda’s own errors'),
      lambda('An event that would be older'),
    ],
  },
  {
    id: 'encoded-paths',
    subject: 'The API',
    claim:
      'A REST API hands paths to a function as they came, so an ARN’s encoded slash does not split the path.',
    source: 'A captured event (hotsock/voker); not in the developer guide.',
    usedIn: ['functions/shared/api/request.ts', 'local/rest-api/README.md'],
    byHand: 'Call GET …/window with ARNs for both identifiers, encoded.',
    ifWrong: 'Requests with ARNs get 403 or 404; those with ids work.',
    toSet: 'Use ids in place of ARNs.',
    statedIn: [restApi('path and pathParameters are still percent-encoded')],
  },
  {
    id: 'query-and-body',
    subject: 'The API',
    claim: 'Query parameters arrive decoded, bodies as text, and a function never sees Authorization.',
    source: 'API Gateway Developer Guide, “Important notes”, the table of headers.',
    usedIn: ['local/rest-api/README.md', 'functions/shared/api/request.ts'],
    byHand: 'Call the API once and look at the log of the function: it names no value.',
    ifWrong: 'Requests are refused with 400.',
    toSet: 'Report it with the finding.',
    statedIn: [
      restApi('Query parameters are decoded'),
      restApi('Bodies are text'),
      restApi('Header names keep their case'),
    ],
  },
  {
    id: 'two-error-headers',
    subject: 'The API',
    claim:
      'API Gateway’s own errors have two headers x-amzn-errortype, ours first; SDKs read ours because it ends with a colon.',
    source: 'A capture (aws-sdk-js-v3#3852) and LocalStack’s tests against AWS.',
    usedIn: ['resources/api.yml', 'local/rest-api/README.md'],
    byHand: 'Call an unknown route unsigned: curl -si "$API/nothing".',
    ifWrong: 'Clients see another error name than the table in docs/api-clients.md has; the status is right.',
    toSet: 'Let clients go by the HTTP status and x-reconnection-code.',
    statedIn: [
      restApi('the path is not well-formed percent-encoding'),
      restApi('no route has this method and path'),
      restApi('the event is over the 6 MB of Lambda'),
      restApi('the body is over 10 MB'),
      restApi('Lambda refuses the Invoke'),
      restApi('the function failed, or its reply is no proxy reply'),
      restApi('the function did not answer within 29 s'),
    ],
  },
  {
    id: 'api-throttle',
    subject: 'The API',
    claim: 'The account’s API Gateway throttle is at least apiRequestsPerSecond and apiRequestBurst.',
    source:
      'API Gateway Developer Guide, “Quotas”: 10,000 requests a second with a burst of 5,000; less in some Regions.',
    usedIn: ['resources/api.yml', 'serverless.yml'],
    settledBy: 'quotas',
    ifWrong: 'Players get 429 before the account’s own APIs reach what the parameter allows.',
    toSet: 'Lower apiRequestsPerSecond, or ask for a higher throttle.',
  },
  {
    id: 'roles-suffice',
    subject: 'IAM and the deployment',
    claim:
      'Each role may make every call that its function’s bundle can make, and organisation and boundary allow it.',
    source: 'Service Authorization Reference; compared with the bundles by tests, never with IAM.',
    usedIn: ['resources/windows.yml', 'resources/connections.yml', 'resources/watcher.yml'],
    settledBy: 'permissions',
    ifWrong: 'Calls are denied: functions fail, or the alarm on CallsDenied goes off.',
    toSet:
      'Lift the permissions boundary or the organisation’s policy for the action that the finding names.',
    statedIn: [readme('**IAM.**')],
  },
  {
    id: 'invoked-by',
    subject: 'IAM and the deployment',
    claim:
      'CloudTrail’s record of an invocation names the service: apigateway.amazonaws.com for the API, states.amazonaws.com for a state machine.',
    source:
      'CloudTrail User Guide, “CloudTrail userIdentity element”, on invokedBy; an Invoke by either was not found in it.',
    usedIn: ['resources/direct-invocations.yml'],
    byHand:
      'With watchInvocations=true, reconnect a player and open a shell: the queue DirectInvocations stays empty.',
    ifWrong: 'The alarm direct-invocations goes off at every request or shell.',
    toSet: 'Correct invokedBy in resources/direct-invocations.yml, or set watchInvocations=false.',
  },
  {
    id: 'policies-valid',
    subject: 'IAM and the deployment',
    claim: 'Every policy of the stack is valid and grants nothing that IAM Access Analyzer warns about.',
    source: 'IAM User Guide, “Access Analyzer policy check reference”.',
    usedIn: ['resources/policies.yml', 'resources/shared.yml'],
    settledBy: 'policies',
    ifWrong: 'A policy does not do what it says.',
    toSet: 'Report it with the finding; the policy has to change.',
  },
  {
    id: 'deployment-accepted',
    subject: 'IAM and the deployment',
    claim:
      'CloudFormation accepts the template, and the deployed stack is what was packaged and has not drifted.',
    source: 'Compared with the resource schemas by tests; deployed against moto, never against AWS.',
    usedIn: ['serverless.yml', 'docs/deploy.md'],
    settledBy: 'template',
    ifWrong: 'What runs is not what the tests have seen.',
    toSet: 'Deploy again from the commit that you packaged.',
    statedIn: [readme('**The deployment.**')],
  },
  {
    id: 'metrics-exist',
    subject: 'IAM and the deployment',
    claim:
      'Each alarm watches a metric that AWS and the functions publish under that name and those dimensions.',
    source: 'Each service’s page of CloudWatch metrics.',
    usedIn: ['resources/alarms.yml', 'docs/alarms.md'],
    settledBy: 'alarms',
    ifWrong: 'An alarm never goes off.',
    toSet: 'Report it with the finding; docs/alarms.md says what each alarm is for.',
  },
  {
    id: 'logs-kept',
    subject: 'IAM and the deployment',
    claim: 'Each log group exists with the retention and the key that the parameters say.',
    source: 'CloudWatch Logs User Guide.',
    usedIn: ['docs/personal-data.md', 'resources/admin-shells.yml'],
    settledBy: 'log-groups',
    ifWrong: 'Logs are kept longer or shorter than docs/personal-data.md says.',
    toSet: 'Deploy again, or set logRetentionDays and adminShellAuditDays.',
  },
];

/** Returns the assumptions that a check settles or bears on. */
export function assumptionsOf(check: CheckId): readonly Assumption[] {
  return ASSUMPTIONS.filter(({ settledBy, relatedTo }) => settledBy === check || relatedTo === check);
}
