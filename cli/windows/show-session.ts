import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { OutcomeDetail, SessionKey } from '../../functions/shared/contracts/index.ts';
import { type WindowOutput, windowOutputSchema } from '../../functions/shared/contracts/machine-outputs.ts';
import { windowExecutionArn } from '../../functions/shared/contracts/names.ts';
import { sessionPartition } from '../../functions/shared/contracts/table-keys.ts';
import { readLine } from '../../functions/shared/quota/line.ts';
import { type Place, placeOf } from '../../functions/shared/quota/places.ts';
import { attempt, callDependency } from '../../functions/shared/runtime/service-fault.ts';
import type { RawItem, Table } from '../../functions/shared/runtime/table.ts';
import { parseJson } from '../../functions/shared/runtime/text.ts';
import { storedOutcomeSchema } from '../../functions/shared/window/publish-outcome.ts';
import { isOpen, type WindowItem, windowItemSchema } from '../../functions/shared/window/window-item.ts';
import type { NamedSession, ShowArguments } from './arguments.ts';
import { findWindows } from './find-windows.ts';
import { describeWait, earlyEndOf, placeInLine } from './list-windows.ts';
import { type ExecutionInput, executionInputSchema, tellHistory, timeOf } from './tell-history.ts';

export interface ShowDependencies {
  readonly table: Table;
  readonly stepFunctions: SFNClient;
  readonly stateMachineArn: string;
  readonly nowMs: () => number;
  readonly progress: (text: string) => void;
}

/** Windows of one session whose histories are told; of those before them only the outcome is. */
const TOLD_IN_FULL = 20;
/** A session lives 24 h at most. More windows than that are not looked for. */
const MOST_WINDOWS = 10_000;

/** What Step Functions keeps of one window: 90 days. */
interface Execution {
  readonly status: string;
  readonly startMs: number;
  readonly input: ExecutionInput | undefined;
  readonly output: WindowOutput | undefined;
  readonly error: string | undefined;
}

/**
 * Tells what happened to a session's player: every window with its outcome, and what happened in it. The table keeps
 * outcomes for OUTCOME_RETENTION_DAYS, and Step Functions keeps executions for 90 days; each tells what the other has not.
 *
 * @returns the lines, or undefined when neither knows a window of the session.
 * @throws DependencyUnavailableException, UnexpectedError
 */
export async function showSession(
  { which, maxPages }: Pick<ShowArguments, 'which' | 'maxPages'>,
  dependencies: ShowDependencies,
): Promise<string[] | undefined> {
  const session = await identify(which, maxPages, dependencies);
  if (session === undefined) return undefined;
  const items = await readSessionItems(dependencies.table, session);
  const generations = await generationsOf(session, items, dependencies);
  if (generations === 0) return undefined;
  const lines = [
    `Session ${session.streamGroupId}/${session.streamSessionId}: ${count(generations, 'window')}. All times are UTC.`,
  ];
  for (let generation = 1; generation <= generations; generation++) {
    const isInFull = generation > generations - TOLD_IN_FULL;
    lines.push('', ...(await tellWindow(session, generation, items, isInFull, dependencies)));
  }
  return lines;
}

/** Finds the stream group of a session by its first window's execution; else in the table. */
async function identify(
  which: NamedSession,
  maxPages: number,
  dependencies: ShowDependencies,
): Promise<SessionKey | undefined> {
  if (which.kind === 'SESSION') return which.session;
  const { streamSessionId } = which;
  const first = await readExecution({ streamGroupId: '', streamSessionId }, 1, dependencies);
  if (first?.input !== undefined) return { streamGroupId: first.input.streamGroupId, streamSessionId };
  dependencies.progress('Looking for the session in the whole table …');
  const { windows } = await findWindows(dependencies.table, { which, maxPages });
  return windows[0]?.session;
}

interface SessionItems {
  readonly window: WindowItem | undefined;
  readonly outcomes: ReadonlyMap<number, OutcomeDetail>;
  readonly place: Place | undefined;
}

async function readSessionItems(table: Table, session: SessionKey): Promise<SessionItems> {
  const items: RawItem[] = [];
  let start: Record<string, unknown> | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await callDependency(() =>
      table.documents.send(
        new QueryCommand({
          TableName: table.name,
          KeyConditionExpression: 'pk = :session',
          ExpressionAttributeValues: { ':session': sessionPartition(session) },
          ConsistentRead: true,
          ExclusiveStartKey: start,
        }),
      ),
    );
    items.push(...Items);
    start = LastEvaluatedKey;
  } while (start !== undefined);
  const window = items.find(({ sk }) => sk === 'window');
  const place = items.find(({ sk }) => sk === 'place');
  const outcomes = items
    .filter(({ sk }) => String(sk).startsWith('outcome#'))
    .map((item) => storedOutcomeSchema.parse(item));
  return {
    window: window === undefined ? undefined : windowItemSchema.parse(window),
    place: place === undefined ? undefined : placeOf(place),
    outcomes: new Map(outcomes.map((outcome) => [outcome.generation, outcome])),
  };
}

/** Windows are numbered from 1. Where the table has lost them, the executions' names tell how many there were. */
async function generationsOf(
  session: SessionKey,
  { window, outcomes }: SessionItems,
  dependencies: ShowDependencies,
): Promise<number> {
  const known = Math.max(window?.generation ?? 0, ...outcomes.keys());
  if (known > 0) return Math.min(known, MOST_WINDOWS);
  let generation = 0;
  while (
    generation < MOST_WINDOWS &&
    (await readExecution(session, generation + 1, dependencies)) !== undefined
  ) {
    generation++;
  }
  return generation;
}

async function tellWindow(
  session: SessionKey,
  generation: number,
  { window, outcomes, place }: SessionItems,
  isInFull: boolean,
  dependencies: ShowDependencies,
): Promise<string[]> {
  const outcome = outcomes.get(generation);
  const present = window?.generation === generation ? window : undefined;
  const execution = isInFull ? await readExecution(session, generation, dependencies) : undefined;
  const lines = [`Window ${generation}: ${headingOf(outcome, execution, present)}`];
  lines.push(...factsOf(outcome, execution));
  if (execution === undefined) {
    if (outcome !== undefined) lines.push(...tellOutcome(outcome));
    else if (present !== undefined)
      lines.push(line(present.disconnectedAtMs, 'The player lost the connection.'));
    if (isInFull) lines.push('  Step Functions has no execution of it: they are kept for 90 days.');
  } else {
    const history = await readHistory(session, generation, dependencies);
    // A time that is told may be of before the event that tells it.
    const sentences = tellHistory(history).sort((one, other) => one.atMs - other.atMs);
    lines.push(...sentences.map(({ atMs, text }) => line(atMs, text)));
  }
  if (present !== undefined && isOpen(present)) lines.push(...(await tellNow(present, place, dependencies)));
  return lines;
}

async function tellNow(
  window: WindowItem,
  place: Place | undefined,
  { table, nowMs }: ShowDependencies,
): Promise<string[]> {
  const atMs = nowMs();
  const standing = placeInLine(window, place, await readLine(table, 'CreateStreamSessionConnection'), atMs);
  const waitsFor = describeWait(window, standing, earlyEndOf(window, place, atMs));
  const leftMs = window.deadlineMs - atMs;
  const left = leftMs >= 0 ? `${Math.floor(leftMs / 1000)} s are left` : 'its time is over';
  const inLine = standing.kind === 'IN_LINE' ? ` It is number ${standing.ahead + 1} in line.` : '';
  const asked =
    place !== undefined && standing.kind !== 'NONE'
      ? [line(place.askedAtMs, 'The player asked to come back, and has no answer yet.')]
      : [];
  return [...asked, line(atMs, `Now the window waits for ${waitsFor}; ${left}.${inLine}`)];
}

function headingOf(
  outcome: OutcomeDetail | undefined,
  execution: Execution | undefined,
  window: WindowItem | undefined,
): string {
  const told = outcome ?? execution?.output;
  if (told !== undefined) {
    const reason = told.statusReason === null ? '' : `, ${told.statusReason}`;
    return `${told.outcome}${told.cause === undefined ? '' : `, cause ${told.cause}`}${reason}`;
  }
  if (window !== undefined && isOpen(window)) return `open, ${window.phase}`;
  if (window?.phase === 'FAILED') return `failed with ${window.failure ?? 'no error'}; it has no outcome yet`;
  if (execution?.status === 'RUNNING') return 'its execution runs';
  if (execution !== undefined) return `failed with ${execution.error ?? execution.status}`;
  return 'no outcome is known';
}

function factsOf(outcome: OutcomeDetail | undefined, execution: Execution | undefined): string[] {
  const { applicationArn, location, connectionAttempts } = outcome ?? execution?.output ?? {};
  const facts = [
    ...(applicationArn === undefined ? [] : [`application ${applicationArn}`]),
    ...(location === undefined ? [] : [`location ${location}`]),
    ...(connectionAttempts === undefined ? [] : [count(connectionAttempts, 'connection call')]),
  ];
  return facts.length === 0 ? [] : [`  ${facts.join(', ')}`];
}

/** What the table tells when the execution is gone. */
function tellOutcome({ outcome, disconnectedAt, outcomeAt }: OutcomeDetail): string[] {
  const end =
    outcome === 'RECONNECTED'
      ? 'The player was connected again.'
      : outcome === 'NOT_DISCONNECTED'
        ? 'The service had never waited for the player.'
        : 'The session ended.';
  return [
    line(Date.parse(disconnectedAt), 'The player lost the connection.'),
    line(Date.parse(outcomeAt), end),
  ];
}

/** @returns undefined when Step Functions does not know it, and when it is of another stream group's session. */
async function readExecution(
  session: SessionKey,
  generation: number,
  { stepFunctions, stateMachineArn }: ShowDependencies,
): Promise<Execution | undefined> {
  const executionArn = windowExecutionArn(stateMachineArn, session, generation);
  const described = await attempt(
    () => stepFunctions.send(new DescribeExecutionCommand({ executionArn })),
    'ExecutionDoesNotExist',
  );
  if (!described.ok) return undefined;
  const { status = '', startDate, input, output, error } = described.result;
  const parsed = executionInputSchema.safeParse(parseJson(input));
  const isAnother =
    parsed.success && session.streamGroupId !== '' && parsed.data.streamGroupId !== session.streamGroupId;
  if (isAnother) return undefined;
  return {
    status,
    startMs: startDate?.getTime() ?? 0,
    input: parsed.data,
    output: windowOutputSchema.safeParse(parseJson(output)).data,
    error,
  };
}

async function readHistory(
  session: SessionKey,
  generation: number,
  { stepFunctions, stateMachineArn, progress }: ShowDependencies,
): Promise<HistoryEvent[]> {
  const executionArn = windowExecutionArn(stateMachineArn, session, generation);
  const events: HistoryEvent[] = [];
  let nextToken: string | undefined;
  do {
    const page = await callDependency(() =>
      stepFunctions.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000, nextToken })),
    );
    events.push(...(page.events ?? []));
    progress(`Read ${events.length} events of window ${generation} …`);
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return events;
}

function line(atMs: number, text: string): string {
  return `  ${timeOf(atMs)}  ${text}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
