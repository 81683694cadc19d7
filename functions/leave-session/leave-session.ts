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
import type { SessionKey } from '../shared/contracts/index.ts';
import type { QuotaSettings } from '../shared/contracts/quotas.ts';
import { isKnownError } from '../shared/runtime/errors.ts';
import type { ReadSwitch } from '../shared/runtime/switch.ts';
import { callService } from '../shared/service/call-service.ts';
import { terminateStreamSession } from '../shared/service/operations.ts';
import { type EndedBy, endedBySchema, markEnd } from '../shared/window/end-mark.ts';
import { type MailboxDependencies, signalWindow } from '../shared/window/mailbox.ts';

export interface LeaveSessionDependencies extends CheckUserIdDependencies, MailboxDependencies {
  readonly readSwitch: ReadSwitch;
  readonly settings: CheckUserIdDependencies['settings'] &
    QuotaSettings<'TerminateStreamSession'> & {
      readonly AWS_REGION: string;
      readonly USER_ID_CHECK: boolean;
    };
}

type Origin = Pick<RequestOrigin, 'headers' | 'caller'>;

/**
 * DELETE …: ends a session on purpose, as TerminateStreamSession does, and marks it first, so that nobody takes the player
 * for lost. An operator says so in the header `x-ended-by`. The service's own refusal goes to the caller by its name.
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
  await markEnd(table, session, { endedBy, nowMs: clock.nowMs() });
  return orFailureReply(async () => {
    const termination = await callService(terminateStreamSession(session), {}, dependencies);
    if (!termination.ok) return refusedBy(termination.fault);
    await tellWindow(session, dependencies);
    return ENDED;
  });
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

export const leaveSessionRoute = defineRoute({
  settings: ['TERMINATIONS_PER_SECOND', 'READS_PER_SECOND', 'LISTS_PER_SECOND', 'USER_ID_CHECK'],
  clients: ['gameLiftStreams', 'stepFunctions'],
  decide: endSession,
});
