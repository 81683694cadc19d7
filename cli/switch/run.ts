import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { LOCAL_CREDENTIALS } from 'local-server-kit';
import { z } from 'zod';
import type { Clock } from '../../functions/shared/runtime/clock.ts';
import {
  readSwitchItem,
  SWITCH_CACHE_MS,
  type SwitchItem,
  type SwitchState,
  switchStateSchema,
  writeSwitchItem,
} from '../../functions/shared/runtime/switch.ts';
import type { Table } from '../../functions/shared/runtime/table.ts';
import { parseEndpoint } from '../admin-shell/endpoint.ts';
import {
  explainUsageError,
  parseCommandLine,
  printable,
  USAGE_EXIT_CODE,
  UsageError,
} from '../command-line.ts';

export const USAGE = `Usage: npm run switch -- [on | passThrough | refuse] --table <name> [options]

Switches the service on or off without a deployment; without a state it tells the present one.

  on           the service does its work
  passThrough  every call goes to Amazon GameLift Streams at once, and once; windows only observe
  refuse       every call is refused with 503 and Retry-After; windows only observe

  --table <name>     the service's table (the stack's output TableName; npm start prints the local one)
  --reason <text>    why, in 256 characters at most; it is kept beside the state
  --region <Region>  of the table; else as the AWS SDK finds it
  --endpoint <URL>   of DynamoDB, for a local stack
  --help             this text

AWS credentials come from where the AWS CLI has them. docs/switch.md is the manual.
`;

const OPTIONS = {
  table: { type: 'string' },
  reason: { type: 'string' },
  region: { type: 'string' },
  endpoint: { type: 'string' },
} as const;

/** With it the item of the switch stays within one write unit. */
const MAX_REASON_LENGTH = 256;

export interface Surroundings {
  readonly clock: Clock;
  readonly tell: (text: string) => void;
}

interface SwitchArguments {
  readonly state: SwitchState | undefined;
  readonly table: string;
  readonly reason: string | undefined;
  readonly region: string | undefined;
  readonly endpoint: string | undefined;
}

/** @returns the exit code: 0, 1 when the table could not be read or written, 2 for a wrong call. */
export async function run(
  args: readonly string[],
  { clock, ...surroundings }: Surroundings,
): Promise<number> {
  const tell = (text: string) => surroundings.tell(printable(text));
  try {
    const parsed = parseArguments(args);
    if (parsed === 'help') {
      tell(USAGE);
      return 0;
    }
    const table = tableOf(parsed);
    try {
      const before = await readOrWrong(table);
      if (parsed.state === undefined) {
        tell(`${describe(before)}\n`);
        return before === 'WRONG' ? 1 : 0;
      }
      const { state, reason } = parsed;
      const changedAt = new Date(clock.nowMs()).toISOString();
      await writeSwitchItem(table, { state, changedAt, ...(reason === undefined ? {} : { reason }) });
      const seconds = SWITCH_CACHE_MS / 1000;
      tell(`It was: ${describe(before)}\nNow: ${state}. Every function knows within ${seconds} s.\n`);
      return 0;
    } finally {
      table.documents.destroy();
    }
  } catch (error) {
    if (error instanceof UsageError) {
      tell(explainUsageError(error));
      return USAGE_EXIT_CODE;
    }
    // What the table answered is the cause of the error that the service's own code makes of it.
    const { name, message } = rootOf(error);
    tell(`The switch is as it was: ${name}: ${message}\n`);
    return 1;
  }
}

/** @throws UsageError */
function parseArguments(args: readonly string[]): SwitchArguments | 'help' {
  const { values, positionals, isHelp } = parseCommandLine(args, OPTIONS, { allowPositionals: true });
  if (isHelp) return 'help';
  const [word, ...rest] = positionals;
  const state = switchStateSchema.optional().safeParse(word);
  if (!state.success || rest.length > 0) {
    throw new UsageError(`The switch is one of: ${switchStateSchema.options.join(', ')}.`);
  }
  if (values.table === undefined) throw new UsageError('--table names the service’s table.');
  if ((values.reason?.length ?? 0) > MAX_REASON_LENGTH) {
    throw new UsageError(`--reason takes ${MAX_REASON_LENGTH} characters at most.`);
  }
  return {
    state: state.data,
    table: values.table,
    reason: values.reason,
    region: values.region,
    endpoint: values.endpoint,
  };
}

function tableOf({ table, region, endpoint }: SwitchArguments): Table {
  const local = endpoint === undefined ? undefined : parseEndpoint(endpoint);
  const inRegion = region ?? local?.region;
  const client = new DynamoDBClient({
    ...(local === undefined ? {} : { endpoint: local.url }),
    ...(local?.isLocal === true ? { credentials: LOCAL_CREDENTIALS } : {}),
    ...(inRegion === undefined ? {} : { region: inRegion }),
  });
  return { documents: DynamoDBDocumentClient.from(client), name: table };
}

/** An item that somebody wrote by hand, and wrong, must not keep the switch from being set right. */
async function readOrWrong(table: Table): Promise<SwitchItem | 'WRONG' | undefined> {
  try {
    return await readSwitchItem(table);
  } catch (error) {
    if (error instanceof z.ZodError) return 'WRONG';
    throw error;
  }
}

function describe(item: SwitchItem | 'WRONG' | undefined): string {
  if (item === undefined) return 'on; nobody has ever switched.';
  if (item === 'WRONG') return 'nothing that the service knows; each function goes by what it knew before.';
  const since = item.changedAt === undefined ? '' : ` since ${item.changedAt}`;
  const why = item.reason === undefined ? '' : ` (${item.reason})`;
  return `${item.state}${since}${why}.`;
}

function rootOf(error: unknown): { readonly name: string; readonly message: string } {
  if (!(error instanceof Error)) return { name: typeof error, message: '' };
  return error.cause instanceof Error ? rootOf(error.cause) : error;
}
