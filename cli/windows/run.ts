import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SFNClient } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { LOCAL_CREDENTIALS } from 'local-server-kit';
import type { Clock } from '../../functions/shared/runtime/clock.ts';
import { isOpen } from '../../functions/shared/window/window-item.ts';
import { parseEndpoint } from '../admin-shell/endpoint.ts';
import { explainUsageError, printable, USAGE_EXIT_CODE, UsageError } from '../command-line.ts';
import { parseArguments, type RetryArguments, USAGE } from './arguments.ts';
import { type FoundWindow, findWindows } from './find-windows.ts';
import { type Retried, type RetryDependencies, retryWindow } from './retry-window.ts';

export interface Surroundings {
  readonly clock: Clock;
  readonly tell: (text: string) => void;
}

/**
 * @returns the exit code: 0 when every named window is with an execution or has its outcome, 1 when one is not or
 *   AWS could not be called, 2 for a wrong call.
 */
export async function run(
  args: readonly string[],
  { clock, ...surroundings }: Surroundings,
): Promise<number> {
  const tell = (text: string) => surroundings.tell(printable(text));
  const tellLine = (line: string) => tell(`${line}\n`);
  try {
    const parsed = parseArguments(args, clock.nowMs());
    if (parsed === 'help') {
      tell(USAGE);
      return 0;
    }
    const clients = clientsOf(parsed);
    const { stateMachineArn } = parsed;
    try {
      return await retryAll(parsed, { ...clients, clock, stateMachineArn }, tellLine);
    } finally {
      clients.table.documents.destroy();
      clients.stepFunctions.destroy();
    }
  } catch (error) {
    if (error instanceof UsageError) {
      tell(explainUsageError(error));
      return USAGE_EXIT_CODE;
    }
    const { name, message } = rootOf(error);
    tellLine(
      `Stopped: ${name}: ${message}\nWindows that are told above as started are. Run it again for the rest.`,
    );
    return 1;
  }
}

async function retryAll(
  parsed: RetryArguments,
  dependencies: RetryDependencies,
  tellLine: (line: string) => void,
): Promise<number> {
  const { which, dryRun, maxPages } = parsed;
  const found = await findWindows(dependencies.table, parsed);
  const isNamed = which.kind !== 'FAILED_SINCE';
  const chosen = found.windows.filter(({ window }) => isNamed || window.failure !== 'SessionNotFound');
  let started = 0;
  let isAllDone = found.complete && !(isNamed && chosen.length === 0);
  for (const one of chosen) {
    if (dryRun) {
      tellLine(`${describeWindow(one)}`);
      continue;
    }
    const retried = await retryWindow(one, dependencies);
    if (retried.kind === 'STARTED') started++;
    if (retried.kind === 'CHANGED_MEANWHILE') isAllDone = false;
    tellLine(`${describeWindow(one)}. ${describeRetry(retried)}`);
  }
  if (isNamed && chosen.length === 0) tellLine('The table has no window of this session.');
  const leftOut = found.windows.length - chosen.length;
  if (!isNamed) {
    const skipped = leftOut === 0 ? '' : `, ${leftOut} left out (SessionNotFound)`;
    const done = dryRun ? 'nothing was changed' : `${started} started`;
    tellLine(`${chosen.length} failed ${chosen.length === 1 ? 'window' : 'windows'}${skipped}; ${done}.`);
  }
  if (!found.complete) {
    tellLine(`The table has more than ${maxPages} pages. Run it again with a larger --max-pages.`);
  }
  return isAllDone ? 0 : 1;
}

function describeWindow({ session, window }: FoundWindow): string {
  const name = `${session.streamGroupId}/${session.streamSessionId} window ${window.generation}`;
  if (window.outcome !== undefined) return `${name}: closed`;
  if (isOpen(window)) return `${name}: open`;
  const since = window.closedAtMs === undefined ? '' : ` at ${new Date(window.closedAtMs).toISOString()}`;
  return `${name}: failed${since} with ${window.failure ?? 'no error'}`;
}

function describeRetry(retried: Retried): string {
  switch (retried.kind) {
    case 'STARTED':
      return `Started: ${retried.executionName}`;
    case 'OPEN':
      return `Nothing to retry: ${retried.executionName} has it`;
    case 'HAS_OUTCOME':
      return `Nothing to retry: its outcome is ${retried.outcome}`;
    case 'CHANGED_MEANWHILE':
      return 'Not retried: it has changed meanwhile. Run it again';
  }
}

function clientsOf({ table, region, endpoint, stepFunctionsEndpoint }: RetryArguments) {
  const documents = DynamoDBDocumentClient.from(new DynamoDBClient({ region, ...localAt(endpoint) }));
  const stepFunctions = new SFNClient({ region, ...localAt(stepFunctionsEndpoint) });
  return { table: { documents, name: table }, stepFunctions };
}

/** @throws UsageError */
function localAt(endpoint: string | undefined) {
  if (endpoint === undefined) return {};
  const { url, isLocal } = parseEndpoint(endpoint);
  return { endpoint: url, ...(isLocal ? { credentials: LOCAL_CREDENTIALS } : {}) };
}

function rootOf(error: unknown): { readonly name: string; readonly message: string } {
  if (!(error instanceof Error)) return { name: typeof error, message: '' };
  return error.cause instanceof Error ? rootOf(error.cause) : error;
}
