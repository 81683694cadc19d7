import { z } from 'zod';
import {
  NO_REASON,
  type SessionKey,
  sessionKeySchema,
  toAuditReason,
  type WindowPhase,
  windowPhaseSchema,
} from '../../functions/shared/contracts/index.ts';
import { parseCommandLine, parseWholeNumber, UsageError } from '../command-line.ts';

export const USAGE = `Usage: npm run windows -- list --table <name> [options]
       npm run windows -- show <session> --table <name> --state-machine <ARN> [options]
       npm run windows -- end <session> --api <URL> --bus <name> [options]
       npm run windows -- drain <group> --within <seconds> --table <name> --bus <name> [options]
       npm run windows -- retry <session> --table <name> --state-machine <ARN> --bus <name> [options]
       npm run windows -- retry --failed-since <time> --table <name> --state-machine <ARN> --bus <name> [options]

list    tells of every open window: its session, phase, time left, place in line, attempts, and what it waits for
show    tells what happened to a player, in sentences with times, also weeks after the session has ended
end     ends a live session, with the cause OPERATOR, so that its player does not count as lost
drain   ends what still waits in a stream group at a time of your choice; until then reconnections work, and a session with
        a connected player is never ended
retry   gives failed windows to a new execution, which asks Amazon GameLift Streams first and records the outcome. A
        window that is open or has its outcome stays as it is

  <session>               <stream group id>/<stream session id>, the session's ARN, or its id alone

  --group <id>            list: only the windows of this stream group
  --state <phase>         list: only those in AWAITING_RECONNECTION, AWAITING_CLIENT or AWAITING_END; or FAILED, which
                          reads the whole table
  --left <seconds>        list: only those with so many seconds left at most
  --json                  list: one JSON document
  --watch                 list: draws the list again every 2 s, until Ctrl-C
  --within <seconds>      drain: when the drain ends, 5 to 86400 seconds from now
  --failed-since <time>   retry: every window that failed since then: 90m, 6h, 2d, or a time such as
                          2026-11-28T06:00:00Z. Those that failed with SessionNotFound are left out.
  --dry-run               drain, retry: only tells how many or which windows there are

  --reason <text>         end, drain, retry: why; recorded with the act, 256 printable ASCII characters at most
  --wait <seconds>        end: how long to go on asking while others end sessions, too (60)

  --table <name>          the service's table (the stack's output TableName)
  --state-machine <ARN>   of the windows (the stack's output ReconnectionWindowArn)
  --api <URL>             of the deployed API with its stage (the stack's output ApiUrl)
  --bus <name>            the bus that the audit records go to (the stack's output EventBusName)
  --event-source <text>   of the audit records, as deployed (stream-session-reconnection)
  --max-pages <number>    of the table to read at most, 1 MB each; 1000 if not given
  --region <Region>       else the one in the ARN, else as the AWS SDK finds it
  --endpoint <URL>        of DynamoDB, for a local stack
  --step-functions-endpoint <URL>, --events-endpoint <URL>
  --help                  this text

AWS credentials come from where the AWS CLI has them. list and show need SupportPolicyArn, the others WindowOperatorPolicyArn.
docs/runbook.md says when to use which.
`;

const OPTIONS = {
  group: { type: 'string' },
  state: { type: 'string' },
  left: { type: 'string' },
  within: { type: 'string' },
  json: { type: 'boolean', default: false },
  watch: { type: 'boolean', default: false },
  'failed-since': { type: 'string' },
  table: { type: 'string' },
  'state-machine': { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  reason: { type: 'string' },
  wait: { type: 'string', default: '60' },
  api: { type: 'string' },
  bus: { type: 'string' },
  'event-source': { type: 'string', default: 'stream-session-reconnection' },
  'events-endpoint': { type: 'string' },
  'max-pages': { type: 'string', default: '1000' },
  region: { type: 'string' },
  endpoint: { type: 'string' },
  'step-functions-endpoint': { type: 'string' },
} as const;

type OptionName = keyof typeof OPTIONS;
const OF_TABLE: readonly OptionName[] = ['table', 'max-pages', 'region', 'endpoint'];
const OF_EXECUTIONS: readonly OptionName[] = ['state-machine', 'step-functions-endpoint'];

const OF_AUDIT: readonly OptionName[] = ['bus', 'event-source', 'events-endpoint', 'reason'];

/** Which options each command takes. */
const COMMANDS: Readonly<Record<WindowsArguments['command'], readonly OptionName[]>> = {
  list: [...OF_TABLE, 'group', 'state', 'left', 'json', 'watch'],
  show: [...OF_TABLE, ...OF_EXECUTIONS],
  end: [...OF_AUDIT, 'api', 'region', 'wait'],
  drain: [...OF_TABLE, ...OF_AUDIT, 'step-functions-endpoint', 'within', 'dry-run'],
  retry: [...OF_TABLE, ...OF_EXECUTIONS, ...OF_AUDIT, 'failed-since', 'dry-run'],
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

/** Where the records of an act go, and why it is done. */
export interface AuditArguments {
  readonly bus: string;
  readonly eventSource: string;
  readonly eventsEndpoint: string | undefined;
  readonly reason: string;
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

export interface EndArguments extends AuditArguments {
  readonly command: 'end';
  readonly session: SessionKey;
  readonly api: string;
  readonly region: string | undefined;
  readonly waitSeconds: number;
}

export interface DrainArguments extends TableArguments, AuditArguments {
  readonly command: 'drain';
  readonly group: string;
  readonly withinSeconds: number;
  readonly dryRun: boolean;
  readonly stepFunctionsEndpoint: string | undefined;
}

export interface RetryArguments extends TableArguments, MachineArguments, AuditArguments {
  readonly command: 'retry';
  readonly which: NamedSession | { readonly kind: 'FAILED_SINCE'; readonly sinceMs: number };
  readonly dryRun: boolean;
}

export type WindowsArguments = ListArguments | ShowArguments | EndArguments | DrainArguments | RetryArguments;

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
  if (command === 'end') return parseEnd(session, values);
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
  if (command === 'drain') return { command, ...ofTable, ...parseDrain(session, values) };
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
    ...parseAudit(values),
  };
}

const commandNames = [
  'list',
  'show',
  'end',
  'drain',
  'retry',
] as const satisfies readonly WindowsArguments['command'][];

type Values = Partial<Record<OptionName, string | boolean | undefined>>;

/** @throws UsageError */
function parseEnd(text: string | undefined, values: Values): EndArguments {
  if (text === undefined) throw new UsageError('Name the session to end.');
  const named = parseSession(text);
  // Two stream groups may have sessions of the same id, and an end cannot be undone.
  if (named.kind !== 'SESSION') throw new UsageError('Name the session to end with its stream group.');
  if (typeof values.api !== 'string') throw new UsageError('--api takes the URL of the API.');
  const waitSeconds = parseWholeNumber(String(values.wait), '--wait', 0);
  const region = typeof values.region === 'string' ? values.region : undefined;
  return {
    command: 'end',
    session: named.session,
    api: values.api,
    region,
    waitSeconds,
    ...parseAudit(values),
  };
}

const LONGEST_DRAIN_SECONDS = 86_400;

/** @throws UsageError */
function parseDrain(text: string | undefined, values: Values) {
  const group = sessionKeySchema.shape.streamGroupId.safeParse(text);
  if (!group.success) throw new UsageError('Name the id of the stream group to drain.');
  const withinSeconds = parseWholeNumber(String(values.within), '--within', 5);
  if (withinSeconds > LONGEST_DRAIN_SECONDS) throw new UsageError('--within takes 86400 seconds at most.');
  const endpoint = values['step-functions-endpoint'];
  return {
    group: group.data,
    withinSeconds,
    dryRun: values['dry-run'] === true,
    stepFunctionsEndpoint: typeof endpoint === 'string' ? endpoint : undefined,
    ...parseAudit(values),
  };
}

/** @throws UsageError */
function parseAudit(values: Values): AuditArguments {
  const { bus, reason, 'event-source': eventSource, 'events-endpoint': eventsEndpoint } = values;
  if (typeof bus !== 'string') throw new UsageError('--bus names the bus for the audit records.');
  const recorded = typeof reason === 'string' ? toAuditReason(reason) : NO_REASON;
  if (recorded === undefined) throw new UsageError('A reason has 1 to 256 printable ASCII characters.');
  return {
    bus,
    reason: recorded,
    eventSource: String(eventSource),
    eventsEndpoint: typeof eventsEndpoint === 'string' ? eventsEndpoint : undefined,
  };
}

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
