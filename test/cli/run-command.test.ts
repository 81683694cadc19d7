import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Command, runCommand } from '../../cli/run-command.ts';
import packageJson from '../../package.json' with { type: 'json' };

const root = join(import.meta.dirname, '../..');
const benches = Object.entries(packageJson.scripts).flatMap(([script, command]) => {
  const [, file] = /^node ((?:bench|scripts)\/[\w-]+\.ts)$/.exec(command) ?? [];
  return file === undefined ? [] : [{ script, file }];
});

const bench: Command<{ readonly runs: { readonly type: 'string' } }> = {
  usage: 'Usage: npm run bench:x\n',
  options: { runs: { type: 'string' } },
  run: async () => {},
};

async function runWith(args: readonly string[], run = bench.run) {
  const told: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => told.push(`out: ${text}`) > 0);
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => told.push(`err: ${text}`) > 0);
  vi.stubGlobal('process', Object.assign(Object.create(process), { argv: ['node', 'bench', ...args] }));
  await runCommand({ ...bench, run });
  return { told, exitCode: process.exitCode };
}
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe('a command', () => {
  it('prints its usage for --help, and does not run', async () => {
    const run = vi.fn(bench.run);

    const { told, exitCode } = await runWith(['--help'], run);

    expect(told).toEqual(['out: Usage: npm run bench:x\n']);
    expect(exitCode).toBe(undefined);
    expect(run).not.toHaveBeenCalled();
  });

  it.each([['--rnus'], ['--runs'], ['word']])('exits with 2 and one line for %s', async (argument) => {
    const { told, exitCode } = await runWith([argument]);

    expect(told).toEqual([expect.stringMatching(/^err: [^\n]+\.\n--help shows the usage\.\n$/)]);
    expect(exitCode).toBe(2);
  });

  it('throws every other error as it is', async () => {
    const defect = new TypeError('x is undefined');

    await expect(runWith([], () => Promise.reject(defect))).rejects.toBe(defect);
  });
});

it('every npm script of a bench or of scripts/ runs through runCommand, with a usage of its own', async () => {
  expect(benches.length).toBeGreaterThan(5);
  for (const { script, file } of benches) {
    const text = await readFile(join(root, file), 'utf8');
    expect(text).toMatch(/^(?:if \(import\.meta\.main\) |\s*)await runCommand\(\{ usage/m);
    expect(text).toMatch(new RegExp(`Usage: npm run ${script}(?: \\[-- |\n)`));
  }
});

it('README names every npm script', async () => {
  const readme = await readFile(join(root, 'README.md'), 'utf8');

  const missing = Object.keys(packageJson.scripts).filter(
    (script) =>
      !readme.includes(
        script === 'test' ? 'npm test' : script === 'start' ? 'npm start' : `npm run ${script}`,
      ),
  );

  expect(missing).toEqual([]);
});
