import { z } from 'zod';
import { type SessionKey, sessionKeySchema } from '../../functions/shared/contracts/index.ts';
import { parseCommandLine, parseWholeNumber, UsageError } from '../command-line.ts';

export const USAGE = `Usage: npm run windows -- retry <session> --table <name> --state-machine <ARN> [options]
       npm run windows -- retry --failed-since <time> --table <name> --state-machine <ARN> [options]

Gives failed windows to a new execution, which asks Amazon GameLift Streams first and records the outcome. A window
that is open or has its outcome stays as it is.

  <session>               <stream group id>/<stream session id>, the session's ARN, or its id alone
  --failed-since <time>   every window that failed since then: 90m, 6h, 2d, or a time such as 2026-11-28T06:00:00Z.
                          Those that failed with SessionNotFound are left out.

  --table <name>          the service's table (the stack's output TableName)
  --state-machine <ARN>   of the windows (the stack's output ReconnectionWindowArn)
  --dry-run               only tells which windows there are
  --max-pages <number>    of the table to read at most, 1 MB each; 1000 if not given
  --region <Region>       of both; else the one in the ARN
  --endpoint <URL>        of DynamoDB, for a local stack
  --step-functions-endpoint <URL>
  --help                  this text

AWS credentials come from where the AWS CLI has them. They need dynamodb:Scan, dynamodb:GetItem and dynamodb:PutItem on
the table and states:StartExecution on the state machine.
`;

const OPTIONS = {
  'failed-since': { type: 'string' },
  table: { type: 'string' },
  'state-machine': { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  'max-pages': { type: 'string', default: '1000' },
  region: { type: 'string' },
  endpoint: { type: 'string' },
  'step-functions-endpoint': { type: 'string' },
} as const;

export interface RetryArguments {
  readonly which:
    | { readonly kind: 'SESSION'; readonly session: SessionKey }
    /** A session's id alone. Its stream group is found in the table. */
    | { readonly kind: 'SESSION_ID'; readonly streamSessionId: string }
    | { readonly kind: 'FAILED_SINCE'; readonly sinceMs: number };
  readonly table: string;
  readonly stateMachineArn: string;
  readonly dryRun: boolean;
  readonly maxPages: number;
  readonly region: string;
  readonly endpoint: string | undefined;
  readonly stepFunctionsEndpoint: string | undefined;
}

const MACHINE_ARN = /^arn:aws[a-z-]*:states:([a-z0-9-]{1,40}):\d{12}:stateMachine:[a-zA-Z0-9-_]{1,80}$/;
const SESSION_ARN =
  /^arn:aws[a-z-]*:gameliftstreams:[a-z0-9-]{1,40}:\d{12}:streamsession\/([a-zA-Z0-9-]+)\/([a-zA-Z0-9-]+)$/;
const AGO_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** @throws UsageError */
export function parseArguments(args: readonly string[], nowMs: number): RetryArguments | 'help' {
  const { values, positionals, isHelp } = parseCommandLine(args, OPTIONS, { allowPositionals: true });
  if (isHelp) return 'help';
  const [command, session, ...rest] = positionals;
  if (command !== 'retry') throw new UsageError('The command is retry.');
  if (rest.length > 0) throw new UsageError('Name one session.');
  if ((session === undefined) === (values['failed-since'] === undefined)) {
    throw new UsageError('Name either a session or --failed-since.');
  }
  if (values.table === undefined) throw new UsageError('--table names the service’s table.');
  const machine = MACHINE_ARN.exec(values['state-machine'] ?? '');
  if (machine === null) throw new UsageError('--state-machine takes the ARN of the windows’ state machine.');
  const [stateMachineArn, regionOfArn = ''] = machine;
  return {
    which:
      session === undefined
        ? { kind: 'FAILED_SINCE', sinceMs: parseSince(values['failed-since'] ?? '', nowMs) }
        : parseSession(session),
    table: values.table,
    stateMachineArn,
    dryRun: values['dry-run'],
    maxPages: parseWholeNumber(values['max-pages'], '--max-pages'),
    region: values.region ?? regionOfArn,
    endpoint: values.endpoint,
    stepFunctionsEndpoint: values['step-functions-endpoint'],
  };
}

function parseSession(text: string): RetryArguments['which'] {
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
