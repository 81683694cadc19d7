import { parseAst } from 'vitest/node';
import { z } from 'zod';

const literalSchema = z.object({ regex: z.object({ pattern: z.string(), flags: z.string() }) });

/** The literals of regular expressions in a file's text, by its syntax: what looks like one in a comment is none. */
export function regexesIn(text: string, lang: 'ts' | 'tsx' | 'js'): { pattern: string; flags: string }[] {
  const found: { pattern: string; flags: string }[] = [];
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const literal = literalSchema.safeParse(node);
    if (literal.success) found.push(literal.data.regex);
    else for (const part of Object.values(node)) walk(part);
  };
  walk(parseAst(text, { lang }));
  return found;
}
