/** Writes the pages that are made from the code of `npm run prove`. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assumptionsPage } from '../cli/prove/assumptions-page.ts';
import { provePolicy, sessionPolicy } from '../cli/prove/policy.ts';
import { runCommand } from '../cli/run-command.ts';

const root = join(import.meta.dirname, '..');

/** The files, with what is to be in them. */
export const PAGES: Readonly<Record<string, () => string>> = {
  'docs/assumptions.md': assumptionsPage,
  'docs/prove-policy.json': () => provePolicy(),
  'docs/prove-session-policy.json': () => sessionPolicy(),
};

const usage = `Usage: npm run prove:docs

Writes ${Object.keys(PAGES).join(', ')} from cli/prove/.
`;

async function main(): Promise<void> {
  for (const [path, page] of Object.entries(PAGES)) await writeFile(join(root, path), page());
}

if (import.meta.main) await runCommand({ usage, options: {}, run: main });
