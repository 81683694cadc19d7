import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchorOf, anchorsOf, linksOf, listFiles, REPOSITORY, readText } from '../helpers/markdown.ts';

const pages = listFiles('md');
const anchors = new Map(pages.map((page) => [page, anchorsOf(readText(page))]));

describe('a link in Markdown', () => {
  it.each(pages)('leads from %s to a file and a heading that exist', (page) => {
    const broken = linksOf(readText(page)).filter((link) => !isExternal(link) && !leadsSomewhere(page, link));

    expect(broken).toEqual([]);
  });

  it('reaches every page of docs/ from the README', () => {
    const reached = new Set(['README.md']);
    for (const page of reached) {
      for (const link of linksOf(readText(page)).filter((target) => !isExternal(target))) {
        const path = pathOf(page, link);
        if (anchors.has(path)) reached.add(path);
        else if (anchors.has(join(path, 'README.md'))) reached.add(join(path, 'README.md'));
      }
    }

    expect(pages.filter((page) => page.startsWith('docs/') && !reached.has(page))).toEqual([]);
  });
});

it.each([
  ['Why a request was refused', 'why-a-request-was-refused'],
  ['`on-status-change` fails, or is late', 'on-status-change-fails-or-is-late'],
  ["The account's role: [deploy](deploy.md)", 'the-accounts-role-deploy'],
])('the anchor of "%s" is %s', (heading, anchor) => {
  expect(anchorOf(heading)).toBe(anchor);
});

describe('a mention of a page in code', () => {
  const mentions = listFiles('ts', 'tsx', 'mjs', 'yml', 'py').flatMap((file) =>
    [...readText(file).matchAll(/\bdocs\/[\w/-]+\.md(?:#[\w-]+)?/g)].map(([link]) => ({ file, link })),
  );

  it('names a file and a heading that exist', () => {
    expect(mentions.length).toBeGreaterThan(20);
    expect(mentions.filter(({ link }) => !leadsSomewhere('', link))).toEqual([]);
  });
});

function leadsSomewhere(page: string, link: string): boolean {
  const path = pathOf(page, link);
  const anchor = link.split('#')[1];
  if (!existsSync(join(REPOSITORY, path))) return false;
  return anchor === undefined || (anchors.get(path)?.has(anchor) ?? !path.endsWith('.md'));
}

function pathOf(page: string, link: string): string {
  const target = decodeURIComponent(link.split('#')[0] ?? '');
  if (target === '') return page;
  return normalize(join(dirname(page), target)).replace(/\/$/, '');
}

function isExternal(link: string): boolean {
  return /^[a-z]+:/i.test(link);
}
