import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import type * as Opening from '../../functions/on-status-change/on-status-change.ts';
import type * as Recording from '../../functions/record-outcome/record-outcome.ts';
import type * as Permits from '../../functions/shared/quota/permits.ts';
import { aDay } from './a-day.ts';
import { everydayCommands } from './commands.ts';

const flaw = vi.hoisted(() => ({ present: 'none' }));

vi.mock('../../functions/shared/quota/permits.ts', async (importOriginal) => {
  const original = await importOriginal<typeof Permits>();
  return {
    ...original,
    takePermit: async (...parameters: Parameters<typeof original.takePermit>) => {
      if (flaw.present !== 'no permits') return original.takePermit(...parameters);
      parameters[0].onBooked?.();
      return true;
    },
  };
});

vi.mock('../../functions/record-outcome/record-outcome.ts', async (importOriginal) => {
  const original = await importOriginal<typeof Recording>();
  return {
    ...original,
    recordOutcome: (...[input, dependencies]: Parameters<typeof original.recordOutcome>) =>
      original.recordOutcome(
        flaw.present === 'guessed outcomes' ? { ...input, outcome: 'RECONNECTED' } : input,
        dependencies,
      ),
  };
});

vi.mock('../../functions/on-status-change/on-status-change.ts', async (importOriginal) => {
  const original = await importOriginal<typeof Opening>();
  return {
    ...original,
    onStatusChange: async (...parameters: Parameters<typeof original.onStatusChange>) =>
      flaw.present === 'deaf to events' ? { result: 'NO_WINDOW' } : original.onStatusChange(...parameters),
  };
});

it.each([
  ['no permits', /calls of \w+ at|were throttled/],
  ['guessed outcomes', /contradicts the service/],
  ['deaf to events', /on record: \[\]/],
])(
  'a day shows the flaw: %s',
  async (name, shows) => {
    flaw.present = name;

    const { failed, errorInstance } = await fc.check(aDay(everydayCommands), {
      numRuns: 60,
      endOnFailure: true,
    });

    expect(failed).toBe(true);
    expect(errorInstance).toMatchObject({ message: expect.stringMatching(shows) });
  },
  120_000,
);
