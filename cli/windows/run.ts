import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SFNClient } from '@aws-sdk/client-sfn';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { LOCAL_CREDENTIALS } from 'local-server-kit';
import type { Clock } from '../../functions/shared/runtime/clock.ts';
import type { Table } from '../../functions/shared/runtime/table.ts';
import { isOpen } from '../../functions/shared/window/window-item.ts';
import { apiClient } from '../admin-shell/api-client.ts';
import { parseEndpoint } from '../admin-shell/endpoint.ts';
import { asciiJson, explainUsageError, printable, USAGE_EXIT_CODE, UsageError } from '../command-line.ts';
import {
  type AuditArguments,
  type DrainArguments,
  type ListArguments,
  parseArguments,
  type RetryArguments,
  type ShowArguments,
  USAGE,
  type WindowsArguments,
} from './arguments.ts';
import { type ActResult, audited } from './audit.ts';
import { drainGroup, foretellDrain } from './drain-group.ts';
import { endSession } from './end-session.ts';
import { type FoundWindow, findWindows } from './find-windows.ts';
import { documentOf, listWindows, tableOf, type WindowList } from './list-windows.ts';
import { type Retried, type RetryDependencies, retryWindow } from './retry-window.ts';
import { showSession } from './show-session.ts';

export interface Surroundings {
  readonly clock: Clock;
  readonly tell: (text: string) => void;
  /** For what is told while something takes long; nothing is when it is absent. */
  readonly tellProgress?: (text: string) => void;
  /** Present when the output goes to a terminal, which --watch draws on. */
  readonly screen?: Screen;
}

export interface Screen {
  /** How many lines it has at the moment. */
  readonly rows: () => number;
  /** From this call on Ctrl-C does not end the process, but aborts the signal. */
  readonly catchStop: () => AbortSignal;
}

type Tell = (line: string) => void;

/**
 * @returns the exit code: 0 when it was done (retry: when every named window is with an execution or has its outcome),
 *   1 when it was not, when nothing is known of the session or AWS could not be called, 2 for a wrong call.
 */
export async function run(
  args: readonly string[],
  { clock, ...surroundings }: Surroundings,
): Promise<number> {
  const tell = (text: string) => surroundings.tell(printable(text));
  const tellLine = (line: string) => tell(`${line}\n`);
  const progress = progressTeller(clock, surroundings.tellProgress);
  let command: WindowsArguments['command'] | undefined;
  try {
    const parsed = parseArguments(args, clock.nowMs());
    if (parsed === 'help') {
      tell(USAGE);
      return 0;
    }
    command = parsed.command;
    const clients = new Clients(parsed.region);
    try {
      switch (parsed.command) {
        case 'list':
          return await list(parsed, clients.table(parsed), clock, { ...surroundings, tellLine, progress });
        case 'show':
          return await show(parsed, { ...clients.ofWindows(parsed), clock, progress, tellLine });
        case 'end': {
          const { client } = await apiClient(parseEndpoint(parsed.api), parsed.region);
          clients.add(client);
          const act = { command: 'END' as const, ...parsed.session, reason: parsed.reason };
          const ended = await audited(act, { ...clients.ofAudit(parsed), clock, tellLine }, () =>
            endSession(parsed, { client, clock, tellLine }),
          );
          return ended.failure === undefined ? 0 : 1;
        }
        case 'drain': {
          const dependencies = { ...clients.ofWindows(parsed), clock, tellLine, progress };
          if (parsed.dryRun) {
            await foretellDrain(parsed, dependencies);
            return 0;
          }
          const act = {
            command: 'DRAIN' as const,
            streamGroupId: parsed.group,
            streamSessionId: null,
            reason: parsed.reason,
          };
          const drained = await audited(act, { ...clients.ofAudit(parsed), clock, tellLine }, () =>
            drainGroup(parsed, dependencies),
          );
          return drained.failure === undefined ? 0 : 1;
        }
        case 'retry': {
          const dependencies = {
            ...clients.ofWindows(parsed),
            clock,
            stateMachineArn: parsed.stateMachineArn,
          };
          if (parsed.dryRun) return (await retryAll(parsed, dependencies, tellLine)).exitCode;
          const named = parsed.which.kind === 'SESSION' ? parsed.which.session : undefined;
          const act = {
            command: 'RETRY' as const,
            streamGroupId: named?.streamGroupId ?? null,
            streamSessionId:
              parsed.which.kind === 'SESSION_ID'
                ? parsed.which.streamSessionId
                : (named?.streamSessionId ?? null),
            reason: parsed.reason,
          };
          const retried = await audited(act, { ...clients.ofAudit(parsed), clock, tellLine }, () =>
            retryAll(parsed, dependencies, tellLine),
          );
          return retried.exitCode;
        }
      }
    } finally {
      clients.destroy();
    }
  } catch (error) {
    if (error instanceof UsageError) {
      tell(explainUsageError(error));
      return USAGE_EXIT_CODE;
    }
    const { name, message } = rootOf(error);
    tellLine(`Stopped: ${name}: ${message}`);
    if (command === 'retry') {
      tellLine('The windows above that say Started are with an execution. Run it again for the rest.');
    }
    if (command === 'drain') {
      tellLine('If a line above says that the group drains, the drain goes on. Run it again for the rest.');
    }
    return 1;
  }
}

const PROGRESS_EVERY_MS = 1000;

/** Tells how far a command is, once a second at most, and never in its first second. */
function progressTeller(clock: Clock, tellProgress: Tell | undefined): Tell {
  let nextMs = clock.nowMs() + PROGRESS_EVERY_MS;
  return (text) => {
    if (tellProgress === undefined || clock.nowMs() < nextMs) return;
    nextMs = clock.nowMs() + PROGRESS_EVERY_MS;
    tellProgress(`${printable(text)}\n`);
  };
}

const REDRAW_MS = 2000;
/** Moves the cursor to the top, and clears what is below it. */
const CLEAR_SCREEN = '\x1b[H\x1b[2J';

interface ListSurroundings {
  readonly tell: Tell;
  readonly tellLine: Tell;
  readonly progress: Tell;
  readonly screen?: Screen;
}

async function list(
  parsed: ListArguments,
  table: Table,
  clock: Clock,
  { tell, tellLine, progress, screen }: ListSurroundings,
): Promise<number> {
  const read = () => listWindows(table, parsed, () => clock.nowMs(), progress);
  if (!parsed.watch) {
    const listed = await read();
    if (parsed.json) tellLine(asciiJson(documentOf(listed, clock.nowMs()), 2));
    else for (const line of linesOf(listed, parsed)) tellLine(line);
    return listed.isComplete ? 0 : 1;
  }
  if (screen === undefined) throw new UsageError('--watch draws on a terminal.');
  const stop = screen.catchStop();
  while (!stop.aborted) {
    const startedAtMs = clock.nowMs();
    const lines = linesOf(await read(), parsed);
    const shown = Math.max(1, screen.rows() - 2);
    const cut =
      lines.length > shown
        ? [...lines.slice(0, shown - 1), `… and ${lines.length - shown + 1} more lines.`]
        : lines;
    tell(CLEAR_SCREEN);
    for (const line of [...cut, '', `${new Date(clock.nowMs()).toISOString()}. Ctrl-C stops.`])
      tellLine(line);
    // A long list is not read more than half of the time.
    await pause(clock, Math.max(REDRAW_MS, clock.nowMs() - startedAtMs), stop);
  }
  return 0;
}

function linesOf(listed: WindowList, { maxPages, state }: ListArguments): string[] {
  const { windows, isComplete } = listed;
  const what = state === 'FAILED' ? 'failed' : 'open';
  const lines = windows.length === 0 ? [] : tableOf(windows);
  lines.push(`${windows.length} ${what} ${windows.length === 1 ? 'window' : 'windows'}.`);
  if (!isComplete) lines.push(tooManyPages(maxPages));
  return lines;
}

function tooManyPages(maxPages: number): string {
  return `The table has more than ${maxPages} pages. Run it again with a larger --max-pages.`;
}

function pause(clock: Clock, delayMs: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      cancel();
      stop.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.setTimer(stop.aborted ? 0 : delayMs, end);
    // Removed at the end: a list may be watched all day.
    stop.addEventListener('abort', end);
  });
}

async function show(
  parsed: ShowArguments,
  {
    clock,
    tellLine,
    ...dependencies
  }: ReturnType<Clients['ofWindows']> & {
    readonly clock: Clock;
    readonly progress: Tell;
    readonly tellLine: Tell;
  },
): Promise<number> {
  const { stateMachineArn } = parsed;
  const lines = await showSession(parsed, { ...dependencies, stateMachineArn, nowMs: () => clock.nowMs() });
  if (lines === undefined) {
    tellLine(
      'No window of this session is known. The table keeps outcomes for OUTCOME_RETENTION_DAYS, and Step Functions keeps executions for 90 days.',
    );
    return 1;
  }
  for (const line of lines) tellLine(line);
  return 0;
}

async function retryAll(
  parsed: RetryArguments,
  dependencies: RetryDependencies,
  tellLine: (line: string) => void,
): Promise<ActResult & { readonly exitCode: number }> {
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
    tellLine(tooManyPages(maxPages));
  }
  return { windows: started, ...(isAllDone ? { exitCode: 0 } : { exitCode: 1, failure: 'NotAllDone' }) };
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

/** The clients of one command, so that all of them are closed at its end. */
class Clients {
  readonly #region: string | undefined;
  readonly #open: { destroy(): void }[] = [];

  constructor(region: string | undefined) {
    this.#region = region;
  }

  add<Client extends { destroy(): void }>(client: Client): Client {
    this.#open.push(client);
    return client;
  }

  /** @throws UsageError */
  table({ table, endpoint }: { readonly table: string; readonly endpoint: string | undefined }): Table {
    const client = this.add(new DynamoDBClient(localAt(endpoint, this.#region)));
    const marshallOptions = { removeUndefinedValues: true };
    return { documents: DynamoDBDocumentClient.from(client, { marshallOptions }), name: table };
  }

  /** @throws UsageError */
  ofWindows(parsed: ShowArguments | DrainArguments | RetryArguments) {
    const stepFunctions = this.add(new SFNClient(localAt(parsed.stepFunctionsEndpoint, this.#region)));
    return { table: this.table(parsed), stepFunctions };
  }

  /** @throws UsageError */
  ofAudit({ bus, eventSource, eventsEndpoint }: AuditArguments) {
    const { credentials, ...at } = localAt(eventsEndpoint, this.#region);
    const eventBridge = this.add(
      new EventBridgeClient({ ...at, ...(credentials === undefined ? {} : { credentials }) }),
    );
    const region = at.region === undefined ? {} : { region: at.region };
    // The local stack has no identities.
    const callerOf =
      credentials === undefined ? () => callerArn(this.add(new STSClient(region))) : async () => 'local';
    return { eventBridge, settings: { EVENT_BUS_NAME: bus, EVENT_SOURCE: eventSource }, callerOf };
  }

  destroy(): void {
    for (const client of this.#open) client.destroy();
  }
}

/** IAM cannot deny this call, so every identity learns its own name. */
async function callerArn(client: STSClient): Promise<string> {
  const { Arn = 'unknown' } = await client.send(new GetCallerIdentityCommand({}));
  return Arn;
}

/** @throws UsageError */
function localAt(endpoint: string | undefined, region: string | undefined) {
  const local = endpoint === undefined ? undefined : parseEndpoint(endpoint);
  const inRegion = region ?? local?.region;
  return {
    ...(inRegion === undefined ? {} : { region: inRegion }),
    ...(local === undefined ? {} : { endpoint: local.url }),
    ...(local?.isLocal === true ? { credentials: LOCAL_CREDENTIALS } : {}),
  };
}

function rootOf(error: unknown): { readonly name: string; readonly message: string } {
  if (!(error instanceof Error)) return { name: typeof error, message: '' };
  return error.cause instanceof Error ? rootOf(error.cause) : error;
}
