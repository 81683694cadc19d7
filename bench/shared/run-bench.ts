import type { ParseArgsOptionsConfig } from 'node:util';
import { explainUsageError, parseCommandLine, USAGE_EXIT_CODE, UsageError } from '../../cli/command-line.ts';

export type ValuesOf<Options extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseCommandLine<Options>
>['values'];

export interface Bench<Options extends ParseArgsOptionsConfig> {
  /** What `--help` prints. */
  readonly usage: string;
  readonly options: Options;
  readonly run: (values: ValuesOf<Options>) => Promise<void>;
}

/** Runs a bench with this process's arguments. Wrong arguments are told on stderr; every other error keeps its stack. */
export async function runBench<const Options extends ParseArgsOptionsConfig>({
  usage,
  options,
  run,
}: Bench<Options>): Promise<void> {
  try {
    const { values, isHelp } = parseCommandLine(process.argv.slice(2), options);
    if (isHelp) process.stdout.write(usage);
    else await run(values);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(explainUsageError(error));
    process.exitCode = USAGE_EXIT_CODE;
  }
}
