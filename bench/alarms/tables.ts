import type { Alarm } from './read-alarms.ts';
import { DISCONNECTS_PER_MONTH, type FailureTold, type Told } from './times.ts';

/** From the repository's root. */
export const DOCUMENT = 'docs/alarms.md';
export const RUNBOOK = 'docs/runbook.md';

const BEGIN = '<!-- npm run alarms -- --write -->\n';
const END = '<!-- end -->\n';

/** The page with the table of failures as it is computed. */
export function withTable(document: string, table: string): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${DOCUMENT} has no place for the table.`);
  return document.slice(0, begin + BEGIN.length) + table + document.slice(end);
}

/** Each failure with the first page and the first ticket that tell of it. */
export function failureTable(times: readonly FailureTold[]): string {
  const heads = DISCONNECTS_PER_MONTH.map((number) => `${number.toLocaleString('en-US')} a month`);
  const rows = times.map(({ failure, told }) => [failure.what, ...told.map(cellOf)]);
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const rule = `|---|${'---|'.repeat(heads.length)}\n`;
  return [line(['what goes wrong', ...heads]), rule, ...rows.map(line)].join('');
}

function cellOf(told: readonly Told[]): string {
  const first = (severity: Told['severity']) => told.find((each) => each.severity === severity);
  const [page, ticket] = [first('page'), first('ticket')];
  const parts = [
    page && `**page** ${durationOf(page.afterMinutes)} \`${page.alarm}\``,
    ticket && `ticket ${durationOf(ticket.afterMinutes)} \`${ticket.alarm}\``,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? 'nothing' : parts.join('<br>');
}

/**
 * The runbook, with the line of each alarm's section that says whom it tells and how soon: in the failure that it tells
 * of soonest.
 */
export function withTimes(runbook: string, alarms: readonly Alarm[], times: readonly FailureTold[]): string {
  const [head = '', ...sections] = runbook.split(/^(?=### )/m);
  return [
    head,
    ...sections.map((section) => {
      const alarm = alarms.find(({ name }) => section.startsWith(`### ${headingOf(name)}\n`));
      if (alarm === undefined) return section;
      const told = `**Told.** ${tellingOf(alarm, times)}\n`;
      const bare = section.replace(/^\*\*Told\.\*\* .*\n\n/m, '');
      return bare.replace(/^(?=\*\*Look at\.\*\*)/m, () => `${told}\n`);
    }),
  ].join('');
}

/** `api-failing` → `API failing`, as the runbook's headings are. */
export function headingOf(name: string): string {
  const words = name.replaceAll('-', ' ').replace(/^api /, 'API ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function tellingOf({ name, severity }: Alarm, times: readonly FailureTold[]): string {
  const candidates = times.map(({ failure, told }) => ({
    failure,
    minutes: told.map((ofTraffic) => ofTraffic.find(({ alarm }) => alarm === name)?.afterMinutes),
  }));
  const total = (minutes: readonly (number | undefined)[]) =>
    minutes.reduce<number>((sum, value) => sum + (value ?? 1e6), 0);
  const best = candidates.toSorted((one, other) => total(one.minutes) - total(other.minutes))[0];
  const whom = severity === 'page' ? 'A page' : 'A ticket';
  if (best === undefined || best.minutes.every((value) => value === undefined)) return `${whom}.`;
  const [least, middle, most] = best.minutes.map((value) =>
    value === undefined ? 'never' : durationOf(value),
  );
  const when =
    least === middle && middle === most
      ? least
      : `${least} at 1,000 disconnects a month, ${middle} at 100,000, ${most} at 10 million`;
  return `${whom}. Soonest: ${when} ("${best.failure.what}", [alarms.md](alarms.md)).`;
}

function durationOf(minutes: number): string {
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [hours > 0 ? `${hours} h` : '', rest > 0 ? `${rest} min` : ''].filter(Boolean).join(' ');
}
