import { z } from 'zod';
import {
  type SessionKey,
  sessionKeySchema,
  type WindowPhase,
  windowPhaseSchema,
} from '../../functions/shared/contracts/index.ts';
import { parseCommandLine, parseWholeNumber, UsageError } from '../command-line.ts';

export const USAGE = `Usage: npm run windows -- list --table <name> [options]
       npm run windows -- show <session> --table <name> --state-machine <ARN> [options]
       npm run windows -- retry <session> --table <name> --state-machine <ARN> [options]
       npm run windows -- retry --failed-since <time> --table <name> --state-machine <ARN> [options]

list    tells of every open window: its session, phase, time left, place in line, attempts, and what it waits for
show    tells what happened to a player, in sentences with times, also weeks after the session has ended
retry   gives failed windows to a new execution, which asks Amazon GameLift Streams first and records the outcome. A
        window that is open or has its outcome stays as it is

  <session>               <stream group id>/<stream session id>, the session's ARN, or its id alone

  --group <id>            list: only the windows of this stream group
  --state <phase>         list: only those in AWAITING_RECONNECTION, AWAITING_CLIENT or AWAITING_END; or FAILED, which
                          reads the whole table
  --left <seconds>        list: only those with so many seconds left at most
  --json                  list: one JSON document
  --watch                 list: draws the list again every 2 s, until Ctrl-C
  --failed-since <time>   retry: every window that failed since then: 90m, 6h, 2d, or a time such as
                          2026-11-28T06:00:00Z. Those that failed with SessionNotFound are left out.
  --dry-run               retry: only tells which windows there are

  --table <name>          the service's table (the stack's output TableName)
  --state-machine <ARN>   of the windows (the stack's output ReconnectionWindowArn)
  --max-pages <number>    of the table to read at most, 1 MB each; 1000 if not given
  --region <Region>       else the one in the ARN, else as the AWS SDK finds it
  --endpoint <URL>        of DynamoDB, for a local stack
  --step-functions-endpoint <URL>
  --help                  this text

AWS credentials come from where the AWS CLI has them. SupportPolicyArn is what list and show need. retry also needs
dynamodb:Scan, dynamodb:GetItem and dynamodb:PutItem on the table and states:StartExecution on the state machine.
docs/runbook.md says when to use which.
`;

const OPTIONS = {
  group: { type: 'string' },
  state: { type: 'string' },
  left: { type: 'string' },
  json: { type: 'boolean', default: false },
  watch: { type: 'boolean', default: false },
  'failed-since': { type: 'string' },
  table: { type: 'string' },
  'state-machine': { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  'max-pages': { type: 'string', default: '1000' },
  region: { type: 'string' },
  endpoint: { type: 'string' },
  'step-functions-endpoint': { type: 'string' },
} as const;

type OptionName = keyof typeof OPTIONS;
const OF_EVERY_COMMAND: readonly OptionName[] = ['table', 'max-pages', 'region', 'endpoint'];
const OF_EXECUTIONS: readonly OptionName[] = ['state-machine', 'step-functions-endpoint'];

/** Which options each command takes. */
const COMMANDS: Readonly<Record<WindowsArguments['command'], readonly OptionName[]>> = {
  list: [...OF_EVERY_COMMAND, 'group', 'state', 'left', 'json', 'watch'],
  show: [...OF_EVERY_COMMAND, ...OF_EXECUTIONS],
  retry: [...OF_EVERY_COMMAND, ...OF_EXECUTIONS, 'failed-since', 'dry-run'],
};

interface TableArguments {
  readonly table: string;
  readonly maxPages: number;
  /** Undefined when the AWS SDK is to find it. */
  readonly region: string | undefined;
  readonly endpoint: string | undefined;
}

interface MachineArguments {
  readonly stateMachineArn: string;
  readonly stepFunctionsEndpoint: string | undefined;
}

export type NamedSession =
  | { readonly kind: 'SESSION'; readonly session: SessionKey }
  /** A session's id alone. Its stream group is looked up. */
  | { readonly kind: 'SESSION_ID'; readonly streamSessionId: string };

export interface ListArguments extends TableArguments {
  readonly command: 'list';
  readonly group: string | undefined;
  readonly state: Exclude<WindowPhase, 'CLOSED'> | undefined;
  readonly leftSeconds: number | undefined;
  readonly json: boolean;
  readonly watch: boolean;
}

export interface ShowArguments extends TableArguments, MachineArguments {
  readonly command: 'show';
  readonly which: NamedSession;
}

export interface RetryArguments extends TableArguments, MachineArguments {
  readonly command: 'retry';
  readonly which: NamedSession | { readonly kind: 'FAILED_SINCE'; readonly sinceMs: number };
  readonly dryRun: boolean;
}

export type WindowsArguments = ListArguments | ShowArguments | RetryArguments;

const MACHINE_ARN = /^arn:aws[a-z-]*:states:([a-z0-9-]{1,40}):\d{12}:stateMachine:[a-zA-Z0-9-_]{1,80}$/;
const SESSION_ARN =
  /^arn:aws[a-z-]*:gameliftstreams:[a-z0-9-]{1,40}:\d{12}:streamsession\/([a-zA-Z0-9-]+)\/([a-zA-Z0-9-]+)$/;
const AGO_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const LISTED_PHASES = windowPhaseSchema.exclude(['CLOSED']);

/** @throws UsageError */
export function parseArguments(args: readonly string[], nowMs: number): WindowsArguments | 'help' {
  const { values, positionals, isHelp } = parseCommandLine(args, OPTIONS, { allowPositionals: true });
  if (isHelp) return 'help';
  const [word, session, ...rest] = positionals;
  const command = commandNames.find((name) => name === word);
  if (command === undefined) throw new UsageError(`The command is one of: ${commandNames.join(', ')}.`);
  checkOptions(command, values);
  if (rest.length > 0) throw new UsageError('Name one session.');
  if (command === 'list' && session !== undefined) throw new UsageError('list takes no session; show does.');
  if (command === 'show' && session === undefined) throw new UsageError('Name the session to show.');
  if (command === 'retry' && (session === undefined) === (values['failed-since'] === undefined)) {
    throw new UsageError('Name either a session or --failed-since.');
  }
  if (values.table === undefined) throw new UsageError('--table names the service’s table.');
  const ofTable = {
    table: values.table,
    maxPages: parseWholeNumber(values['max-pages'], '--max-pages'),
    region: values.region,
    endpoint: values.endpoint,
  };
  if (command === 'list') return { command, ...ofTable, ...parseFilters(values) };
  const machine = MACHINE_ARN.exec(values['state-machine'] ?? '');
  if (machine === null) throw new UsageError('--state-machine takes the ARN of the windows’ state machine.');
  const [stateMachineArn, regionOfArn = ''] = machine;
  const ofMachine = {
    ...ofTable,
    region: values.region ?? regionOfArn,
    stateMachineArn,
    stepFunctionsEndpoint: values['step-functions-endpoint'],
  };
  if (command === 'show') return { command, ...ofMachine, which: parseSession(session ?? '') };
  return {
    command,
    ...ofMachine,
    which:
      session === undefined
        ? { kind: 'FAILED_SINCE', sinceMs: parseSince(values['failed-since'] ?? '', nowMs) }
        : parseSession(session),
    dryRun: values['dry-run'],
  };
}

const commandNames = ['list', 'show', 'retry'] as const satisfies readonly WindowsArguments['command'][];

type Values = Partial<Record<OptionName, string | boolean | undefined>>;

/** @throws UsageError for an option of another command. */
function checkOptions(command: WindowsArguments['command'], values: Values): void {
  const names = Object.keys(OPTIONS).filter((name): name is OptionName => name in OPTIONS);
  const stray = names.find((name) => {
    const option = OPTIONS[name];
    const unset = 'default' in option ? option.default : undefined;
    return values[name] !== unset && !COMMANDS[command].includes(name);
  });
  if (stray !== undefined) throw new UsageError(`${command} has no option --${stray}.`);
}

/** @throws UsageError */
function parseFilters({ group, state, left, json, watch }: Values) {
  const phase = LISTED_PHASES.optional().safeParse(state);
  if (!phase.success) throw new UsageError(`--state takes one of: ${LISTED_PHASES.options.join(', ')}.`);
  if (json === true && watch === true) throw new UsageError('--watch draws a list; leave out --json.');
  const streamGroupId = sessionKeySchema.shape.streamGroupId.optional().safeParse(group);
  if (!streamGroupId.success) throw new UsageError('--group takes the id of a stream group.');
  return {
    group: streamGroupId.data,
    state: phase.data,
    leftSeconds: typeof left === 'string' ? parseWholeNumber(left, '--left', 0) : undefined,
    json: json === true,
    watch: watch === true,
  };
}

/** @throws UsageError */
function parseSession(text: string): NamedSession {
  if (!text.includes('/')) {
    const id = sessionKeySchema.shape.streamSessionId.safeParse(text);
    if (id.success) return { kind: 'SESSION_ID', streamSessionId: id.data };
  }
  const [streamGroupId, streamSessionId, ...rest] = SESSION_ARN.exec(text)?.slice(1) ?? text.split('/');
  const session = sessionKeySchema.safeParse({ streamGroupId, streamSessionId });
  if (!session.success || rest.length > 0) {
    throw new UsageError('A session is <stream group id>/<stream session id>, an ARN, or an id.');
  }
  return { kind: 'SESSION', session: session.data };
}

/** @throws UsageError */
function parseSince(text: string, nowMs: number): number {
  const ago = /^(\d{1,4})([mhd])$/.exec(text);
  const atMs =
    ago === null
      ? z.iso.datetime({ offset: true }).safeParse(text).success
        ? Date.parse(text)
        : Number.NaN
      : nowMs - Number(ago[1]) * (AGO_MS[ago[2] ?? ''] ?? 0);
  if (!Number.isFinite(atMs) || atMs > nowMs) {
    throw new UsageError('--failed-since takes 90m, 6h, 2d, or a past time such as 2026-11-28T06:00:00Z.');
  }
  return atMs;
}
