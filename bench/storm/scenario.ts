import { z } from 'zod';

const windowsSchema = z.literal([10, 30, 120, 'mixed', 'wide']);
export type Windows = z.infer<typeof windowsSchema>;

/** Mixed storms: each session has one of these, all with the same chance. */
const MIXTURES = { mixed: [10, 120], wide: [10, 120, 600, 3600] } as const;

export const scenarioSchema = z
  .object({
    sessions: z.int(),
    /** Seconds that the service keeps a dropped session; mixed and wide: each has one of several. */
    windows: windowsSchema,
    /** Players come back within so many seconds of the drop, spread evenly. */
    backWithinSeconds: z.number(),
    /** Calls a second that somebody else makes in the same account. */
    foreignPerSecond: z.number(),
    /** Of the replies, which never arrive though the service has taken the call. */
    lostReplies: z.number(),
  })
  .readonly();
export type Scenario = z.infer<typeof scenarioSchema>;

export interface Player {
  readonly id: string;
  readonly backAtMs: number;
  readonly deadlineMs: number;
}

/** All sessions drop at `startMs`. A player who is back too late is no one's to save. */
export function playersOf(scenario: Scenario, startMs: number, random: () => number): Player[] {
  return Array.from({ length: scenario.sessions }, (_, index) => {
    const seconds = secondsOf(scenario.windows, random);
    return {
      id: `session${index}`,
      backAtMs: startMs + random() * scenario.backWithinSeconds * 1000,
      deadlineMs: startMs + seconds * 1000,
    };
  }).filter(({ backAtMs, deadlineMs }) => backAtMs < deadlineMs);
}

function secondsOf(windows: Windows, random: () => number): number {
  if (typeof windows === 'number') return windows;
  const mixture = MIXTURES[windows];
  return mixture[Math.floor(random() * mixture.length)] ?? mixture[0];
}

/** "At once" is a quarter of a second: no two clients notice a fault in the same millisecond. */
export const AT_ONCE_SECONDS = 0.25;

const plain = { backWithinSeconds: AT_ONCE_SECONDS, foreignPerSecond: 0, lostReplies: 0 };
const WINDOWS: readonly Windows[] = [10, 30, 120, 'mixed'];
const SIZES = [100, 1000, 10_000];
const FOREIGN_LOADS = [5, 10, 15];

/** Sizes by windows, then each circumstance by itself at 1,000 sessions. */
export function usualMatrix(): Scenario[] {
  return [
    ...SIZES.flatMap((sessions) => WINDOWS.map((windows) => ({ ...plain, sessions, windows }))),
    ...[
      { backWithinSeconds: 30 },
      ...FOREIGN_LOADS.map((foreignPerSecond) => ({ foreignPerSecond })),
      { lostReplies: 0.05 },
    ].flatMap((circumstance) =>
      WINDOWS.map((windows) => ({ ...plain, sessions: 1000, windows, ...circumstance })),
    ),
  ];
}

/** Everything with everything. */
export function fullMatrix(): Scenario[] {
  return SIZES.flatMap((sessions) =>
    WINDOWS.flatMap((windows) =>
      [AT_ONCE_SECONDS, 30].flatMap((backWithinSeconds) =>
        [0, 5].flatMap((foreignPerSecond) =>
          [0, 0.05].map((lostReplies) => ({
            sessions,
            windows,
            backWithinSeconds,
            foreignPerSecond,
            lostReplies,
          })),
        ),
      ),
    ),
  );
}

/** A name for the command line. */
export function nameOf({ sessions, windows, ...rest }: Scenario): string {
  return [
    `${sessions}-${typeof windows === 'number' ? `${windows}s` : windows}`,
    ...(rest.backWithinSeconds > 1 ? [`back${rest.backWithinSeconds}s`] : []),
    ...(rest.foreignPerSecond > 0 ? [`foreign${rest.foreignPerSecond}`] : []),
    ...(rest.lostReplies > 0 ? [`lost${rest.lostReplies * 100}`] : []),
  ].join('-');
}

export function titleOf({ sessions, windows, ...rest }: Scenario): string {
  const notes = [
    rest.backWithinSeconds > 1 ? `back over ${rest.backWithinSeconds} s` : '',
    rest.foreignPerSecond > 0 ? `foreign ${rest.foreignPerSecond}/s` : '',
    rest.lostReplies > 0 ? `${rest.lostReplies * 100} % lost replies` : '',
  ].filter((note) => note !== '');
  const title = `${sessions} sessions, windows ${typeof windows === 'number' ? windows : MIXTURES[windows].join(', ')} s`;
  return [title, ...notes].join(', ');
}
