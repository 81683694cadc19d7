import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isSafePattern } from 'redos-detector';
import { describe, expect, it } from 'vitest';
import { regexesIn } from './regexes-in.ts';

const root = join(import.meta.dirname, '../..');
/** What runs with input from outside. Tests and benches read their own. */
const PACKAGES = (await readdir(join(root, 'packages'))).map((name) => join('packages', name, 'src'));
const FOLDERS = ['functions', ...PACKAGES, 'local', 'cli', 'clients', 'feeds', 'scripts'];

/** Expressions that the checker cannot clear, and why they are linear all the same. */
const CLEARED: Readonly<Record<string, string>> = {
  '/^tag:([\\p{L}\\p{N} _.:/+@-]{1,128})=([\\p{L}\\p{N} _.:/=+@-]{1,256})$/u':
    'The key takes no "=", so the text can be divided at one place only.',
  '/\\s*([A-Za-z_]\\w*|[#:]\\w+|<=|>=|<>|[(),=<>+-])/y': 'Sticky: it is tried at one place only.',
  '/\\.execute-api\\.([a-z0-9-]+)\\./':
    'An attempt ends at the next full stop, before which no other can begin.',
  '/\\{[^{}]*\\}/g': 'An attempt ends at the next brace, before which no other can begin.',
  '/\\$\\{([^${}]*)\\}/g': 'The same.',
  '/<([^<>\\s"]+)>/g': 'The same, of the next angle bracket.',
  '/<[^<>\\s]+>/': 'The same.',
  '/"(?:[^"\\\\]|\\\\.)*"/g':
    'An attempt ends at the next quotation mark, or at the end of a template of 8,192 characters at most.',
};

async function sourceFiles(): Promise<string[]> {
  const listed = await Promise.all(
    FOLDERS.map((folder) => readdir(join(root, folder), { recursive: true, withFileTypes: true })),
  );
  return listed
    .flat()
    .filter((entry) => entry.isFile() && /\.(ts|tsx|mjs|js)$/.test(entry.name))
    .filter((entry) => !relative(root, entry.parentPath).startsWith(join('local', 'test')))
    .map((entry) => join(entry.parentPath, entry.name));
}

const found = new Map<string, { pattern: string; flags: string; file: string }>();
for (const file of await sourceFiles()) {
  const lang = file.endsWith('.ts') ? 'ts' : file.endsWith('.tsx') ? 'tsx' : 'js';
  for (const { pattern, flags } of regexesIn(await readFile(file, 'utf8'), lang)) {
    found.set(`/${pattern}/${flags}`, { pattern, flags, file: relative(root, file) });
  }
}

/** Undefined when the work of every attempt to match is bounded, whatever the text. */
const judge = (pattern: string, flags: string) =>
  isSafePattern(pattern, {
    caseInsensitive: flags.includes('i'),
    dotAll: flags.includes('s'),
    multiLine: flags.includes('m'),
    unicode: flags.includes('u'),
    // A match that backtracks without a bound has no highest score; those here that do not are at 3 or less.
    maxScore: 20,
  }).error;

describe('regular expressions', () => {
  it('are found', () => {
    expect(found.size).toBeGreaterThan(50);
    expect([...found.keys()]).toContain('/^[a-zA-Z0-9-]{1,128}$/');
    expect(Object.keys(CLEARED).filter((regex) => !found.has(regex))).toEqual([]);
  });

  it('that backtrack without a bound are noticed', () => {
    expect(judge('^(a+)+$', '')).toBe('hitMaxScore');
    expect(judge('/+$', '')).toBe('hitMaxScore');
  });

  it.each([...found.entries()].filter(([regex]) => !Object.hasOwn(CLEARED, regex)))(
    '%s is linear',
    (_regex, { pattern, flags }) => {
      expect(judge(pattern, flags)).toBeNull();
    },
  );
});
