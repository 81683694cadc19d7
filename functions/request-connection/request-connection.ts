import {
  type SFNClient,
  StartSyncExecutionCommand,
  type StartSyncExecutionCommandOutput,
} from '@aws-sdk/client-sfn';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { bindClientToken, deterministicClientToken } from '../shared/api/client-tokens.ts';
import type { RequestOrigin } from '../shared/api/origin.ts';
import { InvalidRequestError, switchedOffReply } from '../shared/api/replies.ts';
import { type ApiRequest, defineRoute } from '../shared/api/route.ts';
import { syncExecutionOptions } from '../shared/api/sync-execution.ts';
import type { SessionKey } from '../shared/contracts/index.ts';
import { requestExecutionName } from '../shared/contracts/names.ts';
import { callDependency } from '../shared/runtime/service-fault.ts';
import type { ReadSwitch } from '../shared/runtime/switch.ts';
import type { SwitchState } from '../shared/runtime/switch-item.ts';
import type { ServiceDependencies } from '../shared/service/call-service.ts';
import { awaitTurn } from './await-turn.ts';
import { refuseStranger, refuseStrangerDirectly, userIdOf } from './check-user-id.ts';
import { parseConnectionBody } from './offer.ts';
import { passConnectionThrough } from './pass-through.ts';
import { type Answer, answerOf, answerOfTurn } from './reply.ts';

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
  const answer = ANSWERS[state];
  const { reply, result } = await answer({ ...request, startedAtMs }, { ...dependencies, log }, origin);
  log.info('ConnectionAnswered', {
    result,
    statusCode: reply.statusCode,
    durationMs: clock.nowMs() - startedAtMs,
  });
  return reply;
}

type Request = ApiRequest & { readonly startedAtMs: number };

type AnswerRequest = (
  request: Request,
  dependencies: RequestConnectionDependencies,
  origin: Pick<RequestOrigin, 'headers' | 'caller'>,
) => Promise<Answer>;

const ANSWERS: Readonly<Record<SwitchState, AnswerRequest>> = {
  on: reconnect,
  passThrough: async ({ session, body }, dependencies, origin) => {
    const stranger = await strangersAnswer(session, dependencies, origin, refuseStrangerDirectly);
    return stranger ?? passConnectionThrough(session, body, dependencies);
  },
  refuse: async () => ({ result: 'SWITCHED_OFF', reply: switchedOffReply() }),
};

async function reconnect(
  { session, requestId, body, startedAtMs }: Request,
  dependencies: RequestConnectionDependencies,
  origin: Pick<RequestOrigin, 'headers' | 'caller'>,
): Promise<Answer> {
  const { table, log, metrics } = dependencies;
  const { signalRequest, clientToken } = parseConnectionBody(body);
  log.info('ConnectionRequested');
  const stranger = await strangersAnswer(session, dependencies, origin, refuseStranger);
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
  if (turn.kind !== 'NOW') return answerOfTurn(turn);
  const input = { ...session, signalRequest, clientToken: token, deadlineMs: startedAtMs + CALLER_TIME_MS };
  const name = requestExecutionName(session, requestId);
  return answerOf(await execute(dependencies, name, input, startedAtMs), dependencies.random);
}

async function strangersAnswer(
  session: SessionKey,
  dependencies: RequestConnectionDependencies,
  origin: Pick<RequestOrigin, 'headers' | 'caller'>,
  refuse: typeof refuseStranger,
): Promise<Answer | undefined> {
  return dependencies.settings.USER_ID_CHECK ? refuse(session, userIdOf(origin), dependencies) : undefined;
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
