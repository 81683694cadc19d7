import { fail, inTurn, machine, startEndpoint, succeed, task } from 'step-functions-local/testing';

const { clock, run, describe, history, close } = await startEndpoint({
  work: inTurn(fail('Busy'), fail('Busy'), succeed('done')), // the function "work", call by call
});

const retry = { ErrorEquals: ['Busy'], IntervalSeconds: 60, BackoffRate: 2, MaxAttempts: 3 };
const work = task({ Retry: [retry], Output: '{% $states.result.Payload %}' });
const execution = await run(machine({ Work: work }));
await clock.advance(10 * 60 * 1000); // ten minutes of backoff in a few milliseconds

const { status, output } = await describe(execution);
console.log(status, output);
for (const { type } of await history(execution)) console.log(type);

await close();
