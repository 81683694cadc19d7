/**
 * What each function can send, from its code: every declaration that is left in its bundle and sends a command, with
 * every other that uses it. What no scenario reaches of this, no fault is tried at.
 */
import { join } from 'node:path';
import { build } from 'esbuild';
import { type Declaration, declarationsIn, declarationsOf, ROOT, SENDERS, sends } from './sources.ts';

export const ANYBODY = '…';

export interface CallSites {
  /** `caller › sender`, as `call-points.ts` names them; the caller is ANYBODY where the sender is handed on. */
  readonly ways: ReadonlySet<string>;
  /** The names of the commands. */
  readonly commands: ReadonlySet<string>;
}

/** @param folder of `functions/`. */
export async function callSitesOf(folder: string): Promise<CallSites> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [join('functions', folder, 'handler.ts')],
    bundle: true,
    write: false,
    // Without what is never used in this bundle, and with nothing but our own code in it.
    treeShaking: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
  });
  const declarations = sectionsOf(outputFiles[0]?.text ?? '').flatMap(({ file, text }) =>
    declarationsIn(text).map((declaration) => ({
      ...declaration,
      file,
      sourceName: sourceNameOf(file, declaration.name),
      composes: /^\w+ \w+ = define\w+\(/.test(declaration.body),
    })),
  );
  const ways = declarations
    .filter((declaration) => !SENDERS.has(declaration.file) && sends(declaration))
    .flatMap((sender) =>
      declarations
        .filter((caller) => caller !== sender && uses(caller, sender))
        .map((caller) => `${isCaller(caller, sender) ? caller.sourceName : ANYBODY} › ${sender.sourceName}`),
    );
  const commands = declarations.flatMap(({ body }) =>
    [...body.matchAll(/new (\w+Command)\(/g)].map(([, name = '']) => name),
  );
  return { ways: new Set(ways), commands: new Set(commands) };
}

/** esbuild writes each file's name above what is left of it. */
function sectionsOf(text: string): { readonly file: string; readonly text: string }[] {
  return text
    .split(/^\/\/ (?=functions\/)/m)
    .slice(1)
    .map((section) => {
      const end = section.indexOf('\n');
      return { file: section.slice(0, end), text: section.slice(end + 1) };
    });
}

/** esbuild numbers names that two files have. */
function sourceNameOf(file: string, name: string): string {
  const names = new Set(declarationsOf(file).map((declaration) => declaration.name));
  return names.has(name) ? name : name.replace(/\d+$/, '');
}

function uses(caller: Declaration, sender: Declaration): boolean {
  return new RegExp(`(?<![.\\w])${sender.name}\\b`).test(caller.body);
}

/** Where it only names the sender, another declaration calls it. A definition hands its decision on. */
function isCaller(caller: Declaration & { readonly composes: boolean }, sender: Declaration): boolean {
  return !caller.composes && new RegExp(`(?<![.\\w])${sender.name}\\(`).test(caller.body);
}
