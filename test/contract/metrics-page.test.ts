import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { METRICS } from '../../functions/shared/runtime/metrics.ts';

const root = join(import.meta.dirname, '..', '..');

it('docs/metrics.md has every metric with its unit, and no other', async () => {
  const page = await readFile(join(root, 'docs/metrics.md'), 'utf8');

  const rows = [
    ...page.matchAll(/^\| `(\w+)` \| (\w+) \| (yes|application|drop cause)?(, and in all)? ?\|/gm),
  ].map(([, name, unit, by, total]) => [
    name,
    {
      unit,
      byOperation: by === 'yes',
      ...(by === 'application' && { byApplication: true }),
      ...(by === 'drop cause' && { byDropCause: true }),
      ...(total !== undefined && { total: true }),
    },
  ]);

  expect(Object.fromEntries(rows)).toEqual(METRICS);
  expect(rows).toHaveLength(Object.keys(METRICS).length);
});

it('every metric of the list is added somewhere', async () => {
  const files = await readdir(join(root, 'functions'), { recursive: true });
  const sources = await Promise.all(
    files
      .filter((file) => file.endsWith('.ts') && !file.endsWith('runtime/metrics.ts'))
      .map((file) => readFile(join(root, 'functions', file), 'utf8')),
  );
  const code = sources.join('\n');

  expect(Object.keys(METRICS).filter((name) => !code.includes(`'${name}'`))).toEqual([]);
});
