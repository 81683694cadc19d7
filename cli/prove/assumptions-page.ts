import { ASSUMPTIONS, type Assumption, SUBJECTS } from './assumptions.ts';
import { CHECKS } from './checks.ts';

const INTRODUCTION = `# Assumptions about AWS

What the code takes for true about AWS and no test here can prove. \`npm run prove:docs\` writes this page from
[cli/prove/assumptions.ts](../cli/prove/assumptions.ts). [\`npm run prove\`](prove.md) settles those that name a check; for the others a
line says how to settle them by hand.
`;

/** Returns docs/assumptions.md. */
export function assumptionsPage(): string {
  const settled = ASSUMPTIONS.filter(({ settledBy }) => settledBy !== undefined).length;
  const count = `\n${ASSUMPTIONS.length} assumptions; ${settled} are settled by a check.\n`;
  const sections = SUBJECTS.map((subject) => {
    const entries = ASSUMPTIONS.filter((assumption) => assumption.subject === subject);
    return `\n## ${subject}\n${entries.map(sectionOf).join('')}`;
  });
  return INTRODUCTION + count + sections.join('');
}

function sectionOf(assumption: Assumption): string {
  const { id, claim, source, usedIn, settledBy, byHand, ifWrong, toSet } = assumption;
  const settles =
    settledBy === undefined
      ? `- **To settle it by hand**: ${byHand ?? ''}`
      : `- **Settled by** the check \`${settledBy}\` (${CHECKS[settledBy]}).`;
  const lines = [
    `- **Source**: ${source}`,
    `- **Used in** ${usedIn.map(linkOf).join(', ')}.`,
    settles,
    `- **If it is wrong**: ${ifWrong}`,
    `- **What to set**: ${toSet}`,
    ...standInLines(assumption),
  ];
  return `\n### ${id}\n\n${claim}\n\n${lines.join('\n')}\n`;
}

function standInLines({ statedIn = [], standIn = [] }: Assumption): string[] {
  const pages = [...new Set(statedIn.map(({ page }) => page))];
  const values = standIn.map(({ setting, value }) => `\`${setting}\` = \`${JSON.stringify(value)}\``);
  return [
    ...(pages.length === 0 ? [] : [`- **Stated in** ${pages.map(linkOf).join(', ')}.`]),
    ...(values.length === 0 ? [] : [`- **The stand-in's default**: ${values.join(', ')}.`]),
  ];
}

function linkOf(path: string): string {
  return `[${path}](${path.startsWith('docs/') ? path.slice('docs/'.length) : `../${path}`})`;
}
