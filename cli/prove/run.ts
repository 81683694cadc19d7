import type { ParseArgsOptionsConfig } from 'node:util';
import { printable, UsageError } from '../command-line.ts';
import type { ValuesOf } from '../run-command.ts';
import type { Account, AwsClients, LocalFiles } from './account.ts';
import type { SessionPlan } from './checks/session.ts';
import { CHECKS, type CheckId } from './checks.ts';
import { exitCodeOf, jsonReport, lineOf, markdownReport, type Run, summaryOf } from './report.ts';
import { isCheckId, runChecks } from './run-checks.ts';

export const USAGE = `Usage: npm run prove -- --stage <stage> [options]

Asks the AWS account whether what this service takes for true holds, without starting or changing anything.
One line for each finding: HOLDS, DIFFERS, COULD_NOT_ASK (with the permission that is missing) or SKIPPED, and what to do.

  --stage <stage>     of the deployed stack stream-session-reconnection-<stage>
  --region <Region>   of the stack; else AWS_REGION, else us-west-2
  --only <check>      one of: ${Object.keys(CHECKS).join(', ')}; may be repeated
  --template <file>   what to compare the deployed template with; else the package of npm run package
  --stream-group <id> and --application <id>
                      start three sessions without a client in this group, ask them, and end them: some minutes of each
  --yes               really start them; without it the run says what it would do
  --out <name>        writes <name>.md and <name>.json, without account ids, to attach to an issue
  --help              this text

It makes and deletes one change set, which is never executed, and starts drift detection. Exit code: 0 when nothing
contradicts, 1 when something does, 2 for a wrong call, 3 when not everything could be asked. AWS credentials come from where the
AWS CLI has them. docs/prove.md is the manual.
`;

export const OPTIONS = {
  stage: { type: 'string' },
  region: { type: 'string' },
  only: { type: 'string', multiple: true },
  template: { type: 'string' },
  out: { type: 'string' },
  'stream-group': { type: 'string' },
  application: { type: 'string' },
  yes: { type: 'boolean' },
} as const satisfies ParseArgsOptionsConfig;

export interface Surroundings {
  readonly tell: (text: string) => void;
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly pause: (ms: number) => Promise<void>;
  readonly isInterrupted: () => boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clientsOf: (region: string) => AwsClients;
  readonly readFiles: (stackName: string, template: string | undefined) => Promise<LocalFiles>;
  readonly writeFile: (path: string, text: string) => Promise<void>;
}

/**
 * @returns the exit code.
 * @throws UsageError
 */
export async function prove(values: ValuesOf<typeof OPTIONS>, surroundings: Surroundings): Promise<number> {
  const { clientsOf, readFiles, writeFile, nowMs, sleep, pause, isInterrupted } = surroundings;
  const tellLine = (line: string) =>
    surroundings.tell(
      `${printable(
        line
          .split(/[\r\n]/)
          .map((part) => part.trim())
          .join(' '),
      )}\n`,
    );
  const { stage, region, only } = checked(values, surroundings.environment);
  const group = groupOf(values);
  const stackName = `stream-session-reconnection-${stage}`;
  const files = await readFiles(stackName, values.template);
  if (group !== undefined && values.yes === true && files.offer === undefined) {
    throw new UsageError('events/samples has no offer for a session. Run it in a clone of the repository.');
  }
  const aws = clientsOf(region);
  const calls = countCalls(aws);
  const startedMs = nowMs();
  const account: Account = { aws, region, stage, stackName, files, nowMs, sleep, pause };
  const findings = await runChecks(account, {
    ...(only === undefined ? {} : { only }),
    ...(group === undefined || files.offer === undefined || values.yes !== true
      ? {}
      : { session: { ...group, offer: files.offer } }),
    isInterrupted,
    onFinding: (finding) => tellLine(lineOf(finding)),
  });
  if (group !== undefined && values.yes !== true) {
    tellLine(
      `It would start three sessions in ${group.streamGroup}, some minutes of its stream class each, and end them. → Add --yes.`,
    );
  }
  const run: Run = {
    stage,
    region,
    stackName,
    startedAt: new Date(startedMs).toISOString(),
    seconds: Math.round((nowMs() - startedMs) / 1000),
    calls,
    findings,
  };
  tellLine(summaryOf(run));
  if (values.out !== undefined) {
    try {
      await writeFile(`${values.out}.md`, markdownReport(run));
      await writeFile(`${values.out}.json`, jsonReport(run));
      tellLine(`Wrote ${values.out}.md and ${values.out}.json.`);
    } catch (error) {
      tellLine(`The report could not be written: ${error instanceof Error ? error.message : ''}`);
      return 1;
    }
  }
  return exitCodeOf(findings);
}

function checked(
  { stage, region, only }: ValuesOf<typeof OPTIONS>,
  environment: Surroundings['environment'],
): { readonly stage: string; readonly region: string; readonly only: readonly CheckId[] | undefined } {
  if (stage === undefined) throw new UsageError('--stage names the stage of the deployed stack.');
  if (!/^[A-Za-z0-9-]{1,40}$/.test(stage)) throw new UsageError('--stage takes letters, digits and hyphens.');
  const found = region ?? environment['AWS_REGION'] ?? environment['AWS_DEFAULT_REGION'] ?? 'us-west-2';
  if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(found))
    throw new UsageError('--region takes a Region such as us-west-2.');
  const unknown = only?.find((name) => !isCheckId(name));
  if (unknown !== undefined) throw new UsageError(`--only takes one of: ${Object.keys(CHECKS).join(', ')}.`);
  return { stage, region: found, only: only?.filter(isCheckId) };
}

function groupOf(values: ValuesOf<typeof OPTIONS>): Omit<SessionPlan, 'offer'> | undefined {
  const { 'stream-group': streamGroup, application } = values;
  if (streamGroup === undefined && application === undefined && values.yes !== true) return undefined;
  if (streamGroup === undefined || application === undefined) {
    throw new UsageError('--stream-group, --application and --yes belong together.');
  }
  return { streamGroup, application };
}

/** Counts the requests of every client, retries included, under the service's name. */
function countCalls(aws: AwsClients): ReadonlyMap<string, number> {
  const calls = new Map<string, number>();
  for (const [name, { middlewareStack }] of Object.entries(aws)) {
    const service = name.toLowerCase();
    middlewareStack.add(
      (next: (args: never) => unknown) => (args: never) => {
        calls.set(service, (calls.get(service) ?? 0) + 1);
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low', name: 'countCalls', override: true },
    );
  }
  return calls;
}
