import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { listFiles, REPOSITORY, readText } from '../helpers/markdown.ts';

const run = promisify(execFile);

const examples = listFiles('ts').filter((path) => /^packages\/[^/]+\/examples\//.test(path));
const readmeOf = (example: string) => readText(join(example, '..', '..', 'README.md'));

describe('the README of a package', () => {
  it('has an example', () => {
    const packages = listFiles('json').filter((path) => /^packages\/[^/]+\/package\.json$/.test(path));

    expect(examples).toEqual(packages.map((path) => join(path, '..', 'examples', 'readme.ts')).sort());
  });

  it.each(examples)('shows %s as it is, and what it prints', async (example) => {
    const { stdout } = await run(process.execPath, [join(REPOSITORY, example)]);

    expect(readmeOf(example)).toContain(
      `\`\`\`ts\n${readText(example)}\`\`\`\n\nprints\n\n\`\`\`\n${stdout}\`\`\`\n`,
    );
  });
});
