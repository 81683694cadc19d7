import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import type * as Parsing from '../../functions/on-status-change/parse-event.ts';
import type { Outcome } from '../../functions/shared/contracts/index.ts';
import type * as Permits from '../../functions/shared/quota/permits.ts';
import type * as Closing from '../../functions/shared/window/close-window.ts';
import type * as Publishing from '../../functions/shared/window/publish-outcome.ts';
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

vi.mock('../../functions/shared/window/close-window.ts', async (importOriginal) => {
  const original = await importOriginal<typeof Closing>();
  return {
    ...original,
    closeWindow: (...[table, session, closing]: Parameters<typeof original.closeWindow>) =>
      original.closeWindow(table, session, guessed(closing)),
  };
});

vi.mock('../../functions/shared/window/publish-outcome.ts', async (importOriginal) => {
  const original = await importOriginal<typeof Publishing>();
  return {
    ...original,
    publishOutcome: (...[outcome, dependencies]: Parameters<typeof original.publishOutcome>) =>
      original.publishOutcome(guessed(outcome), dependencies),
  };
});

vi.mock('../../functions/on-status-change/parse-event.ts', async (importOriginal) => {
  const original = await importOriginal<typeof Parsing>();
  return {
    ...original,
    parseStatusChangeEvent: (...parameters: Parameters<typeof original.parseStatusChangeEvent>) => {
      const parsed = original.parseStatusChangeEvent(...parameters);
      return flaw.present === 'deaf to events' && parsed.ok ? { ...parsed, isStale: true } : parsed;
    },
  };
});

function guessed<Ended extends { readonly outcome: Outcome }>(ended: Ended): Ended {
  return flaw.present === 'guessed outcomes' ? { ...ended, outcome: 'RECONNECTED' } : ended;
}

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
