/** A team's values for a stage: `config/<stage>.yml`, which holds the parameters of every deployment of that stage. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Parameters } from './parameters.ts';

export interface StageFile {
  /** From the service's folder, such as `config/prod.yml`. */
  readonly name: string;
  readonly region?: string;
  readonly parameters: Parameters;
  /** What is wrong with the file; its parameters' values are checked with all others. */
  readonly problems: readonly string[];
}

const scalarSchema = z.union([z.string(), z.number(), z.boolean()]).transform(String);
/** Lists and maps become the text that `--param` takes: `a,b` and `key=value,key=value`. */
const valueSchema = z.union(
  [
    scalarSchema,
    z.array(scalarSchema).transform((items) => items.join(',')),
    z.record(z.string(), scalarSchema).transform((map) =>
      Object.entries(map)
        .map(([key, value]) => `${key}=${value}`)
        .join(','),
    ),
  ],
  { error: "must be text, a number, true, false, a list or a map of these; '' for none" },
);

/** Returns undefined when the stage has no file. */
export function readStageFile(directory: string, stage: string): StageFile | undefined {
  const name = `config/${stage}.yml`;
  const text = readOrUndefined(join(directory, name));
  if (text === undefined) return undefined;
  const content = parseMap(text);
  if (typeof content === 'string') return { name, parameters: {}, problems: [`${name}: ${content}`] };
  const problems: string[] = [];
  const parameters: Record<string, string> = {};
  for (const [key, value] of Object.entries(content)) {
    const parsed = valueSchema.safeParse(value);
    if (parsed.success) parameters[key] = parsed.data;
    else problems.push(`${key} of ${name}: ${parsed.error.issues[0]?.message ?? 'is not valid'}`);
  }
  const { region, ...others } = parameters;
  return { name, parameters: others, problems, ...(region !== undefined && { region }) };
}

/** The file's map, or what is wrong with it. */
function parseMap(text: string): Record<string, unknown> | string {
  try {
    const content: unknown = parse(text);
    // A file of comments.
    if (content === null) return {};
    return z
      .record(z.string(), z.unknown(), { error: 'must be a map of parameters and their values' })
      .parse(content);
  } catch (error) {
    if (error instanceof z.ZodError) return error.issues[0]?.message ?? 'is not valid';
    return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  }
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
