import { describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { readText } from '../helpers/markdown.ts';

const KINDS = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];
const [, ...releases] = readText('CHANGELOG.md').split(/^## /m);
const headings = releases.map((release) => release.split('\n')[0] ?? '');

describe('the changelog', () => {
  it('begins with what is unreleased', () => {
    expect(headings[0]).toBe('[Unreleased]');
  });

  it('has the version of package.json as its latest release', () => {
    expect(headings[1]).toContain(`[${manifest.version}]`);
    expect(headings[1]).toMatch(/^\[[\d.]+\] - \d{4}-\d\d-\d\d$/);
  });

  it('sorts changes by the kinds of Keep a Changelog', () => {
    const kinds = releases.flatMap((release) =>
      [...release.matchAll(/^### (.+)$/gm)].map(([, kind = '']) => kind),
    );

    expect(kinds.filter((kind) => !KINDS.includes(kind))).toEqual([]);
  });
});

it('LICENSE is the license that package.json names', () => {
  expect(manifest.license).toBe('Apache-2.0');
  expect(readText('LICENSE')).toMatch(/^\s+Apache License\s+Version 2\.0, January 2004/);
});
