import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(root, 'docs/guarantees.md'), 'utf8');

/** Each link to a test on the page, with the titles that are quoted after it. */
const references = page
  .split(/(?=\[[^\]]+\]\(\.\.\/test\/)/)
  .slice(1)
  .map((text) => ({
    path: /\(\.\.\/(test\/[^)]+)\)/.exec(text)?.[1] ?? '',
    titles: [...(text.split('|')[0] ?? '').matchAll(/"([^"]+)"/g)].map(([, title = '']) => title),
  }));

describe('the page of guarantees', () => {
  it('names a test for every promise', () => {
    const promises = page.split('\n').filter((line) => /^\| (?!promise|---)/.test(line));

    expect(promises.length).toBeGreaterThan(20);
    expect(promises.filter((line) => !line.includes('](../test/'))).toEqual([]);
  });

  it.each(references)('finds $path, with the tests that it quotes', ({ path, titles }) => {
    const full = join(root, path);
    expect(existsSync(full)).toBe(true);
    const text = statSync(full).isFile() ? readFileSync(full, 'utf8') : '';

    expect(titles.filter((title) => !text.includes(title))).toEqual([]);
  });
});

it('names nothing in SECURITY.md that is not there', () => {
  const security = readFileSync(join(root, 'SECURITY.md'), 'utf8');
  const named = [...security.matchAll(/`(test\/[^`]+)`|\]\((docs\/[^)#]+)/g)].map(
    ([, test, doc]) => test ?? doc ?? '',
  );

  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
