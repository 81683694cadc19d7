/** A wrong argument. The message says in one line what is right. */
export class BenchUsageError extends Error {
  override readonly name = 'BenchUsageError';
}

/** Runs a bench. A wrong argument is one line on stderr and exit code 2; every other error keeps its stack. */
export async function runBench(bench: () => Promise<void>): Promise<void> {
  try {
    await bench();
  } catch (error) {
    if (!isUsageError(error)) throw error;
    process.stderr.write(`${error.message.split('\n')[0]}\n`);
    process.exitCode = 2;
  }
}

/** `parseArgs` of Node throws a TypeError whose code begins with ERR_PARSE_ARGS. */
function isUsageError(error: unknown): error is Error {
  if (error instanceof BenchUsageError) return true;
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}
