import { expect, it } from 'vitest';
import { VirtualClock } from '../src/virtual-clock.ts';

const never = () => new Promise<never>(() => {});

/** Work that is given up while one of its strands sleeps; what the strand does then never ends. */
function killedInItsSleep(clock: VirtualClock, sleepMs: number): Promise<void> {
  return clock.track(
    () =>
      new Promise<void>((resolve) => {
        void clock.sleep(sleepMs).then(never);
        resolve();
      }),
  );
}

it('time goes on to the end of a sleep, past work that was killed in its own', async () => {
  const clock = new VirtualClock(0);
  await killedInItsSleep(clock, 10);
  const woke: number[] = [];

  const work = clock.track(async () => {
    await clock.sleep(20);
    woke.push(clock.nowMs());
  });
  await clock.advance(30);
  await work;

  expect(woke).toEqual([20]);
});

it('time stands still while work runs that began beside a killed one', async () => {
  const clock = new VirtualClock(0);
  await killedInItsSleep(clock, 10);
  let atEndMs = Number.NaN;

  const work = clock.track(async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    atEndMs = clock.nowMs();
  });
  await clock.advance(30);
  await work;

  expect(atEndMs).toBe(0);
});
