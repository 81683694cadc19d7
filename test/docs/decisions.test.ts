import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchorOf, linksOf, listFiles, REPOSITORY, readText } from '../helpers/markdown.ts';

const FOLDER = 'docs/decisions/';
const STATUS =
  /^\*Accepted (\d{4}-\d\d-\d\d)(?:, (amended|superseded) (\d{4}-\d\d-\d\d) by \[([^\]]+)\]\(([^)]*)\))?\.\*$/;

interface Decision {
  readonly page: string;
  readonly title: string;
  /** The line below the heading. */
  readonly statusLine: string;
}

const pages = listFiles('md').filter((path) => path.startsWith(FOLDER) && basename(path) !== 'README.md');
const decisions = pages.flatMap(decisionsOf);
const placeOf = ({ page, title }: Decision): string => `${page}#${anchorOf(title)}`;
const byPlace = new Map(decisions.map((decision) => [placeOf(decision), decision]));

describe('a decision', () => {
  it('has a date and a status', () => {
    expect(decisions.length).toBeGreaterThan(100);
    expect(decisions.filter(({ statusLine }) => !STATUS.test(statusLine))).toEqual([]);
  });

  it('has a title of its own', () => {
    const titles = decisions.map(({ title }) => title);

    expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
  });

  it('that was amended or superseded names the later decision by its title and date', () => {
    const wrong = decisions.filter((decision) => {
      const [, accepted = '', change, changed = '', title, link = ''] =
        STATUS.exec(decision.statusLine) ?? [];
      if (change === undefined) return false;
      const later = byPlace.get(link.startsWith('#') ? `${decision.page}${link}` : FOLDER + link);
      return (
        later?.title !== title || !later?.statusLine.startsWith(`*Accepted ${changed}`) || changed < accepted
      );
    });

    expect(wrong).toEqual([]);
  });

  it('that is in force is linked from a page or a comment where it matters', () => {
    const linked = new Set([...linksFromPages(), ...mentionsInCode()]);
    const unlinked = decisions.filter(
      (decision) => !decision.statusLine.includes(', superseded ') && !linked.has(placeOf(decision)),
    );

    expect(unlinked.map(placeOf)).toEqual([]);
  });
});

it('the index lists every decision: npx vitest run test/docs -u writes it', async () => {
  await expect(index()).toMatchFileSnapshot(join(REPOSITORY, FOLDER, 'README.md'));
});

function decisionsOf(page: string): Decision[] {
  const [, ...sections] = readText(page).split(/^## /m);
  return sections.map((section) => {
    const [title = '', , statusLine = ''] = section.split('\n');
    return { page, title, statusLine };
  });
}

function linksFromPages(): string[] {
  return listFiles('md')
    .filter((path) => !path.startsWith(FOLDER))
    .flatMap((path) =>
      linksOf(readText(path)).map((link) => /(?:docs\/)?decisions\/[^#]+#.+$/.exec(link)?.[0] ?? ''),
    )
    .map((link) => (link.startsWith('docs/') ? link : `docs/${link}`));
}

function mentionsInCode(): string[] {
  return listFiles('ts', 'tsx', 'mjs', 'yml', 'py').flatMap((path) =>
    [...readText(path).matchAll(/\bdocs\/decisions\/[\w-]+\.md#[\w-]+/g)].map(([mention]) => mention),
  );
}

function index(): string {
  const lines = [
    '# Decisions',
    '',
    'What was decided, why, and what would change it: one page for each subject. Each decision has a line with its status below',
    'its title:',
    '',
    '- *Accepted* and a date: it is in force.',
    '- *amended … by …*: it is in force but for what the later decision says.',
    '- *superseded … by …*: the later decision replaces it. The text stays, so that the same idea is not tried twice.',
    '',
    'To add one: write it at the end of its page, give the decision that it changes its new status, and link it from the page',
    'or the comment where a reader will ask why. Then `npx vitest run test/docs -u` writes this index, and the test holds the rest.',
  ];
  for (const page of pages) {
    const heading = /^# Decisions: (.+)$/m.exec(readText(page))?.[1] ?? page;
    const name = heading.charAt(0).toUpperCase() + heading.slice(1);
    lines.push(
      '',
      `## [${name}](${basename(page)})`,
      '',
      '| decision | accepted | since then |',
      '|---|---|---|',
    );
    for (const decision of decisions.filter((each) => each.page === page)) {
      const [, accepted, change, changed] = STATUS.exec(decision.statusLine) ?? [];
      const status = change === undefined ? '' : ` ${change} ${changed}`;
      lines.push(
        `| [${decision.title}](${basename(page)}#${anchorOf(decision.title)}) | ${accepted} |${status} |`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}
