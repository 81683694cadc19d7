import type { StormResult } from './run-storm.ts';
import { type Scenario, titleOf } from './scenario.ts';

export interface Cell {
  readonly scenario: Scenario;
  readonly results: readonly StormResult[];
}

const COLUMNS: readonly (readonly [title: string, of: (result: StormResult) => string])[] = [
  ['saved', ({ saved }) => String(saved)],
  ['of bound', ({ saved, bound }) => `${percent(saved / bound)} %`],
  ['calls/saved', ({ calls, saved }) => (saved === 0 ? '-' : (calls / saved).toFixed(3))],
  ['rejected', ({ rejected }) => String(rejected)],
  ['p50 s', ({ p50Seconds }) => p50Seconds.toFixed(1)],
  ['p99 s', ({ p99Seconds }) => p99Seconds.toFixed(1)],
  ['late p99 s', ({ lateP99Seconds }) => lateP99Seconds.toFixed(1)],
  [
    'foreign rejected',
    ({ foreignRejected, foreignCalls }) => (foreignCalls === 0 ? '-' : `${foreignRejected}/${foreignCalls}`),
  ],
];

/** A table for people; of Markdown, so that it can be pasted into a document as it is. */
export function tableOf({ scenario, results }: Cell): string {
  const head = ['policy', ...COLUMNS.map(([title]) => title)];
  const rows = results.map((result) => [result.policy, ...COLUMNS.map(([, of]) => of(result))]);
  const bound = results[0]?.bound ?? 0;
  rows.push(['the bound', String(bound), '100.0 %', '1.000', '0', ...Array.from({ length: 4 }, () => '')]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? `${'-'.repeat(width + 2)}` : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [`${titleOf(scenario)}`, '', line(head), rule, ...rows.map(line)].join('\n');
}

/** Of the bound, with equal windows, to which the first permits and calls on their way cost two or three sessions. */
const LEAST_SHARE = 0.99;
/**
 * The same where ten thousand ask within a quarter of a second. They look at the line more often than one item can be read
 * (3,000 units a second), so for most of the first second permits lie idle: some ten sessions, 5 % of a window of 10 s.
 */
const LEAST_SHARE_OF_MANY = 0.94;
const MANY_SESSIONS = 10_000;
/** With mixed windows the first permits go out before it is known who comes. */
const LEAST_SHARE_MIXED = 0.95;
/** Calls per saved session, by the foreign load a second: its share of the quota has to be found out by being throttled. */
const MOST_CALLS: Readonly<Record<number, number>> = { 5: 1.03, 10: 1.06, 15: 1.12 };
/** Finding the rate that a foreign load leaves takes two seconds. Shorter windows have no goals with foreign load. */
const LEAST_FOREIGN_WINDOW_SECONDS = 30;
const MOST_FOREIGN_SHARE = 0.1;

/** What the project promises of its own policy, and what became of it. */
export function verdictOf(
  cells: readonly Cell[],
  ourName: string,
): { readonly met: boolean; readonly text: string } {
  const misses = cells.flatMap(({ scenario, results }) => {
    const ours = results.find(({ policy }) => policy === ourName);
    if (ours === undefined) return [];
    if (!hasGoals(scenario)) return [];
    const share = ours.saved / ours.bound;
    const goal = leastShareOf(scenario);
    const calls = ours.calls / ours.saved;
    const mostCalls = MOST_CALLS[scenario.foreignPerSecond] ?? 1.02;
    // The others here call blindly, again and again.
    const blindlyRejected = Math.max(
      // Without foreign load nobody rejects a foreign call, and one policy alone has nothing to be compared with.
      results.length > 1 ? 0 : Number.POSITIVE_INFINITY,
      ...results.filter((result) => result !== ours).map(({ foreignRejected }) => foreignRejected),
    );
    return [
      ...(share < goal ? [`${titleOf(scenario)}: ${percent(share)} % of the bound`] : []),
      ...(calls > mostCalls
        ? [`${titleOf(scenario)}: ${calls.toFixed(3)} calls per saved session, ${mostCalls} allowed`]
        : []),
      ...(ours.foreignRejected > blindlyRejected * MOST_FOREIGN_SHARE
        ? [
            `${titleOf(scenario)}: ${ours.foreignRejected} foreign calls rejected, ${blindlyRejected} by blind retries`,
          ]
        : []),
    ];
  });
  return misses.length === 0
    ? {
        met: true,
        text: 'Goals met: 99 % of the bound with equal windows (94 % for 10,000 sessions), 95 % with mixed ones and with foreign load; 1.02 calls per saved session, and 1.03, 1.06 and 1.12 with a foreign load of 5, 10 and 15/s; foreign calls rejected at most a tenth of what blind retries cause.',
      }
    : { met: false, text: `Goals missed:\n${misses.map((miss) => `  ${miss}`).join('\n')}` };
}

function hasGoals({ windows, foreignPerSecond, lostReplies }: Scenario): boolean {
  // Lost replies cost calls that nobody can save; the goals are set without them.
  if (lostReplies > 0) return false;
  return foreignPerSecond === 0 || typeof windows !== 'number' || windows >= LEAST_FOREIGN_WINDOW_SECONDS;
}

function leastShareOf({ sessions, windows, foreignPerSecond }: Scenario): number {
  if (sessions >= MANY_SESSIONS) return LEAST_SHARE_OF_MANY;
  return typeof windows !== 'number' || foreignPerSecond > 0 ? LEAST_SHARE_MIXED : LEAST_SHARE;
}

function percent(share: number): string {
  return (share * 100).toFixed(1);
}
