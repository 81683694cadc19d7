import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runCommand } from '../cli/run-command.ts';
import { descriptionFiles } from './api-description.ts';
import { EVENT_CONTRACTS, schemaFileText } from './event-schemas.ts';

const ROOT = join(import.meta.dirname, '..');
const EVENTS_FOLDER = join(ROOT, 'events');

/** Writes every schema into `folder`, which must exist. Files of no contract are left alone. */
export async function writeSchemaFiles(folder: string): Promise<void> {
  for (const contract of EVENT_CONTRACTS) {
    await writeFile(join(folder, contract.fileName), schemaFileText(contract));
  }
}

/** Names of the schema files in `folder` that are missing, differ from the code's, or belong to no contract. */
export async function outdatedSchemaFiles(folder: string): Promise<string[]> {
  const expected = new Map<string, string>(
    EVENT_CONTRACTS.map((contract) => [contract.fileName, schemaFileText(contract)]),
  );
  const present = (await readdir(folder)).filter((name) => name.endsWith('.schema.json'));
  const outdated: string[] = [];
  for (const name of new Set([...expected.keys(), ...present])) {
    const text = present.includes(name) ? await readFile(join(folder, name), 'utf8') : undefined;
    if (text !== expected.get(name)) outdated.push(name);
  }
  return outdated.sort();
}

/** Writes the schemas, or checks them. Returns the exit code. */
export async function run(
  { check }: { readonly check: boolean },
  folder: string = EVENTS_FOLDER,
): Promise<0 | 1> {
  if (!check) {
    await writeSchemaFiles(folder);
    return 0;
  }
  const outdated = await outdatedSchemaFiles(folder);
  for (const name of outdated) console.error(`out of date: events/${name}`);
  return outdated.length === 0 ? 0 : 1;
}

const usage = `Usage: npm run events [-- --check]

Writes the JSON Schemas of events/, and the descriptions of the API (OpenAPI, the model for botocore, the types of the client for
backends), from the code's contracts.

  --check   only say which are out of date, and exit with 1 if any is
  --help    this text
`;

/** Writes the descriptions of the API, or checks them. Returns the exit code. */
export async function runDescriptions({ check }: { readonly check: boolean }, root = ROOT): Promise<0 | 1> {
  let exitCode: 0 | 1 = 0;
  for (const [path, text] of await descriptionFiles()) {
    const file = join(root, path);
    if (!check) {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    } else if ((await readFile(file, 'utf8').catch(() => undefined)) !== text) {
      console.error(`out of date: ${path}`);
      exitCode = 1;
    }
  }
  return exitCode;
}

async function main(values: { readonly check: boolean }): Promise<void> {
  const codes = [await run(values), await runDescriptions(values)];
  process.exitCode = Math.max(...codes);
}

if (import.meta.main) {
  await runCommand({ usage, options: { check: { type: 'boolean', default: false } }, run: main });
}
