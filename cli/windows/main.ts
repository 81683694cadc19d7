/** `npm run windows`: gives failed windows to a new execution. docs/runbook.md says when. */
import { systemClock } from '../../functions/shared/runtime/clock.ts';
import { run } from './run.ts';

process.exitCode = await run(process.argv.slice(2), {
  clock: systemClock,
  tell: (text) => process.stdout.write(text),
});
