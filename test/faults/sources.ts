import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

/** A declaration at the top level of a file: what a person calls "the function" that a line is in. */
export interface Declaration {
  readonly name: string;
  readonly fromLine: number;
  readonly body: string;
}

const DECLARATION = /^(?:export )?(?:async )?(?:function|const|let|var|class) (\w+)/;

/** The declarations of a text that a formatter has laid out, so that what begins in the first column is one. */
export function declarationsIn(text: string): Declaration[] {
  const found: { name: string; fromLine: number; lines: string[] }[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const name = DECLARATION.exec(line)?.[1];
    if (name !== undefined) found.push({ name, fromLine: index + 1, lines: [] });
    else if (/^(export|import|\/\/)/.test(line)) found.push({ name: '', fromLine: index + 1, lines: [] });
    found.at(-1)?.lines.push(line);
  }
  return found
    .filter(({ name }) => name !== '')
    .map(({ name, fromLine, lines }) => ({ name, fromLine, body: lines.join('\n') }));
}

/** Who calls what these files export sends, not they. */
export const SENDERS: ReadonlySet<string> = new Set([
  'functions/shared/runtime/table.ts',
  'functions/shared/service/operations.ts',
]);

/** Whether the declaration sends a command with one of the SDK's clients. */
export function sends({ body }: Declaration): boolean {
  return /\.send\(|\b(readItem|updateIf|putIf|(create|get|list|terminate)StreamSession\w*)\(/.test(body);
}

const known = new Map<string, Declaration[]>();

/** @param file from the root of the repository. */
export function declarationsOf(file: string): Declaration[] {
  const declarations = known.get(file) ?? declarationsIn(readFileSync(join(ROOT, file), 'utf8'));
  known.set(file, declarations);
  return declarations;
}
