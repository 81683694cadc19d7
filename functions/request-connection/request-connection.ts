import {
  type SFNClient,
  StartSyncExecutionCommand,
  type StartSyncExecutionCommandOutput,
} from '@aws-sdk/client-sfn';
import type { APIGatewayProxyResult } from 'aws-lambda';
import type { ApiRequest } from '../shared/api/api-handler.ts';
import { InvalidRequestError } from '../shared/api/request-error.ts';
import type { Clock } from '../shared/clock.ts';
import { deterministicClientToken } from '../shared/hash.ts';
import type { Log } from '../shared/logging.ts';
import { requestExecutionName } from '../shared/naming.ts';
import { callDependency } from '../shared/service-fault.ts';
import { bindClientToken } from '../shared/table/client-tokens.ts';
import type { Table } from '../shared/table/table.ts';
import { answerOf, answerOfTurn } from './answer.ts';
import { awaitTurn } from './await-turn.ts';
import { parseConnectionBody } from './parse-body.ts';

export interface RequestConnectionDependencies {
  readonly stepFunctions: SFNClient;
  readonly table: Table;
  readonly clock: Clock;
  /** 0 ≤ random() < 1. */
  readonly random: () => number;
  readonly log: Log;
  readonly settings: {
    readonly AWS_REGION: string;
    readonly CREATE_CONNECTION_ARN: string;
    readonly CONNECTIONS_PER_SECOND: number;
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
 * is told when to come back if that is far. The offer goes to the synchronous execution and to nowhere else.
 *
 * @throws InvalidRequestError naming the field.
 * @throws DependencyUnavailableException
 */
export async function requestConnection(
  { session, requestId, body }: ApiRequest,
  dependencies: RequestConnectionDependencies,
): Promise<APIGatewayProxyResult> {
  const { table, clock } = dependencies;
  const startedAtMs = clock.nowMs();
  const { signalRequest, clientToken } = parseConnectionBody(body);
  const executionName = requestExecutionName(session, requestId);
  const log = dependencies.log.with({ executionName });
  log.info('ConnectionRequested');
  if (clientToken !== undefined) {
    const binding = { clientToken, signalRequest, nowMs: startedAtMs };
    if (!(await bindClientToken(table, session, binding))) {
      throw new InvalidRequestError(
        'ClientToken was used with another SignalRequest before; a new offer needs a new one.',
      );
    }
  }
  const token = clientToken ?? deterministicClientToken(session, signalRequest);
  const turn = await awaitTurn(session, token, dependencies);
  const { reply, result } =
    turn.kind === 'NOW'
      ? answerOf(
          await execute(dependencies, executionName, {
            ...session,
            signalRequest,
            clientToken: token,
            deadlineMs: startedAtMs + CALLER_TIME_MS,
          }),
        )
      : answerOfTurn(turn);
  log.info('ConnectionAnswered', {
    result,
    statusCode: reply.statusCode,
    durationMs: clock.nowMs() - startedAtMs,
  });
  return reply;
}

function execute(
  { stepFunctions, settings }: RequestConnectionDependencies,
  name: string,
  input: object,
): Promise<StartSyncExecutionCommandOutput> {
  return callDependency(() =>
    stepFunctions.send(
      new StartSyncExecutionCommand({
        stateMachineArn: settings.CREATE_CONNECTION_ARN,
        name,
        input: JSON.stringify(input),
      }),
    ),
  );
}
