/**
 * What the last `npm run mutation` has found: the score of each file, and every change that no test has noticed, as
 * Markdown. Changes that do not compile are left out: Stryker changes texts of union types (log events, outcomes, names
 * of metrics) to "", which is no such name. Stryker's own plugin for that needs TypeScript's API, which TypeScript 7 has
 * not; here the compiler is run on a copy of `functions/` with the surviving changes in it, as many at once as touch
 * different lines.
 *
 * `node test/mutation/summary.ts [report.json …]`: with several reports, a later one's files replace an earlier one's.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';

const root = join(import.meta.dirname, '../..');
const copy = join(root, '.stryker-tmp', 'compiled-survivors');

/** Lines and columns from 1; `end` is behind the last character. */
const positionSchema = z.object({ line: z.int(), column: z.int() });
const mutantSchema = z.object({
  mutatorName: z.string(),
  replacement: z.string(),
  status: z.enum(['Killed', 'Timeout', 'Survived', 'NoCoverage', 'Ignored', 'RuntimeError', 'CompileError']),
  location: z.object({ start: positionSchema, end: positionSchema }),
});
const reportSchema = z.object({
  files: z.record(z.string(), z.object({ source: z.string(), mutants: z.array(mutantSchema) })),
});

type Mutant = z.infer<typeof mutantSchema>;
interface Survivor extends Mutant {
  readonly path: string;
  readonly source: string;
  compiles: boolean;
}

const reports = process.argv.length > 2 ? process.argv.slice(2) : [join(root, 'reports/mutation.json')];
const files = new Map<string, z.infer<typeof reportSchema>['files'][string]>();
for (const report of reports) {
  const { files: some } = reportSchema.parse(JSON.parse(await readFile(report, 'utf8')));
  for (const [path, file] of Object.entries(some)) files.set(path, file);
}
const survivors = [...files].flatMap(([path, { source, mutants }]) =>
  mutants
    .filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
    .map((mutant): Survivor => ({ ...mutant, path, source, compiles: true })),
);
await compileAll(survivors);
print();

async function compileAll(mutants: readonly Survivor[]): Promise<void> {
  const suspects: Survivor[] = [];
  let waiting = mutants;
  while (waiting.length > 0) {
    const batch: Survivor[] = [];
    for (const mutant of waiting) {
      if (!batch.some((other) => other.path === mutant.path && overlap(other, mutant))) batch.push(mutant);
    }
    suspects.push(...(await compileBatch(batch)));
    waiting = waiting.filter((mutant) => !batch.includes(mutant));
  }
  let doubtful = suspects.filter(({ compiles }) => compiles);
  while (doubtful.length > 0) {
    const onePerFile = [...new Map(doubtful.map((mutant) => [mutant.path, mutant])).values()];
    const errors = await errorsOf(onePerFile);
    for (const mutant of onePerFile) mutant.compiles = !errors.some(({ path }) => path === mutant.path);
    doubtful = doubtful.filter((mutant) => !onePerFile.includes(mutant));
  }
  await rm(copy, { recursive: true, force: true });
}

/**
 * Marks what has an error on its own lines.
 *
 * @returns whose file has an error on other lines: one of them may be its cause.
 */
async function compileBatch(batch: readonly Survivor[]): Promise<Survivor[]> {
  const left = () => batch.filter(({ compiles }) => compiles);
  const errors = await errorsOf(left());
  const strangers = errors.filter((error) => {
    const guilty = batch.find(
      ({ path, location: { start, end } }) =>
        path === error.path && start.line <= error.line && error.line <= end.line,
    );
    if (guilty !== undefined) guilty.compiles = false;
    return guilty === undefined;
  });
  // What cannot even be parsed keeps the compiler from checking anything else.
  if (errors.some(({ isOfParsing }) => isOfParsing) && left().length < batch.length)
    return compileBatch(left());
  return left().filter(({ path }) => strangers.some((error) => error.path === path));
}

interface CompilerError {
  readonly path: string;
  readonly line: number;
  readonly isOfParsing: boolean;
}

async function errorsOf(mutants: readonly Survivor[]): Promise<readonly CompilerError[]> {
  await rm(copy, { recursive: true, force: true });
  await mkdir(copy, { recursive: true });
  await cp(join(root, 'functions'), join(copy, 'functions'), { recursive: true });
  const options = { noUnusedLocals: false, noUnusedParameters: false, allowUnreachableCode: true };
  const project = {
    extends: '../../tsconfig.json',
    compilerOptions: options,
    include: ['functions'],
    exclude: [],
  };
  await writeFile(join(copy, 'tsconfig.json'), JSON.stringify(project));
  for (const [path, its] of Map.groupBy(mutants, (mutant) => mutant.path)) {
    // From the last to the first, so that what is before stays where it was.
    const fromTheEnd = its.toSorted((a, b) => b.location.start.line - a.location.start.line);
    let text = fromTheEnd[0]?.source ?? '';
    for (const mutant of fromTheEnd) text = changed(text, mutant);
    await writeFile(join(copy, path), text);
  }
  const output = await promisify(execFile)(
    join(root, 'node_modules/.bin/tsc'),
    ['-p', copy, '--pretty', 'false'],
    { cwd: copy, maxBuffer: 64 * 1024 * 1024 },
  ).then(
    ({ stdout }) => stdout,
    (error: unknown) => z.object({ stdout: z.string() }).parse(error).stdout,
  );
  return Array.from(output.matchAll(/^(\S+?)\((\d+),\d+\): error TS(\d+)/gm), ([, path, line, code]) => ({
    path: path ?? '',
    line: Number(line),
    isOfParsing: Number(code) < 2000,
  }));
}

/** As many lines as before, so that the compiler's errors tell which change they are of. */
function changed(text: string, { location: { start, end }, replacement }: Mutant): string {
  const lines = text.split('\n');
  const first = lines[start.line - 1] ?? '';
  const last = lines[end.line - 1] ?? '';
  const missing = end.line - start.line - (replacement.split('\n').length - 1);
  const middle = `${replacement}${'\n'.repeat(Math.max(0, missing))}`;
  const mutated = `${first.slice(0, start.column - 1)}${middle}${last.slice(end.column - 1)}`;
  return [...lines.slice(0, start.line - 1), mutated, ...lines.slice(end.line)].join('\n');
}

function overlap({ location: one }: Mutant, { location: other }: Mutant): boolean {
  return one.start.line <= other.end.line && other.start.line <= one.end.line;
}

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path.localeCompare(b.path);
}

function print(): void {
  const rows = [...files].map(([path, { mutants }]) => ({
    path: path.replace(/^functions\//, ''),
    killed: mutants.filter(({ status }) => status === 'Killed' || status === 'Timeout').length,
    endless: mutants.filter(({ status }) => status === 'Timeout').length,
    survived: survivors.filter((survivor) => survivor.path === path && survivor.compiles).length,
    refused: survivors.filter((survivor) => survivor.path === path && !survivor.compiles).length,
  }));
  const sum = (of: 'killed' | 'endless' | 'survived' | 'refused') =>
    rows.reduce((total, row) => total + row[of], 0);
  const total = {
    path: 'all',
    killed: sum('killed'),
    endless: sum('endless'),
    survived: sum('survived'),
    refused: sum('refused'),
  };
  console.log('| file | score | noticed | of these, never ended | not noticed | does not compile |');
  console.log('|---|---|---|---|---|---|');
  for (const { path, killed, endless, survived, refused } of [total, ...rows.toSorted(byPath)]) {
    const share = killed + survived === 0 ? '' : `${((100 * killed) / (killed + survived)).toFixed(1)} %`;
    console.log(`| ${path} | ${share} | ${killed} | ${endless} | ${survived} | ${refused} |`);
  }
  console.log('\nNot noticed:\n');
  for (const { path, source, location, mutatorName, replacement, status } of survivors.filter(
    (one) => one.compiles,
  )) {
    const lines = source.split('\n').slice(location.start.line - 1, location.end.line);
    const last = lines.length - 1;
    lines[last] = (lines[last] ?? '').slice(0, location.end.column - 1);
    lines[0] = (lines[0] ?? '').slice(location.start.column - 1);
    const before = lines.join(' ').replaceAll(/\s+/g, ' ');
    const note = status === 'NoCoverage' ? ' (no test comes here)' : '';
    console.log(`- ${path}:${location.start.line} ${mutatorName}${note}: \`${before}\` → \`${replacement}\``);
  }
}
