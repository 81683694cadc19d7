import { describe } from 'vitest';
import { slowDown, takePermit } from '../../functions/shared/quota/permits.ts';
import type { Clock } from '../../functions/shared/runtime/clock.ts';
import { withCondition, withValue } from './bugs.ts';
import { itFindsTheBugs, itHoldsInEveryHistory } from './exhaustive.ts';
import { type Code, type PermitsOptions, permitsScenario } from './permits-scenario.ts';

const REAL_CODE: Code = { takePermit, slowDown };
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
  itFindsTheBugs(
    REAL_CODE,
    [
      {
        name: 'whoever finds the quota idle does not look whether it still is',
        code: {
          takePermit: (request, dependencies) =>
            takePermit(
              request,
              withCondition(
                dependencies,
                'attribute_not_exists(bookedUntilMs) OR',
                'attribute_not_exists(nothing) OR',
              ),
            ),
        },
        shows: /over the quota with calls at/,
      },
      {
        name: 'a permit is booked for later than its caller waits',
        code: {
          takePermit: (request, dependencies) =>
            takePermit(
              request,
              withCondition(
                dependencies,
                'bookedUntilMs <= :last',
                '(bookedUntilMs <= :last OR bookedUntilMs > :last)',
              ),
            ),
        },
        shows: /too late after/,
      },
      {
        name: 'nobody waits for their time',
        code: {
          takePermit: (request, { table, clock }) => takePermit(request, { table, clock: hasty(clock) }),
        },
        shows: /over the quota with calls at/,
      },
      {
        name: 'a permit is booked twice',
        code: {
          takePermit: async (request, { table, clock }) => {
            await takePermit({ ...request, onBooked: () => {} }, { table, clock: hasty(clock) });
            return takePermit(request, { table, clock });
          },
        },
        shows: /booked until/,
      },
    ],
    {},
    (world, code) =>
      permitsScenario(world, { code, perSecond: 2, callers: [{ waitMs: 400 }, patient, { waitMs: 600 }] }),
  );
  itFindsTheBugs(
    REAL_CODE,
    [
      {
        name: 'a clock that was ahead is believed',
        code: {
          takePermit: (request, dependencies) =>
            takePermit(
              request,
              withValue(dependencies, ':one', () => 0),
            ),
        },
        shows: /nobody has outvoted the clock ahead/,
      },
    ],
    {},
    (world, code) =>
      permitsScenario(world, { code, perSecond: 2, callers: [patient, patient], bookedAheadMs: 600_000 }),
  );
  itFindsTheBugs(
    REAL_CODE,
    [
      {
        name: 'slowing down forgets what is booked meanwhile',
        code: {
          slowDown: (request, dependencies) =>
            slowDown(
              request,
              withCondition(
                dependencies,
                'bookedUntilMs < :busyFrom)',
                'bookedUntilMs < :busyFrom OR bookedUntilMs >= :busyFrom)',
              ),
            ),
        },
        shows: /over the quota with calls at/,
      },
      {
        name: 'a permit is booked by the pace from before a throttled call',
        code: {
          takePermit: (request, dependencies) =>
            takePermit(
              request,
              withCondition(
                dependencies,
                'attribute_not_exists(slowedAtMs)',
                'attribute_not_exists(nothing)',
              ),
            ),
        },
        shows: /over the quota with calls at/,
      },
    ],
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

/** A clock by which every wait is over at once. */
function hasty(clock: Clock): Clock {
  return {
    nowMs: () => clock.nowMs(),
    sleep: async () => {},
    setTimer: (...timer) => clock.setTimer(...timer),
  };
}
