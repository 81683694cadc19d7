/** `npm run windows`: lists windows, shows what happened to a player, retries failed windows. docs/runbook.md says when. */
import { systemClock } from '../../functions/shared/runtime/clock.ts';
import { run } from './run.ts';

function catchStop(): AbortSignal {
  const stop = new AbortController();
  process.once('SIGINT', () => {
    stop.abort();
    // A second one ends a call that does not return.
    process.once('SIGINT', () => process.exit(130));
  });
  return stop.signal;
}

process.exitCode = await run(process.argv.slice(2), {
  clock: systemClock,
  tell: (text) => process.stdout.write(text),
  tellProgress: (text) => process.stderr.write(text),
  ...(process.stdout.isTTY ? { screen: { rows: () => process.stdout.rows, catchStop } } : {}),
});
