import type { APIGatewayProxyResult } from 'aws-lambda';
import {
  type CheckUserIdDependencies,
  refuseStranger,
  refuseStrangerDirectly,
  userIdOf,
} from '../shared/api/check-user-id.ts';
import { passThrough } from '../shared/api/pass-through.ts';
import {
  doneReply,
  errorReply,
  InvalidRequestError,
  type NamedReply,
  notFoundReply,
  passedThroughReply,
  serviceDeniedReply,
  switchedOffReply,
} from '../shared/api/replies.ts';
import type { RequestOrigin } from '../shared/api/request.ts';
import { type ApiRequest, defineRoute } from '../shared/api/route.ts';
import { LEAST_WAIT_SECONDS } from '../shared/contracts/fields.ts';
import {
  leavingBodySchema,
  REPORTED_BY_API,
  type SessionKey,
  STATUS_CHANGE_DETAIL_TYPE,
  type StatusChangeDetail,
} from '../shared/contracts/index.ts';
import type { QuotaSettings } from '../shared/contracts/quotas.ts';
import { noteLeaving, offerIdOf } from '../shared/quota/places.ts';
import { isKnownError } from '../shared/runtime/errors.ts';
import { type EventBus, publish } from '../shared/runtime/publish-events.ts';
import type { ReadSwitch } from '../shared/runtime/switch.ts';
import { parseJson } from '../shared/runtime/text.ts';
import { callService, isNotCarriedOut } from '../shared/service/call-service.ts';
import { terminateStreamSession } from '../shared/service/operations.ts';
import {
  type EndedBy,
  type EndMark,
  endedBySchema,
  markEnd,
  noteRefusedEnd,
} from '../shared/window/end-mark.ts';
import { type MailboxDependencies, signalWindow } from '../shared/window/mailbox.ts';
import { readWindow } from '../shared/window/window-item.ts';

export interface LeaveSessionDependencies extends CheckUserIdDependencies, MailboxDependencies, EventBus {
  readonly readSwitch: ReadSwitch;
  readonly settings: CheckUserIdDependencies['settings'] &
    EventBus['settings'] &
    QuotaSettings<'TerminateStreamSession'> & {
      readonly AWS_REGION: string;
      readonly USER_ID_CHECK: boolean;
    };
}

type Origin = Pick<RequestOrigin, 'headers' | 'caller'>;

/**
 * DELETE …: ends a session on purpose, as TerminateStreamSession does, and marks it first, so that its player does not
 * count as lost. An operator says so in the header `x-ended-by`. The service's own refusal goes to the caller by its name.
 *
 * Why: docs/decisions/leaving.md#an-end-on-purpose-is-marked-before-it-is-asked-for
 *
 * @throws InvalidRequestError naming the header.
 * @throws DependencyUnavailableException
 */
export async function endSession(
  { session }: ApiRequest,
  dependencies: LeaveSessionDependencies,
  origin: Origin,
): Promise<APIGatewayProxyResult> {
  const { log } = dependencies;
  const state = await dependencies.readSwitch(log);
  const endedBy = endedByIn(origin);
  const { result, reply } =
    state === 'refuse'
      ? { result: 'SWITCHED_OFF', reply: switchedOffReply() }
      : ((await refusalOfStranger(session, state === 'passThrough', endedBy, dependencies, origin)) ??
        (await (state === 'on' ? end : passEndThrough)(session, endedBy, dependencies)));
  log.info('SessionEndAnswered', {
    result,
    endedBy,
    statusCode: reply.statusCode,
    ...(state === 'on' ? {} : { switch: state }),
  });
  return reply;
}

async function end(
  session: SessionKey,
  endedBy: EndedBy,
  dependencies: LeaveSessionDependencies,
): Promise<NamedReply> {
  const { table, clock } = dependencies;
  const mark = await markEnd(table, session, { endedBy, nowMs: clock.nowMs() });
  return orFailureReply(async () => {
    try {
      const termination = await callService(terminateStreamSession(session), {}, dependencies);
      if (!termination.ok) {
        await noteRefused(session, mark, dependencies);
        return refusedBy(termination.fault);
      }
    } catch (error) {
      if (isNotCarriedOut(error)) await noteRefused(session, mark, dependencies);
      throw error;
    }
    await tellWindow(session, dependencies);
    return ENDED;
  });
}

/** What fails here leaves a mark that explains each later termination by the API. */
async function noteRefused(
  session: SessionKey,
  mark: EndMark | undefined,
  { table, log }: LeaveSessionDependencies,
): Promise<void> {
  if (mark === undefined) return;
  try {
    await noteRefusedEnd(table, session, mark);
  } catch (error) {
    log.error('RefusalNotNoted', error);
  }
}

/** The mark is not for the call's sake: a table in trouble must not stand between the caller and the service. */
async function passEndThrough(
  session: SessionKey,
  endedBy: EndedBy,
  dependencies: LeaveSessionDependencies,
): Promise<NamedReply> {
  const { table, clock, log } = dependencies;
  const marking = markEnd(table, session, { endedBy, nowMs: clock.nowMs() }).catch((error: unknown) =>
    log.error('EndNotMarked', error),
  );
  await Promise.race([marking, clock.sleep(MARK_TIMEOUT_MS)]);
  const termination = await passThrough(terminateStreamSession(session), dependencies);
  return termination.ok ? ENDED : { result: termination.error, reply: termination.reply };
}

/** The table answers within milliseconds. */
const MARK_TIMEOUT_MS = 500;

const ENDED: NamedReply = { result: 'SESSION_ENDED', reply: doneReply() };

/** Lets an open window look now. What fails here, the watcher or the window's own deadline makes good. */
async function tellWindow(session: SessionKey, dependencies: LeaveSessionDependencies): Promise<void> {
  try {
    await signalWindow(session, { id: 'ended-on-purpose' }, dependencies);
  } catch (error) {
    dependencies.log.error('WindowNotTold', error);
  }
}

/** Only a player's own end is checked: an operator has no user. */
async function refusalOfStranger(
  session: SessionKey,
  isPassedThrough: boolean,
  endedBy: EndedBy,
  dependencies: LeaveSessionDependencies,
  origin: Origin,
): Promise<NamedReply | undefined> {
  if (!dependencies.settings.USER_ID_CHECK || endedBy === 'OPERATOR') return undefined;
  const userId = userIdOf(origin);
  if (isPassedThrough) return refuseStrangerDirectly(session, userId, dependencies);
  return orFailureReply(() => refuseStranger(session, userId, dependencies));
}

const HEADER = 'x-ended-by';

/** @throws InvalidRequestError when the header is there twice, or says anything else. */
function endedByIn({ headers }: Origin): EndedBy {
  const [value, ...others] = headers.get(HEADER) ?? ['LEFT'];
  const endedBy = endedBySchema.safeParse(value);
  if (others.length > 0 || !endedBy.success) {
    throw new InvalidRequestError(`Send ${HEADER} at most once: LEFT or OPERATOR.`);
  }
  return endedBy.data;
}

function refusedBy(fault: 'NOT_FOUND' | 'INVALID' | 'CONFLICT'): NamedReply {
  switch (fault) {
    case 'NOT_FOUND':
      return { result: fault, reply: notFoundReply() };
    case 'INVALID':
      return { result: fault, reply: passedThroughReply('ValidationException', REFUSED) };
    case 'CONFLICT':
      return { result: fault, reply: passedThroughReply('ConflictException', REFUSED) };
  }
}

const REFUSED = 'Amazon GameLift Streams refused to end the stream session in its present status.';

/** Turns a failure of a call to the service into the reply that the service itself would give. */
async function orFailureReply<Result>(work: () => Promise<Result>): Promise<Result | NamedReply> {
  try {
    return await work();
  } catch (error) {
    const reply = error instanceof Error && isKnownError(error) ? failureReply(error.name) : undefined;
    if (!(error instanceof Error) || reply === undefined) throw error;
    return { result: error.name, reply };
  }
}

/** @returns undefined where the reply is the one of any failure. */
function failureReply(error: string): APIGatewayProxyResult | undefined {
  switch (error) {
    case 'ThrottlingException':
    case 'PermitNotAvailableException':
      return errorReply(
        'QUOTA_USED_UP',
        'Too many sessions are ended at once. Ask again with the same request.',
        {
          retryAfterSeconds: 2,
        },
      );
    case 'ServiceAccessDeniedException':
      return serviceDeniedReply();
    case 'InternalServerException':
      return errorReply('REQUEST_FAILED', 'Amazon GameLift Streams gave no answer. Ask again.', {
        retryAfterSeconds: 1,
      });
    default:
      return undefined;
  }
}

/**
 * POST …/leaving: a page goes away, and its player may not come back. If no newer offer has come, the session's
 * window opens, or waits no longer than the player may take to come back. A reload of the page looks the same; its request lifts it.
 *
 * The place in line holds what counts, because each offer writes it. The event only opens the window.
 *
 * Why: docs/decisions/leaving.md#a-page-that-may-be-going-away-is-noted-on-the-place-in-line
 *
 * @throws InvalidRequestError naming the field.
 * @throws DependencyUnavailableException
 */
export async function noteLeavingPage(
  { session, body }: ApiRequest,
  dependencies: LeaveSessionDependencies,
  origin: Origin,
): Promise<APIGatewayProxyResult> {
  const { log } = dependencies;
  const state = await dependencies.readSwitch(log);
  const { clientToken, withinSeconds } = await leavingIn(body, session, dependencies);
  const { result, reply } =
    state === 'refuse'
      ? { result: 'SWITCHED_OFF', reply: switchedOffReply() }
      : ((await refusalOfStranger(session, state === 'passThrough', 'LEFT', dependencies, origin)) ??
        (await noteOnPlace(session, clientToken, withinSeconds, dependencies)));
  log.info('LeavingAnswered', { result, withinSeconds, statusCode: reply.statusCode });
  return reply;
}

async function noteOnPlace(
  session: SessionKey,
  clientToken: string,
  withinSeconds: number,
  dependencies: LeaveSessionDependencies,
): Promise<NamedReply> {
  const nowMs = Math.floor(dependencies.clock.nowMs());
  const leaving = { untilMs: nowMs + withinSeconds * 1000, nowMs };
  if (!(await noteLeaving(dependencies.table, session, offerIdOf(clientToken), leaving))) {
    return { result: 'NEWER_OFFER', reply: doneReply() };
  }
  const detail: StatusChangeDetail = {
    version: '1',
    ...session,
    status: 'PENDING_CLIENT_RECONNECTION',
    statusChangedAt: new Date(nowMs).toISOString(),
    reportedBy: REPORTED_BY_API,
    dropCause: 'CLOSED',
  };
  await publish(dependencies, STATUS_CHANGE_DETAIL_TYPE, detail);
  return { result: 'LEAVING', reply: doneReply() };
}

/** @throws InvalidRequestError naming the field. */
async function leavingIn(text: string, session: SessionKey, { table }: LeaveSessionDependencies) {
  const body = leavingBodySchema.safeParse(parseJson(text));
  if (!body.success) throw new InvalidRequestError(problemOf(body.error.issues[0]));
  const window = await readWindow(table, session);
  const isKnown = window !== undefined && window.isDefaultTimeout !== true;
  if (isKnown && body.data.withinSeconds > window.connectionTimeoutSeconds) {
    throw new InvalidRequestError(WITHIN_PROBLEM);
  }
  return body.data;
}

const WITHIN_PROBLEM = `withinSeconds must be a whole number from ${LEAST_WAIT_SECONDS} to the session's ConnectionTimeoutSeconds.`;

function problemOf(
  issue: { readonly code: string; readonly path: readonly PropertyKey[] } | undefined,
): string {
  if (issue?.path[0] === 'withinSeconds') return WITHIN_PROBLEM;
  return issue?.path[0] === 'clientToken'
    ? 'clientToken must be 32 to 128 visible ASCII characters.'
    : 'The body must be a JSON object with the members clientToken and withinSeconds, and no others.';
}

export const leaveSessionRoute = defineRoute({
  settings: [
    'TERMINATIONS_PER_SECOND',
    'READS_PER_SECOND',
    'LISTS_PER_SECOND',
    'USER_ID_CHECK',
    'EVENT_BUS_NAME',
    'EVENT_SOURCE',
  ],
  clients: ['gameLiftStreams', 'stepFunctions', 'eventBridge'],
  decide: (request, dependencies, origin) =>
    (request.method === 'POST' ? noteLeavingPage : endSession)(request, dependencies, origin),
});
