import { type SFNClient, StartSyncExecutionCommand } from '@aws-sdk/client-sfn';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { type PassThroughDependencies, passThrough } from '../shared/api/pass-through.ts';
import { InvalidRequestError, switchedOffReply } from '../shared/api/replies.ts';
import type { RequestOrigin } from '../shared/api/request.ts';
import { type ApiRequest, defineRoute } from '../shared/api/route.ts';
import { syncExecutionOptions } from '../shared/api/sync-execution.ts';
import { NO_REASON, type SessionKey, toAuditReason } from '../shared/contracts/index.ts';
import { requestExecutionName } from '../shared/contracts/names.ts';
import { callDependency } from '../shared/runtime/service-fault.ts';
import type { ReadSwitch } from '../shared/runtime/switch.ts';
import { createStreamSessionAdminShell } from '../shared/service/operations.ts';
import { type AuditDependencies, type AuditedRequest, record, recordAnyway } from './audit.ts';
import { type NamedReply, replyOfExecution, replyOfPassThrough } from './reply.ts';

export interface RequestAdminShellDependencies extends AuditDependencies, PassThroughDependencies {
  /** Of one attempt: a start that is repeated mints a second shell. */
  readonly stepFunctionsSingleAttempt: SFNClient;
  readonly readSwitch: ReadSwitch;
  readonly settings: AuditDependencies['settings'] & {
    readonly AWS_REGION: string;
    readonly CREATE_ADMIN_SHELL_ARN: string;
  };
}

/**
 * By when the service's reply must be here. API Gateway gives up after 29 s; until then one retry of Lambda's
 * own errors and the record of the result (2 s at worst) must fit in too.
 */
const CALLER_TIME_MS = 20_000;

/**
 * POST …/access: an admin shell for one operator, in the service's own shape. Its credentials go from the
 * synchronous execution into the reply and to nowhere else.
 *
 * The request is on record before the service is asked; if it cannot be, there is no shell. The result is
 * recorded after, and a bus that fails then withholds nothing: who, which session and why are known by then,
 * and a request without a result counts as granted. The switch changes who calls the service, not what is recorded.
 *
 * @throws InvalidRequestError naming the header.
 * @throws DependencyUnavailableException, UnexpectedError
 */
export async function requestAdminShell(
  { session, requestId }: ApiRequest,
  dependencies: RequestAdminShellDependencies,
  origin: RequestOrigin,
): Promise<APIGatewayProxyResult> {
  const { clock } = dependencies;
  const requestedAtMs = clock.nowMs();
  const switchState = await dependencies.readSwitch(dependencies.log);
  const executionName = requestExecutionName(session, requestId);
  let audited: AuditedRequest = {
    origin,
    requestedAtMs,
    session,
    ...(switchState === 'on' ? { executionName } : {}),
  };
  const refuse = (refusal: string) => recordAnyway(audited, { result: 'REFUSED', refusal }, dependencies);

  const reason = await recordIfFailed(
    () => parseReason(origin.headers),
    () => refuse('INVALID_REASON'),
  );
  audited = { ...audited, reason };
  if (switchState === 'refuse') {
    await refuse('SWITCHED_OFF');
    return switchedOffReply();
  }
  await recordIfFailed(
    () => record(audited, { result: 'REQUESTED' }, dependencies),
    () => refuse('NOT_RECORDED'),
  );
  const { result, reply } = await recordIfFailed(
    async () =>
      switchState === 'on'
        ? execute(session, executionName, requestedAtMs, dependencies)
        : replyOfPassThrough(await passThrough(createStreamSessionAdminShell(session), dependencies)),
    () => refuse('NO_ANSWER'),
  );
  await recordAnyway(audited, result, dependencies);
  return reply;
}

async function execute(
  session: SessionKey,
  name: string,
  requestedAtMs: number,
  { stepFunctionsSingleAttempt, clock, settings }: RequestAdminShellDependencies,
): Promise<NamedReply> {
  const execution = await callDependency(() =>
    stepFunctionsSingleAttempt.send(
      new StartSyncExecutionCommand({
        stateMachineArn: settings.CREATE_ADMIN_SHELL_ARN,
        name,
        input: JSON.stringify({ ...session, deadlineMs: requestedAtMs + CALLER_TIME_MS }),
      }),
      syncExecutionOptions(requestedAtMs, clock.nowMs()),
    ),
  );
  return replyOfExecution(execution, clock.nowMs());
}

/** A request whose path names no session is on record all the same. */
export async function recordInvalidPath(
  origin: RequestOrigin,
  dependencies: RequestAdminShellDependencies,
): Promise<void> {
  const requestedAtMs = dependencies.clock.nowMs();
  await recordAnyway({ origin, requestedAtMs }, { result: 'REFUSED', refusal: 'INVALID_PATH' }, dependencies);
}

/** Runs `work`; when it fails, `record` first, and fails then. */
async function recordIfFailed<Result>(
  work: () => Result | Promise<Result>,
  recordFailure: () => Promise<void>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    await recordFailure();
    throw error;
  }
}

/**
 * Returns the operator's own words for why, from the header x-reason, in the form of an audit record. A plain SDK client
 * sends none.
 *
 * @throws InvalidRequestError when the header is there and is not 1 to 256 printable ASCII characters, once.
 */
export function parseReason(headers: RequestOrigin['headers']): string {
  const [value, ...others] = headers.get('x-reason') ?? [];
  if (value === undefined) return NO_REASON;
  const reason = toAuditReason(value);
  if (others.length > 0 || reason === undefined) {
    throw new InvalidRequestError(
      'Send x-reason at most once: 1 to 256 printable ASCII characters, or 255 if it begins with =, +, - or @.',
    );
  }
  return reason;
}

export const requestAdminShellRoute = defineRoute({
  settings: ['EVENT_BUS_NAME', 'EVENT_SOURCE', 'CREATE_ADMIN_SHELL_ARN'],
  clients: ['stepFunctionsSingleAttempt', 'gameLiftStreams', 'eventBridge'],
  decide: requestAdminShell,
  onInvalidPath: recordInvalidPath,
});
