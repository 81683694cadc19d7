import type { ParseArgsOptionsConfig } from 'node:util';
import {
  explainUsageError,
  parseCommandLine,
  printable,
  USAGE_EXIT_CODE,
  UsageError,
} from './command-line.ts';

export type ValuesOf<Options extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseCommandLine<Options>
>['values'];

export interface Command<Options extends ParseArgsOptionsConfig> {
  /** What `--help` prints. */
  readonly usage: string;
  readonly options: Options;
  readonly run: (values: ValuesOf<Options>) => Promise<void>;
}

/** Runs a command with this process's arguments. Wrong arguments are told on stderr; every other error keeps its stack. */
export async function runCommand<const Options extends ParseArgsOptionsConfig>({
  usage,
  options,
  run,
}: Command<Options>): Promise<void> {
  try {
    const { values, isHelp } = parseCommandLine(process.argv.slice(2), options);
    if (isHelp) process.stdout.write(usage);
    else await run(values);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(printable(explainUsageError(error)));
    process.exitCode = USAGE_EXIT_CODE;
  }
}
