import {
  type SFNClient,
  StartSyncExecutionCommand,
  type StartSyncExecutionCommandOutput,
} from '@aws-sdk/client-sfn';
import type { APIGatewayProxyResult } from 'aws-lambda';
import * as z from 'zod';
import { refuseStranger, refuseStrangerDirectly, userIdOf } from '../shared/api/check-user-id.ts';
import { type PassThroughDependencies, passThrough } from '../shared/api/pass-through.ts';
import { InvalidRequestError, type NamedReply, okReply, switchedOffReply } from '../shared/api/replies.ts';
import type { RequestOrigin } from '../shared/api/request.ts';
import { type ApiRequest, defineRoute } from '../shared/api/route.ts';
import { syncExecutionOptions } from '../shared/api/sync-execution.ts';
import type { SessionKey } from '../shared/contracts/index.ts';
import { requestExecutionName } from '../shared/contracts/names.ts';
import { isKnownError } from '../shared/runtime/errors.ts';
import { callDependency } from '../shared/runtime/service-fault.ts';
import type { ReadSwitch, SwitchState } from '../shared/runtime/switch.ts';
import { parseJson } from '../shared/runtime/text.ts';
import type { ServiceDependencies } from '../shared/service/call-service.ts';
import { createStreamSessionConnection } from '../shared/service/operations.ts';
import { awaitTurn } from './await-turn.ts';
import { bindClientToken, deterministicClientToken, parseConnectionBody } from './offer.ts';
import { replyOfExecution, replyOfFailure, replyOfTurn } from './reply.ts';

export interface RequestConnectionDependencies extends ServiceDependencies {
  readonly stepFunctions: SFNClient;
  readonly readSwitch: ReadSwitch;
  /** 0 ≤ random() < 1. */
  readonly random: () => number;
  readonly settings: {
    readonly AWS_REGION: string;
    readonly CREATE_CONNECTION_ARN: string;
    readonly CONNECTIONS_PER_SECOND: number;
    readonly READS_PER_SECOND: number;
    readonly LISTS_PER_SECOND: number;
    readonly USER_ID_CHECK: boolean;
    readonly DEFAULT_CONNECTION_TIMEOUT_SECONDS: number;
  };
}

/**
 * How long an attempt may still begin. API Gateway gives up after 29 s; until then one retry's wait (4 s) and
 * the signal to the window (7 s at worst) must fit in too, and they never come together.
 */
const CALLER_TIME_MS = 20_000;

/**
 * POST …/connections: one offer of a player, answered in the service's own shape. It waits for its turn first, and
 * is told when to come back if that is far. The offer goes to the synchronous execution and to nowhere else; to the
 * service itself while the switch says `passThrough`.
 *
 * @throws InvalidRequestError naming the field or header.
 * @throws DependencyUnavailableException
 */
export async function requestConnection(
  request: ApiRequest,
  dependencies: RequestConnectionDependencies,
  origin: Pick<RequestOrigin, 'headers' | 'caller'>,
): Promise<APIGatewayProxyResult> {
  const { clock } = dependencies;
  const startedAtMs = clock.nowMs();
  const state = await dependencies.readSwitch(dependencies.log, dependencies.metrics);
  const log = dependencies.log.with(
    state === 'on'
      ? { executionName: requestExecutionName(request.session, request.requestId) }
      : { switch: state },
  );
  const handle = HANDLERS[state];
  const { reply, result } = await handle({ ...request, startedAtMs }, { ...dependencies, log }, origin);
  log.info('ConnectionAnswered', {
    result,
    statusCode: reply.statusCode,
    durationMs: clock.nowMs() - startedAtMs,
  });
  return reply;
}

type Request = ApiRequest & { readonly startedAtMs: number };

type HandleRequest = (
  request: Request,
  dependencies: RequestConnectionDependencies,
  origin: Pick<RequestOrigin, 'headers' | 'caller'>,
) => Promise<NamedReply>;

const HANDLERS: Readonly<Record<SwitchState, HandleRequest>> = {
  on: reconnect,
  passThrough: async ({ session, body }, dependencies, origin) => {
    const stranger = await refusalOfStranger(session, dependencies, origin, refuseStrangerDirectly);
    return stranger ?? passConnectionThrough(session, body, dependencies);
  },
  refuse: async () => ({ result: 'SWITCHED_OFF', reply: switchedOffReply() }),
};

async function reconnect(
  { session, requestId, body, startedAtMs }: Request,
  dependencies: RequestConnectionDependencies,
  origin: Pick<RequestOrigin, 'headers' | 'caller'>,
): Promise<NamedReply> {
  const { table, log, metrics } = dependencies;
  const { signalRequest, clientToken } = parseConnectionBody(body);
  log.info('ConnectionRequested');
  const stranger = await refusalOfStranger(session, dependencies, origin, refuseStranger);
  if (stranger !== undefined) return stranger;
  if (clientToken !== undefined) {
    const binding = { clientToken, signalRequest, nowMs: startedAtMs, caller: origin.caller.name };
    if (!(await bindClientToken(table, session, binding))) {
      throw new InvalidRequestError(
        'ClientToken was used with another SignalRequest before; a new offer needs a new one.',
        'CLIENT_TOKEN_REUSED',
      );
    }
  }
  const token = clientToken ?? deterministicClientToken(session, signalRequest);
  const turn = await awaitTurn(session, token, dependencies);
  if (turn.kind === 'LATER') metrics.add('RequestsPutOff', 1);
  if (turn.kind === 'NOT_IN_TIME') metrics.add('RequestsNotInTime', 1);
  if (turn.kind !== 'NOW') return replyOfTurn(turn);
  const input = { ...session, signalRequest, clientToken: token, deadlineMs: startedAtMs + CALLER_TIME_MS };
  const name = requestExecutionName(session, requestId);
  return replyOfExecution(await execute(dependencies, name, input, startedAtMs), dependencies.random);
}

async function refusalOfStranger(
  session: SessionKey,
  dependencies: RequestConnectionDependencies,
  origin: Pick<RequestOrigin, 'headers' | 'caller'>,
  refuse: typeof refuseStranger,
): Promise<NamedReply | undefined> {
  if (!dependencies.settings.USER_ID_CHECK) return undefined;
  const userId = userIdOf(origin);
  try {
    return await refuse(session, userId, dependencies);
  } catch (error) {
    if (!(error instanceof Error) || !isKnownError(error) || !WITH_A_REPLY.has(error.name)) throw error;
    return replyOfFailure(error.name);
  }
}

/** Failures of the check's read that become the reply that the same error of the call would get. */
const WITH_A_REPLY: ReadonlySet<string> = new Set([
  'ServiceAccessDeniedException',
  'ThrottlingException',
  'PermitNotAvailableException',
  'InternalServerException',
]);

/** No more than the call needs: our own rules for offers may be what has to be got out of the way. */
const bodySchema = z.object({ SignalRequest: z.string().min(1), ClientToken: z.string().min(1).nullish() });

/**
 * The offer goes to the service as it came, once. The token of a caller who gave none is the usual one, so that a
 * repeat is the same request, whatever the switch's state was at the first.
 *
 * Why: docs/decisions/off-switch.md#a-call-that-passes-through-has-only-our-clienttoken-and-our-check-of-the-user
 *
 * @throws InvalidRequestError when there is no offer to hand on.
 */
export async function passConnectionThrough(
  session: SessionKey,
  text: string,
  dependencies: PassThroughDependencies,
): Promise<NamedReply> {
  const body = bodySchema.safeParse(parseJson(text));
  if (!body.success) {
    throw new InvalidRequestError('The body must be a JSON object with the member SignalRequest.');
  }
  const { SignalRequest: signalRequest, ClientToken: clientToken } = body.data;
  const offer = {
    signalRequest,
    clientToken: clientToken ?? deterministicClientToken(session, signalRequest),
  };
  const connection = await passThrough(createStreamSessionConnection(session, offer), dependencies);
  if (!connection.ok) return { result: connection.error, reply: connection.reply };
  dependencies.metrics.add('ConnectionsCreated', 1);
  const { SignalResponse } = connection.reply;
  return { result: 'CONNECTION_CREATED', reply: okReply({ SignalResponse }) };
}

function execute(
  { stepFunctions, clock, settings }: RequestConnectionDependencies,
  name: string,
  input: object,
  startedAtMs: number,
): Promise<StartSyncExecutionCommandOutput> {
  return callDependency(() =>
    stepFunctions.send(
      new StartSyncExecutionCommand({
        stateMachineArn: settings.CREATE_CONNECTION_ARN,
        name,
        input: JSON.stringify(input),
      }),
      syncExecutionOptions(startedAtMs, clock.nowMs()),
    ),
  );
}

export const requestConnectionRoute = defineRoute({
  settings: [
    'CREATE_CONNECTION_ARN',
    'CONNECTIONS_PER_SECOND',
    'READS_PER_SECOND',
    'LISTS_PER_SECOND',
    'DEFAULT_CONNECTION_TIMEOUT_SECONDS',
    'USER_ID_CHECK',
  ],
  clients: ['stepFunctions', 'gameLiftStreams'],
  decide: requestConnection,
});
