/**
 * The counters of the line: sessions whose deadlines lie close together share one. A counter's name says which
 * stretch of time it stands for, so that its number alone says how many have drawn and how many of them had their call.
 *
 * The width of a bucket grows with the time that is left when its number is drawn. A deadline that is an hour away needs
 * no precision of two seconds, and the item of the line has to stay below 1 KB: one write then costs one write unit.
 */

/**
 * What vouches for a session, in the order of the line: the service's own list of waiting sessions, an open window (which
 * every feed may open), or only the caller.
 */
export type Rank = 'CONFIRMED' | 'REPORTED' | 'UNKNOWN';

/** The sessions of one counter. */
export interface DeadlineBucket {
  /** The counter's attribute in the line's item. */
  readonly counter: string;
  readonly rank: Rank;
  /** Deadlines from here, in epoch ms, … */
  readonly startMs: number;
  /** … to just before here. */
  readonly endMs: number;
  /** How many numbers were drawn. */
  readonly drawn: number;
  /** How many of them have had their call. */
  readonly served: number;
}

export type Deadlines = Omit<DeadlineBucket, 'drawn' | 'served'>;

/** The narrowest bucket; the only width of the code before 2026-11-28. */
export const NARROWEST_MS = 2000;
/** Each level is three times as wide: 2, 6, 18, 54, 162 and 486 s, which is a quarter of 3,600 s at most. */
const WIDENING = 3;
/** At the moment of drawing, four of them fit into the time that is left. */
const SHARE_OF_TIME_LEFT = 1 / 4;
/** The first letter of a counter says the level and the rank. */
const LEVELS: Readonly<Record<Rank, string>> = { CONFIRMED: 'GHIJKL', REPORTED: 'ABCDEF', UNKNOWN: 'UVWXYZ' };
const RANKS: readonly Rank[] = ['CONFIRMED', 'REPORTED', 'UNKNOWN'];
const COUNTER = /^([A-LU-Z])([0-9a-z]{1,8})$/;
/** The code before 2026-11-28 has two attributes for each two seconds. */
const FORMER_COUNTER = /^drawn(\d{1,12})$/;

/** One attribute holds both counts: drawn × 10,000,000 + served. 20 calls a second serve 82,000 in the widest bucket. */
const DRAWN_ONE = 10_000_000;

/** What is added to a counter when a number is drawn, and when a number has had its call. */
export const ADDED = { drawn: DRAWN_ONE, served: 1 } as const;

/**
 * The counter of a deadline: at most a quarter as wide as the time that is left, and two seconds at least. A deadline
 * that has passed counts as now, because clocks differ and only the service knows that it is too late.
 */
export function counterOf(wait: {
  readonly deadlineMs: number;
  readonly nowMs: number;
  readonly rank: Rank;
}): string {
  const atMs = Math.max(wait.deadlineMs, wait.nowMs);
  const widestMs = (atMs - wait.nowMs) * SHARE_OF_TIME_LEFT;
  const levels = LEVELS[wait.rank];
  let level = 0;
  while (level + 1 < levels.length && widthMs(level + 1) <= widestMs) level++;
  return `${levels.charAt(level)}${Math.floor(atMs / widthMs(level)).toString(36)}`;
}

/** The counter of the code before 2026-11-28, by the number of its two seconds. */
export function formerCounterOf(bucket: number): string {
  return `drawn${bucket}`;
}

/** The number of the two seconds of a former counter; undefined for every other one. */
export function formerBucketOf(counter: string): number | undefined {
  const [, digits] = FORMER_COUNTER.exec(counter) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** Which deadlines a counter stands for; undefined for what is no counter. */
export function deadlinesOf(counter: string): Deadlines | undefined {
  const former = formerBucketOf(counter);
  if (former !== undefined) {
    const startMs = former * NARROWEST_MS;
    return { counter, rank: 'REPORTED', startMs, endMs: startMs + NARROWEST_MS };
  }
  const [, letter = '', digits = ''] = COUNTER.exec(counter) ?? [];
  const rank = RANKS.find((one) => LEVELS[one].includes(letter));
  if (letter === '' || rank === undefined) return undefined;
  const width = widthMs(LEVELS[rank].indexOf(letter));
  const startMs = Number.parseInt(digits, 36) * width;
  return { counter, rank, startMs, endMs: startMs + width };
}

/** Reads both counts from a counter's number. */
export function countsOf(value: number): { readonly drawn: number; readonly served: number } {
  return { drawn: Math.floor(value / DRAWN_ONE), served: value % DRAWN_ONE };
}

/**
 * The order of the line: by rank, then by the end of the bucket. Of two buckets with the same end the
 * narrower one goes first.
 */
export function compareDeadlines(a: Deadlines, b: Deadlines): number {
  if (a.rank !== b.rank) return isBehind(a.rank, b.rank) ? 1 : -1;
  return a.endMs - b.endMs || b.startMs - a.startMs || (a.counter < b.counter ? -1 : 1);
}

export function isBehind(rank: Rank, other: Rank): boolean {
  return RANKS.indexOf(rank) > RANKS.indexOf(other);
}

function widthMs(level: number): number {
  return NARROWEST_MS * WIDENING ** level;
}
