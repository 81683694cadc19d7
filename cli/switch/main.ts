/** `npm run switch`: the service on, passed through, or refusing. docs/switch.md is its manual. */
import { systemClock } from '../../functions/shared/runtime/clock.ts';
import { run } from './run.ts';

process.exitCode = await run(process.argv.slice(2), {
  clock: systemClock,
  tell: (text) => process.stdout.write(text),
});
