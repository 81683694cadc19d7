import { describe, expect, it } from 'vitest';
import {
  mostSparePermits,
  nextNumber,
  sparePermits,
  turnOf,
  waitingInLine,
} from '../../../functions/request-connection/decide-turn.ts';
import type { Rank } from '../../../functions/shared/quota/deadline-bucket.ts';
import { narrowBucket } from '../../helpers/line.ts';

const NOW_MS = Date.UTC(2026, 0, 1);
const PER_SECOND = 20;
/** Booked so that the next permit is free now: nothing is saved up, nobody is before. */
const BOOKED_UP = { bookedUntilMs: NOW_MS + 930 };
/** So many of the sessions with a deadline in so many seconds, two seconds wide. */
const waiting = (seconds: number, drawn: number, served = 0, rank: Rank = 'REPORTED') =>
  narrowBucket(NOW_MS + seconds * 1000, { drawn, served, rank });
const counterIn = (seconds: number, rank: Rank = 'REPORTED') => waiting(seconds, 0, 0, rank).counter;

/** In seconds from now. */
function ownTurn(line: readonly ReturnType<typeof waiting>[], seconds: number, number: number): number {
  const standing = { line, permits: BOOKED_UP, perSecond: PER_SECOND, nowMs: NOW_MS };
  return (turnOf(standing, { counter: counterIn(seconds), number }) - NOW_MS) / 1000;
}

describe('a turn', () => {
  it('is a twentieth of a second later for each lower number that has had no call', () => {
    expect(ownTurn([waiting(12, 100, 40)], 12, 60)).toBe(1);
  });

  it('waits for everybody with an earlier deadline, whatever their number', () => {
    expect(ownTurn([waiting(12, 40), waiting(122, 10)], 122, 0)).toBe(2);
  });

  it('waits for nobody with a later deadline', () => {
    expect(ownTurn([waiting(12, 1), waiting(122, 500)], 12, 0)).toBe(0);
  });

  it('waits for those with an earlier deadline no longer than until it has passed', () => {
    // A thousand with deadlines 12 to 14 s from now: 280 at most can be saved.
    expect(ownTurn([waiting(12, 1000), waiting(122, 1)], 122, 0)).toBe(14);
  });

  it('does not wait for numbers whose deadline has passed', () => {
    expect(ownTurn([waiting(-60, 500), waiting(12, 1)], 12, 0)).toBe(0);
  });

  it('is none of the calls that others with a later deadline have had', () => {
    expect(ownTurn([waiting(12, 20), waiting(122, 50, 40)], 12, 20)).toBe(1);
  });

  it('does not wait for those whose deadline is now, where permits are saved up', () => {
    const standing = { line: [waiting(-2, 500)], permits: {}, perSecond: PER_SECOND, nowMs: NOW_MS };

    expect(turnOf(standing, { counter: counterIn(12), number: 0 })).toBe(NOW_MS - 930);
  });

  it('comes no sooner for calls that were counted twice', () => {
    expect(ownTurn([waiting(12, 1, 5), waiting(122, 1)], 122, 0)).toBe(0);
    expect(ownTurn([waiting(12, 10, 5)], 12, 3)).toBe(0);
  });

  it('takes account of the slower pace after a throttled call', () => {
    const permits = { ...BOOKED_UP, slowedTo: 10, slowedAtMs: NOW_MS };
    const standing = { line: [waiting(12, 20)], permits, perSecond: PER_SECOND, nowMs: NOW_MS };
    // A slowed quota saves up less, so what is booked reaches 0.8 s further.
    const turn = turnOf(standing, { counter: counterIn(12), number: 20 }) - NOW_MS;
    expect(turn).toBeCloseTo(2000 + 930 - (250 - 100 - 20), 6);
  });
});

describe('the turn of a session without an open window', () => {
  const turn = (line: readonly ReturnType<typeof waiting>[], rank: Rank) => {
    const standing = { line, permits: BOOKED_UP, perSecond: PER_SECOND, nowMs: NOW_MS };
    return (turnOf(standing, { counter: counterIn(12, rank), number: 0 }) - NOW_MS) / 1000;
  };

  it('comes after every session with one, however far the deadlines are', () => {
    expect(turn([waiting(122, 40), waiting(12, 1, 0, 'UNKNOWN')], 'UNKNOWN')).toBe(2);
  });

  it('does not come before any session with one', () => {
    expect(turn([waiting(12, 1), waiting(2, 1000, 0, 'UNKNOWN')], 'REPORTED')).toBe(0);
  });
});

describe('spare permits', () => {
  it.each([
    [undefined, 19],
    [NOW_MS - 5000, 19],
    [NOW_MS + 930, 1],
    [NOW_MS + 931, 0],
    [NOW_MS + 5000, 0],
    [NOW_MS + 830, 3],
  ])('booked until %s: %i', (bookedUntilMs, expected) => {
    const permits = bookedUntilMs === undefined ? {} : { bookedUntilMs };

    expect(sparePermits({ permits, perSecond: PER_SECOND, nowMs: NOW_MS })).toBe(expected);
  });
});

describe('the most permits that can be idle', () => {
  it.each([
    [20, {}, 19],
    [2, {}, 1],
    [1, {}, 1],
    [20, { slowedTo: 18, slowedAtMs: NOW_MS }, 4],
    [20, { slowedTo: 2, slowedAtMs: NOW_MS }, 1],
  ])('of %i a second, after %j: %i', (perSecond, permits, expected) => {
    expect(mostSparePermits({ permits, perSecond, nowMs: NOW_MS })).toBe(expected);
    // As many as there are when nobody has called for long.
    expect(sparePermits({ permits: { ...permits, bookedUntilMs: 0 }, perSecond, nowMs: NOW_MS })).toBe(
      expected,
    );
  });
});

describe('a line', () => {
  it('gives the next number of each deadline, from 0', () => {
    const line = [waiting(12, 7, 5), waiting(122, 2)];

    expect([12, 122, 60].map((seconds) => nextNumber(line, counterIn(seconds)))).toEqual([7, 2, 0]);
  });

  it('counts those who wait and can still be saved', () => {
    expect(waitingInLine([], NOW_MS, 'REPORTED')).toBe(0);
    expect(waitingInLine([waiting(-2, 500), waiting(0, 3), waiting(12, 7, 5)], NOW_MS, 'REPORTED')).toBe(
      3 + 2,
    );
    expect(waitingInLine([waiting(12, 1, 5), waiting(122, 2)], NOW_MS, 'REPORTED')).toBe(2);
  });

  it('counts unknown sessions for an unknown session only', () => {
    const line = [waiting(12, 7), waiting(12, 100, 0, 'UNKNOWN')];

    expect(waitingInLine(line, NOW_MS, 'REPORTED')).toBe(7);
    expect(waitingInLine(line, NOW_MS, 'UNKNOWN')).toBe(107);
  });
});
