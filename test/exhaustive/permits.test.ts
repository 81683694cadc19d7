import { describe } from 'vitest';
import { slowDown, takePermit } from '../../functions/shared/quota/permits.ts';
import { exported, itFindsTheBugs, itHoldsInEveryHistory } from './exhaustive.ts';
import { type PermitsOptions, permitsScenario } from './permits-scenario.ts';

const patient = { waitMs: 3000 };
const impatient = { waitMs: 0 };

describe('permits let out no call over the quota, and none is lost but those of the dead, in every history of', () => {
  itHoldsInEveryHistory<PermitsOptions>(
    [
      {
        name: 'three callers',
        options: { perSecond: 2, callers: [patient, patient, patient] },
      },
      {
        name: 'three callers, with up to two steps that come late',
        options: { perSecond: 2, callers: [patient, patient, patient], delays: 2 },
      },
      {
        name: 'three callers for a quota of one a second, one of whom waits for nothing',
        options: { perSecond: 1, callers: [patient, patient, impatient], delays: 1 },
      },
      {
        name: 'callers whose clocks are 300 ms apart either way',
        options: {
          perSecond: 2,
          callers: [{ ...patient, skewMs: 300 }, { ...patient, skewMs: -300 }, patient],
          delays: 1,
        },
      },
      {
        name: 'a caller of low priority beside one of normal priority',
        options: { perSecond: 2, callers: [{ ...patient, priority: 'LOW' }, patient], delays: 1 },
      },
      {
        name: 'two callers, while a throttled call slows everybody down',
        options: { perSecond: 2, callers: [patient, patient], throttled: true, delays: 1 },
      },
      {
        name: 'three callers after a call, while it slows everybody down',
        options: { perSecond: 2, callers: [patient, patient, patient], throttled: true, spent: 1 },
      },
      {
        name: 'three callers, any of whom dies',
        budget: { deaths: 1 },
        options: { perSecond: 2, callers: [patient, patient, patient] },
      },
      {
        name: 'two callers after a clock that was ten minutes ahead',
        options: { perSecond: 2, callers: [patient, patient], bookedAheadMs: 600_000 },
      },
      {
        name: 'two callers after a clock that was ten minutes ahead, one of whom dies',
        budget: { deaths: 1 },
        options: { perSecond: 2, callers: [patient, patient], bookedAheadMs: 600_000 },
        large: true,
      },
      {
        name: 'four callers, with up to two steps that come late',
        options: { perSecond: 2, callers: [patient, patient, patient, patient], delays: 2 },
        large: true,
      },
      {
        name: 'three callers with clocks apart, a throttled call and a death',
        budget: { deaths: 1 },
        options: {
          perSecond: 2,
          callers: [{ ...patient, skewMs: 300 }, { ...patient, skewMs: -300 }, patient],
          throttled: true,
          delays: 1,
        },
        large: true,
      },
    ],
    permitsScenario,
  );
});

describe('the look at every history of permits', () => {
  const file = 'functions/shared/quota/permits.ts';
  const codeOf = (mutant: Readonly<Record<string, unknown>>) => ({
    takePermit: exported(mutant, takePermit),
    slowDown: exported(mutant, slowDown),
  });
  itFindsTheBugs(
    file,
    [
      {
        name: 'whoever finds the quota idle does not look whether it still is',
        file,
        find: '(attribute_not_exists(bookedUntilMs) OR bookedUntilMs < :now)',
        replace: '(attribute_not_exists(nothing) OR bookedUntilMs < :now)',
        shows: /over the quota with calls at/,
      },
      {
        name: 'a permit is booked for later than its caller waits',
        file,
        find: 'bookedUntilMs >= :now AND bookedUntilMs <= :last',
        replace: 'bookedUntilMs >= :now AND (bookedUntilMs <= :last OR bookedUntilMs > :last)',
        shows: /too late after/,
      },
      {
        name: 'nobody waits for their time',
        file,
        find: 'if (waitMs > 0) await clock.sleep(Math.min(waitMs, LONGEST_WAIT_MS));',
        replace: '',
        shows: /over the quota with calls at/,
      },
      {
        name: 'a permit is booked twice',
        file,
        find: 'if (booked === undefined) continue;',
        replace:
          'if (booked === undefined) continue; await moveOn(table, key, await readItem(table, key, true), pace, nowMs, lastMs);',
        shows: /booked until/,
      },
    ],
    codeOf,
    {},
    (world, code) =>
      permitsScenario(world, { code, perSecond: 2, callers: [{ waitMs: 400 }, patient, { waitMs: 600 }] }),
  );
  itFindsTheBugs(
    file,
    [
      {
        name: 'a clock that was ahead is believed',
        file,
        find: 'if (doubts + 1 >= DOUBTS_TO_RESET) {',
        replace: 'if (doubts + 1 >= 100 * DOUBTS_TO_RESET) {',
        shows: /nobody has outvoted the clock ahead/,
      },
    ],
    codeOf,
    {},
    (world, code) =>
      permitsScenario(world, { code, perSecond: 2, callers: [patient, patient], bookedAheadMs: 600_000 }),
  );
  itFindsTheBugs(
    file,
    [
      {
        name: 'slowing down forgets what is booked meanwhile',
        file,
        find: 'OR bookedUntilMs < :busyFrom)',
        replace: 'OR bookedUntilMs < :busyFrom OR bookedUntilMs >= :busyFrom)',
        shows: /over the quota with calls at/,
      },
      {
        name: 'a permit is booked by the pace from before a throttled call',
        file,
        find: "'attribute_not_exists(slowedAtMs)' : 'slowedAtMs = :slowedAt'",
        replace: "'attribute_not_exists(nothing)' : 'attribute_not_exists(nothing)'",
        shows: /over the quota with calls at/,
      },
    ],
    codeOf,
    {},
    (world, code) =>
      permitsScenario(world, {
        code,
        perSecond: 2,
        callers: [patient, patient, patient],
        throttled: true,
        spent: 1,
      }),
  );
});
