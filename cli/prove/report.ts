import { printable } from '../command-line.ts';
import { ASSUMPTIONS, type Assumption, assumptionsOf } from './assumptions.ts';
import { CHECKS } from './checks.ts';
import { type Finding, VERDICTS, type Verdict } from './finding.ts';
import { isCheckId } from './run-checks.ts';

export interface Run {
  readonly stage: string;
  readonly region: string;
  readonly stackName: string;
  readonly startedAt: string;
  readonly seconds: number;
  /** Calls by service, such as `cloudformation`. */
  readonly calls: ReadonlyMap<string, number>;
  readonly findings: readonly Finding[];
}

/** In US dollars a call. All other calls of a run are free: CloudWatch's price list, "API requests". */
const PRICE_OF_A_CLOUDWATCH_CALL = 0.000_01;

const WORDS: Readonly<Record<Verdict, string>> = {
  HOLDS: 'hold',
  DIFFERS: 'differ',
  COULD_NOT_ASK: 'could not be asked',
  SKIPPED: 'were skipped',
};

/** 0 when everything was asked and nothing contradicts, 1 when something contradicts, 3 when not everything could be asked. */
export function exitCodeOf(findings: readonly Finding[]): 0 | 1 | 3 {
  if (findings.some(({ verdict }) => verdict === 'DIFFERS')) return 1;
  return findings.some(({ verdict }) => verdict === 'COULD_NOT_ASK') ? 3 : 0;
}

export function lineOf({ check, verdict, found, toDo }: Finding): string {
  return `${verdict.padEnd(13)} ${check}: ${found}${toDo === undefined ? '' : ` → ${toDo}`}`;
}

export function summaryOf({ findings, seconds, calls }: Run): string {
  const counts = VERDICTS.map((verdict) => [
    findings.filter((one) => one.verdict === verdict).length,
    WORDS[verdict],
  ]);
  const all = [...calls.values()].reduce((sum, count) => sum + count, 0);
  return `${counts.map(([count, word]) => `${count} ${word}`).join(', ')}. ${seconds} s, ${all} calls, about $${costOf(calls).toFixed(4)}.`;
}

function costOf(calls: ReadonlyMap<string, number>): number {
  return (calls.get('cloudwatch') ?? 0) * PRICE_OF_A_CLOUDWATCH_CALL;
}

export function jsonReport(run: Run): string {
  const { findings, calls, ...rest } = run;
  const document = {
    version: 1,
    ...rest,
    calls: Object.fromEntries(calls),
    estimatedCostUsd: costOf(calls),
    exitCode: exitCodeOf(findings),
    findings: findings.map((finding) => ({
      ...finding,
      assumptions: assumptionsOf(finding.check).map(({ id }) => id),
    })),
    notSettled: notSettledBy(findings).map(({ id }) => id),
  };
  return withoutAccounts(`${JSON.stringify(document, null, 2)}\n`);
}

export function markdownReport(run: Run): string {
  const { findings, stage, region, stackName, startedAt } = run;
  const sections = Object.entries(CHECKS).flatMap(([check, title]) => {
    const found = findings.filter((finding) => finding.check === check);
    if (found.length === 0 || !isCheckId(check)) return [];
    const lines = found.map(({ verdict, found: what, toDo }) => {
      const advice = toDo === undefined ? '' : `\n  - To do: ${escaped(toDo)}`;
      return `- **${verdict}** ${escaped(what)}${advice}`;
    });
    return [`## ${title}\n\n${[...lines, ...besides(check, found)].join('\n')}\n`];
  });
  const others = notSettledBy(findings);
  const head = `# Report of \`npm run prove\`\n\nStage ${stage}, ${region}, stack ${stackName}, ${startedAt}.\n\n${summaryOf(run)}\n`;
  const rest = `## Not settled by this run\n\n${others.map(notSettledLine).join('\n')}\n`;
  return withoutAccounts([head, ...sections, rest].join('\n'));
}

/** What no check settles, and what the checks of this run did not come to. */
function notSettledBy(findings: readonly Finding[]): readonly Assumption[] {
  return ASSUMPTIONS.filter((assumption) => !isSettled(assumption, findings));
}

/** Findings of a session begin with the assumption's id. Those of another check do not, so one that could not be asked leaves all open. */
function isSettled({ id, settledBy }: Assumption, findings: readonly Finding[]): boolean {
  const ofCheck = findings.filter(({ check }) => check === settledBy);
  const about =
    settledBy === 'session' ? ofCheck.filter(({ found }) => found.startsWith(`${id}: `)) : ofCheck;
  return (
    about.some(({ verdict }) => verdict === 'HOLDS' || verdict === 'DIFFERS') &&
    about.every(({ verdict }) => verdict !== 'COULD_NOT_ASK')
  );
}

function notSettledLine({ id, claim, byHand, settledBy }: Assumption): string {
  return `- \`${id}\`: ${claim} ${byHand ?? `The check ${settledBy} settles it.`}`;
}

/** What depends on a check that has found a difference, or that could not ask. */
function besides(check: keyof typeof CHECKS, found: readonly Finding[]): string[] {
  if (found.every(({ verdict }) => verdict === 'HOLDS' || verdict === 'SKIPPED')) return [];
  return assumptionsOf(check).map(
    ({ id, claim, ifWrong, toSet }) => `- Assumption \`${id}\`: ${claim} If it is wrong: ${ifWrong} ${toSet}`,
  );
}

/** Text of AWS in Markdown: no markup, no line of its own, and no cell's end. */
function escaped(text: string): string {
  return printable(text)
    .replace(/[\\`*_[\]<>|]/g, (character) => `\\${character}`)
    .replace(/\s+/g, ' ');
}

/** A report is to be attached to an issue, so account ids are left out of it. */
function withoutAccounts(text: string): string {
  return text.replace(/(?<!\d)\d{12}(?!\d)/g, '<account>');
}
