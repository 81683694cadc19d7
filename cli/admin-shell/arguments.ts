import { adminShellReasonSchema } from '../../functions/shared/contracts/index.ts';
import { parseCommandLine, UsageError } from '../command-line.ts';

export const USAGE = `Usage: npm run admin-shell -- <stream group> <stream session> [options]

Asks the API for an admin shell on a live stream session, then opens it with session-manager-plugin.
Stream group and stream session are ids or ARNs.

  --endpoint <URL>    the deployed API with its stage; without it the local stack (http://127.0.0.1:4704)
  --region <Region>   of the API; else from the endpoint, else as the AWS SDK finds it
  --reason <text>     why: recorded with the request, 256 printable ASCII characters at most
  --wait <seconds>    how long to go on asking while the session is not ready or others are first (60)
  --print             print the command that opens the shell, and start nothing
  --help              this text

AWS credentials come from where the AWS CLI has them: environment, profile (AWS_PROFILE), SSO, instance role.
`;

const OPTIONS = {
  endpoint: { type: 'string' },
  region: { type: 'string' },
  reason: { type: 'string' },
  wait: { type: 'string', default: '60' },
  print: { type: 'boolean', default: false },
} as const;

export interface AdminShellArguments {
  readonly streamGroup: string;
  readonly streamSession: string;
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  readonly reason: string | undefined;
  readonly waitSeconds: number;
  readonly print: boolean;
}

/** @throws UsageError */
export function parseArguments(args: readonly string[]): AdminShellArguments | 'help' {
  const { values, positionals, isHelp } = parseCommandLine(args, OPTIONS, { allowPositionals: true });
  if (isHelp) return 'help';
  const [streamGroup, streamSession, ...rest] = positionals;
  if (streamGroup === undefined || streamSession === undefined || rest.length > 0) {
    throw new UsageError('Name one stream group and one stream session.');
  }
  if (!/^\d{1,4}$/.test(values.wait)) throw new UsageError('--wait takes whole seconds, 0 to 9999.');
  return {
    streamGroup,
    streamSession,
    endpoint: values.endpoint,
    region: values.region,
    reason: values.reason === undefined ? undefined : checkReason(values.reason),
    waitSeconds: Number(values.wait),
    print: values.print,
  };
}

/** @throws UsageError for what the API would refuse. */
export function checkReason(text: string): string {
  const reason = adminShellReasonSchema.safeParse(text.trim());
  if (reason.success) return reason.data;
  throw new UsageError('A reason has 1 to 256 printable ASCII characters.');
}
