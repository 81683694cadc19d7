import { describe, expect, it } from 'vitest';
import { decideTurn } from '../../../functions/request-connection/decide-turn.ts';
import type { LineState } from '../../../functions/shared/quota/line.ts';
import type { Place } from '../../../functions/shared/quota/places.ts';
import { narrowBucket } from '../../helpers/line.ts';

const NOW_MS = Date.UTC(2026, 0, 1);
const PER_SECOND = 20;
/** How far calls may run ahead at 20 a second. */
const BURST_MS = 930;
const COUNTER = narrowBucket(NOW_MS + 60_000).counter;

const place = (overrides: Partial<Place> = {}): Place => ({
  revision: 1,
  knownOffers: new Set(['offer']),
  latestOffer: 'offer',
  askedAtMs: NOW_MS,
  deadlineMs: NOW_MS + 60_000,
  lineCounter: COUNTER,
  lineNumber: 0,
  ...overrides,
});
const withoutNumber = { lineCounter: undefined, lineNumber: undefined };

interface Moment {
  /** When the next permit is free, in ms from now; before now where permits are idle. */
  readonly freeInMs: number;
  readonly waitedMs?: number;
  readonly line?: LineState;
  readonly random?: number;
}

function decide(of: Place, { freeInMs, waitedMs = 0, line = [], random = 0 }: Moment) {
  const permits = { bookedUntilMs: NOW_MS + freeInMs + BURST_MS };
  return decideTurn(
    of,
    { line, permits, perSecond: PER_SECOND, nowMs: NOW_MS },
    NOW_MS - waitedMs,
    () => random,
  );
}

describe('a turn that comes before the deadline', () => {
  it.each([-500, 0, 300])('in %i ms is now: until its permit is booked, so much time passes', (freeInMs) => {
    expect(decide(place(), { freeInMs })).toEqual({ kind: 'NOW' });
  });

  it.each([
    [301, 1],
    [700, 400],
    [800, 500],
    [3000, 500],
  ])('in %i ms is waited for, and looked at again after %i ms', (freeInMs, delayMs) => {
    expect(decide(place(), { freeInMs })).toEqual({ kind: 'WAIT', delayMs });
  });

  it.each([
    [3001, 2],
    [4999, 3],
  ])('in %i ms is worth coming back for after %i s', (freeInMs, retryAfterSeconds) => {
    expect(decide(place(), { freeInMs })).toEqual({ kind: 'LATER', retryAfterSeconds });
  });

  it.each([
    [160, 10],
    [180, 10],
    [1000, 10],
  ])('behind %i numbers is worth coming back for after %i s', (lineNumber, retryAfterSeconds) => {
    expect(decide(place({ lineNumber }), { freeInMs: 3000 })).toEqual({ kind: 'LATER', retryAfterSeconds });
  });

  it('is waited for three seconds in all, and not for less than a second after that', () => {
    expect(decide(place(), { freeInMs: 1000, waitedMs: 2000 })).toMatchObject({ kind: 'WAIT' });
    expect(decide(place(), { freeInMs: 1001, waitedMs: 2000 })).toEqual({
      kind: 'LATER',
      retryAfterSeconds: 1,
    });
  });
});

describe('a turn that does not come in time', () => {
  it('is one that comes after the deadline, not with it', () => {
    const of = place({ deadlineMs: NOW_MS + 5000 });

    expect(decide(of, { freeInMs: 5000 })).toEqual({ kind: 'LATER', retryAfterSeconds: 4 });
    expect(decide(of, { freeInMs: 5001 })).toMatchObject({ kind: 'NOT_IN_TIME' });
  });

  it.each([
    [0, 5],
    [0.5, 10],
    [0.999, 15],
  ])('is asked for again after 5 to 15 s, by chance: random %d, %i s', (random, retryAfterSeconds) => {
    expect(decide(place(withoutNumber), { freeInMs: 5000, random })).toEqual({
      kind: 'NOT_IN_TIME',
      retryAfterSeconds,
    });
  });

  it.each([
    [7999, 7],
    [1000, 1],
    [999, 1],
    [-5000, 1],
  ])('is asked for again before the deadline, which is %i ms away: after %i s', (remainingMs, seconds) => {
    const of = place({ ...withoutNumber, deadlineMs: NOW_MS + remainingMs });

    expect(decide(of, { freeInMs: 60_000, random: 0.5 })).toEqual({
      kind: 'NOT_IN_TIME',
      retryAfterSeconds: seconds,
    });
  });

  it.each([
    ['a bucket', { lineNumber: undefined }],
    ['a number', { lineCounter: undefined }],
  ])('is that of a place with only %s', (_, half) => {
    expect(decide(place(half), { freeInMs: 0 })).toMatchObject({ kind: 'NOT_IN_TIME' });
  });
});

it('a place that has had its call is asked for again at once: the service knows the answer', () => {
  const of = place({ ...withoutNumber, isServed: true, deadlineMs: NOW_MS - 1 });

  expect(decide(of, { freeInMs: 60_000 })).toEqual({ kind: 'NOW' });
});

describe('permits that nobody takes', () => {
  /** Two hundred numbers before its own: by them alone its turn is ten seconds away. */
  const line = [narrowBucket(NOW_MS + 60_000, { drawn: 200 })];
  const waiting = (overrides: Partial<Place> = {}) =>
    place({ lineNumber: 200, askedAtMs: NOW_MS - 1000, ...overrides });
  /** One is free now, and one for each 50 ms before. */
  const idle = (count: number) => ({ line, freeInMs: -50 * (count - 1) });

  it('go to whoever has stood in line for a second, when there are three', () => {
    expect(decide(waiting(), idle(3))).toEqual({ kind: 'NOW' });
    expect(decide(waiting(), idle(2))).toMatchObject({ kind: 'LATER' });
    expect(decide(waiting({ askedAtMs: NOW_MS - 999 }), idle(3))).toMatchObject({ kind: 'LATER' });
    // Asked by a clock that was minutes ahead.
    expect(decide(waiting({ askedAtMs: NOW_MS + 600_000 }), idle(3))).toEqual({ kind: 'NOW' });
  });

  it('go by chance, one in ten of the line for each', () => {
    const chance = 3 / (1 + 200 / 10);

    expect(decide(waiting(), { ...idle(3), random: chance - 1e-9 })).toEqual({ kind: 'NOW' });
    expect(decide(waiting(), { ...idle(3), random: chance })).toMatchObject({ kind: 'LATER' });
    expect(decide(waiting(), { ...idle(6), random: chance })).toEqual({ kind: 'NOW' });
  });

  it('are all that can be idle, where that is less: while the account is throttled, half a second’s worth never is', () => {
    // At 18 calls a second a quarter of the burst is left, which is four calls.
    const permits = (bookedMs: number) => ({
      slowedTo: 18,
      slowedAtMs: NOW_MS,
      bookedUntilMs: NOW_MS + bookedMs,
    });
    const decideSlowed = (of: Place, bookedMs: number) =>
      decideTurn(
        of,
        { line, permits: permits(bookedMs), perSecond: PER_SECOND, nowMs: NOW_MS },
        NOW_MS,
        () => 0,
      );

    expect(decideSlowed(waiting(withoutNumber), 0)).toEqual({ kind: 'NOW' });
    expect(decideSlowed(waiting(withoutNumber), 50)).toMatchObject({ kind: 'NOT_IN_TIME' });
    expect(decideSlowed(waiting(), 50)).toEqual({ kind: 'NOW' });
  });

  it('go to a place that a clock minutes ahead has written', () => {
    expect(decide(waiting({ askedAtMs: NOW_MS + 600_000 }), idle(3))).toEqual({ kind: 'NOW' });
  });

  it('go to one without a number when there are half a second’s worth', () => {
    expect(decide(waiting(withoutNumber), idle(10))).toEqual({ kind: 'NOW' });
    expect(decide(waiting(withoutNumber), idle(9))).toMatchObject({ kind: 'NOT_IN_TIME' });
  });
});
