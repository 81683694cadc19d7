import type { z } from 'zod';
import { streamSessionIdIn } from '../protocol/identifiers.ts';
import type { Call, OperationName } from '../protocol/routes.ts';
import { accessNotReady, conflict, resourceNotFound, validation } from '../protocol/service-error.ts';
import {
  createConnectionInput,
  listByAccountInput,
  listInput,
  listMembers,
  parseInput,
  startStreamSessionInput,
  streamSessionInput,
} from '../protocol/validation.ts';
import { allowsAdminShell, newAdminShell } from '../sessions/admin-shells.ts';
import { answerTo, NO_CLIENT_CONNECTION } from '../sessions/answers.ts';
import type { ConnectionAttempt } from '../sessions/connection-attempt.ts';
import { fingerprintOf, sha256 } from '../sessions/idempotency.ts';
import { beginConnection, mayBecome } from '../sessions/lifecycle.ts';
import type { ClientAnswer, StreamClients } from '../sessions/stream-clients.ts';
import { hostsSessions } from '../sessions/stream-group.ts';
import type { StreamSession } from '../sessions/stream-session.ts';
import type { World } from '../sessions/world.ts';
import { describeSession } from './describe.ts';
import { listPage } from './listing.ts';
import {
  authorizedStreamGroup,
  createStreamGroup,
  deleteStreamGroup,
  getStreamGroup,
  listStreamGroups,
  listTagsForResource,
  tagResource,
  untagResource,
} from './stream-groups.ts';

export interface OperationResult {
  readonly httpStatus: number;
  readonly body?: object;
  /** Answered from an earlier call with the same ClientToken. */
  readonly isReplay?: boolean;
}

export interface OperationContext {
  readonly world: World;
  readonly call: Call;
  /** The body's members; read only where there is a body, so that its errors are the operation's. */
  readonly members: () => Readonly<Record<string, unknown>>;
  /** Waits until the clock shows `atMs` or later. */
  readonly waitUntil: (atMs: number) => Promise<void>;
  /** Where offers from browsers are answered by real peers. */
  readonly clients?: StreamClients | undefined;
}

type Operation = (context: OperationContext) => OperationResult | Promise<OperationResult>;

/** @throws ServiceError each of the documented errors */
export const OPERATIONS: Readonly<Record<OperationName, Operation>> = {
  StartStreamSession: startStreamSession,
  GetStreamSession: getStreamSession,
  ListStreamSessions: listStreamSessions,
  ListStreamSessionsByAccount: listStreamSessionsByAccount,
  TerminateStreamSession: terminateStreamSession,
  CreateStreamSessionConnection: createStreamSessionConnection,
  CreateStreamSessionAdminShell: createStreamSessionAdminShell,
  CreateStreamGroup: createStreamGroup,
  DeleteStreamGroup: deleteStreamGroup,
  GetStreamGroup: getStreamGroup,
  ListStreamGroups: listStreamGroups,
  ListTagsForResource: listTagsForResource,
  TagResource: tagResource,
  UntagResource: untagResource,
};

async function startStreamSession(context: OperationContext): Promise<OperationResult> {
  const input = parseInput(startStreamSessionInput, { ...context.members(), ...context.call.labels });
  return withClientAnswer(context, input.SignalRequest, (client) => startWith(context, input, client));
}

function startWith(
  { world }: OperationContext,
  input: z.output<typeof startStreamSessionInput>,
  client: ClientAnswer | undefined,
): OperationResult {
  const nowMs = world.settle();
  const group = authorizedStreamGroup(world, input.Identifier);
  const { ClientToken: token, ...parameters } = input;
  const fingerprint = fingerprintOf({ ...parameters, Identifier: group.streamGroupId });
  const earlier = world.startTokens.find(token, fingerprint, nowMs);
  if (earlier !== undefined) {
    refuseRepeat(world);
    return { httpStatus: 201, body: earlier, isReplay: true };
  }
  if (!hostsSessions(group)) {
    throw validation(`The stream group cannot host sessions while its status is ${group.status}.`);
  }
  const session = world.addSession(group, input, undefined, client?.answer);
  client?.keep(session);
  const body = describeSession(session, world);
  world.startTokens.remember(token, fingerprint, nowMs, body);
  return { httpStatus: 201, body };
}

function getStreamSession({ world, call }: OperationContext): OperationResult {
  world.settle();
  const input = parseInput(streamSessionInput, call.labels);
  return { httpStatus: 200, body: describeSession(findSession(world, input), world) };
}

function listStreamSessions({ world, call }: OperationContext): OperationResult {
  world.settle();
  const input = parseInput(listInput, { ...listMembers(call.query), ...call.labels });
  const { streamGroupId } = authorizedStreamGroup(world, input.Identifier);
  return { httpStatus: 200, body: listPage(world, streamGroupId, input) };
}

function listStreamSessionsByAccount({ world, call }: OperationContext): OperationResult {
  world.settle();
  const input = parseInput(listByAccountInput, listMembers(call.query));
  return { httpStatus: 200, body: listPage(world, undefined, input) };
}

function terminateStreamSession({ world, call }: OperationContext): OperationResult {
  const nowMs = world.settle();
  const session = findSession(world, parseInput(streamSessionInput, call.labels));
  if (session.status === 'ACTIVATING') {
    throw validation('The stream session cannot be terminated while its status is ACTIVATING.');
  }
  // Allowed, and without effect, in a session that is ending or has ended.
  if (mayBecome(session, 'TERMINATING')) world.become(session, { status: 'TERMINATING', atMs: nowMs });
  return { httpStatus: 204 };
}

async function createStreamSessionConnection(context: OperationContext): Promise<OperationResult> {
  const input = parseInput(createConnectionInput, { ...context.members(), ...context.call.labels });
  return withClientAnswer(context, input.SignalRequest, (client) => connectWith(context, input, client));
}

/**
 * A peer takes some milliseconds to answer, so it is asked before the operation looks at anything: what follows
 * is one step. A peer whose answer no session has kept by then is let go.
 */
async function withClientAnswer(
  { clients }: OperationContext,
  signalRequest: string,
  operate: (client: ClientAnswer | undefined) => OperationResult | Promise<OperationResult>,
): Promise<OperationResult> {
  if (clients === undefined) return operate(undefined);
  const answer = await clients.answer(signalRequest);
  try {
    return await operate(answer);
  } finally {
    answer?.discardUnlessKept();
  }
}

async function connectWith(
  context: OperationContext,
  input: z.output<typeof createConnectionInput>,
  client: ClientAnswer | undefined,
): Promise<OperationResult> {
  const { world } = context;
  const nowMs = world.settle();
  const session = findSession(world, input);
  const settings = world.settingsOf(session);
  const { ClientToken: token, SignalRequest: signalRequest } = input;
  const fingerprint = fingerprintOf({ arn: session.arn, signalRequest });

  const earlier = world.connectionTokens.find(token, fingerprint, nowMs);
  if (earlier !== undefined) {
    refuseRepeat(world);
    // Calls that come while the first is under way wait for the same effect.
    const body = await answerOf(context, session, earlier);
    return { httpStatus: 200, body, isReplay: true };
  }

  // The documentation asks for a new offer and does not name the error: our reading is ValidationException.
  const firstOffer = session.parameters.SignalRequest;
  if (signalRequest === firstOffer || signalRequest === NO_CLIENT_CONNECTION) {
    throw validation('The SignalRequest must be newly generated, not the one given to StartStreamSession.');
  }
  const group = world.streamGroup(session.streamGroupId);
  if (group === undefined || !hostsSessions(group)) throw wrongConnectionGroup(world);
  if (!mayBecome(session, 'RECONNECTING')) throw wrongConnectionStatus(world, session);

  const attempt: ConnectionAttempt = {
    acceptedAtMs: nowMs,
    readyAtMs: nowMs + settings.connectionMs,
    clientToken: token,
    signalRequest,
    signalRequestSha256: sha256(signalRequest),
    answer: client?.answer ?? answerTo(signalRequest, world.nextSerial(), world.random),
    outcome: 'underWay',
  };
  client?.keep(session);
  beginConnection(session, attempt, settings);
  world.watch(session);
  world.connectionTokens.remember(token, fingerprint, nowMs, attempt);
  try {
    return { httpStatus: 200, body: await answerOf(context, session, attempt) };
  } catch (error) {
    world.connectionTokens.forget(token, attempt);
    throw error;
  }
}

/** "Idempotency token" is all that the documentation says: it may be an error to come twice. */
function refuseRepeat({ settings }: World): void {
  if (settings.repeatedClientToken === 'conflict') throw conflict('The ClientToken has been used already.');
}

async function answerOf(
  { world, waitUntil }: OperationContext,
  session: StreamSession,
  attempt: ConnectionAttempt,
): Promise<object> {
  await waitUntil(attempt.readyAtMs);
  world.settle();
  if (attempt.outcome === 'answered' && attempt.answer.kind === 'answer') {
    return { SignalResponse: attempt.answer.signalResponse };
  }
  // The documentation says what becomes of the session (ERROR, invalidSignalRequest), not of the call.
  if (attempt.outcome === 'invalidSignalRequest') throw validation('The SignalRequest is not valid.');
  throw wrongConnectionStatus(world, session);
}

/**
 * 409 or 400, as the settings say. ConflictException is modelled for this operation and nowhere explained; for
 * other operations the wrong status is documented as 400. Clients must survive both.
 */
function wrongConnectionStatus(world: World, session: StreamSession) {
  const message = `The stream session cannot be connected to while its status is ${session.status}.`;
  return world.settings.wrongStatusConnectionHttpStatus === 409 ? conflict(message) : validation(message);
}

/** "The stream group must be ACTIVE": the documentation does not name the error, so it is as for a session's wrong status. */
function wrongConnectionGroup({ settings }: World) {
  const message = 'The stream session cannot be connected to while its stream group is not ACTIVE.';
  return settings.wrongStatusConnectionHttpStatus === 409 ? conflict(message) : validation(message);
}

function createStreamSessionAdminShell({ world, call }: OperationContext): OperationResult {
  const nowMs = world.settle();
  const session = findSession(world, parseInput(streamSessionInput, call.labels));
  if (!allowsAdminShell(session.status)) {
    if (world.settings.wrongStatusAdminShellHttpStatus === 404) throw resourceNotFound('stream session');
    throw validation(`The stream session cannot be accessed while its status is ${session.status}.`);
  }
  if (!world.readiness.isReady(session.streamSessionId, nowMs)) throw accessNotReady();
  session.adminShells++;
  return { httpStatus: 200, body: newAdminShell(world.account.region, world.nextSerial(), world.random) };
}

function findSession(
  world: World,
  input: { readonly Identifier: string; readonly StreamSessionIdentifier: string },
): StreamSession {
  const { streamGroupId } = authorizedStreamGroup(world, input.Identifier);
  const id = streamSessionIdIn(world.account, streamGroupId, input.StreamSessionIdentifier);
  const session = id === undefined ? undefined : world.session(id);
  if (session?.streamGroupId !== streamGroupId) throw resourceNotFound('stream session');
  return session;
}
