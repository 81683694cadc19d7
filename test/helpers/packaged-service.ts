import { access, copyFile, mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inject } from 'vitest';
import { z } from 'zod';
import { BUNDLES_FILE, type Bundle } from '../../scripts/build.ts';
import { REPOSITORY_DIRECTORY, runServerless } from '../../scripts/serverless/run-serverless.ts';
import { PARAMETER_SETS, type ParameterSet } from './parameter-sets.ts';

const resourceSchema = z.looseObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  DependsOn: z.union([z.string(), z.array(z.string())]).optional(),
  Condition: z.string().optional(),
  DeletionPolicy: z.string().optional(),
  UpdateReplacePolicy: z.string().optional(),
});
export type Resource = z.infer<typeof resourceSchema>;

const templateSchema = z.looseObject({
  Resources: z.record(z.string(), resourceSchema),
  Outputs: z.record(z.string(), z.looseObject({ Value: z.unknown() })),
  Parameters: z.record(z.string(), z.unknown()).optional(),
  Conditions: z.record(z.string(), z.unknown()).optional(),
});
export type Template = z.infer<typeof templateSchema>;

export interface PackagedService {
  /** What CloudFormation gets. */
  readonly template: Template;
  /** Holds `<function key>.zip` for every function. */
  readonly zipFolder: string;
  /** The same in a file, for tools that read one. */
  readonly templateFile: string;
  /** Holds `<function>/handler.mjs` for every function. */
  readonly bundleFolder: string;
  readonly bundles: readonly Bundle[];
}

const bundleSchema = z.object({
  name: z.string(),
  path: z.string(),
  bytes: z.number(),
  inputs: z.record(z.string(), z.number()).transform((inputs) => new Map(Object.entries(inputs))),
});

export interface PackageOptions {
  readonly stage?: string;
  readonly region?: string;
  readonly params?: Readonly<Record<string, string>>;
  /** Text of `config/<stage>.yml`. */
  readonly stageFile?: string;
}

/**
 * The service as `npm run package` makes it with a set of parameters: packaged once (5 s) by the first
 * test that asks for the set, and again only when a source has changed. Without a set it has the defaults.
 *
 * @throws ServerlessPrintError with the CLI's whole output, in every test file that asks, when it fails.
 */
export async function packagedService(set: ParameterSet = 'defaults'): Promise<PackagedService> {
  const folder = inject('packagingFolder');
  const service = join(folder, set);
  const [claim, result] = [`${service}-claimed`, `${service}-result`];
  if (await isFirst(claim)) {
    const failure = await packageService(service, PARAMETER_SETS[set]).then(
      () => '',
      (error: unknown) => String(error),
    );
    // By a rename, so that nobody reads half of it.
    await writeFile(`${result}.partial`, failure);
    await rename(`${result}.partial`, result);
  }
  while (!(await exists(result))) {
    await sleep(50);
    // A test file that ends by a timeout takes its packaging along.
    if (!isAlive(Number(await readFile(claim, 'utf8').catch(() => process.pid)))) {
      throw new Error(`The test file that was to package "${set}" ended before it had.`);
    }
  }
  const failure = await readFile(result, 'utf8');
  if (failure !== '') throw new Error(failure);
  return readPackage(service);
}

/**
 * Packages the service into a folder that does not exist yet.
 *
 * @throws ServerlessPrintError with the CLI's whole output when it fails.
 */
export async function packageService(folder: string, options: PackageOptions = {}): Promise<PackagedService> {
  const { stage = 'dev', region, params = {} } = options;
  await prepareService(folder, options);
  const overrides = Object.entries(params).flatMap(([name, value]) => ['--param', `${name}=${value}`]);
  const where = region === undefined ? [] : ['--region', region];
  await runServerless(folder, ['package', '--stage', stage, ...where, ...overrides]);
  return readPackage(folder);
}

/** Makes a folder from which the framework packages and deploys the service, with a stage's file of its own. */
export async function prepareService(
  folder: string,
  { stage = 'dev', stageFile }: PackageOptions = {},
): Promise<void> {
  await mkdir(folder);
  // Everything that a deployment could pick up is there, so that what is packaged is chosen and not just found.
  // Without node_modules: the framework would walk through it for every function.
  // And without a stage's file that a team may have.
  const own = new Set(['node_modules', 'dist', '.serverless', '.local', '.git', 'config']);
  const entries = await readdir(REPOSITORY_DIRECTORY, { withFileTypes: true });
  for (const entry of entries.filter(({ name }) => !own.has(name))) {
    const [from, to] = [join(REPOSITORY_DIRECTORY, entry.name), join(folder, entry.name)];
    // The framework takes no link for its own file.
    await (entry.isDirectory() ? symlink(from, to) : copyFile(from, to));
  }
  if (stageFile !== undefined) {
    await mkdir(join(folder, 'config'));
    await writeFile(join(folder, 'config', `${stage}.yml`), stageFile);
  }
}

async function readPackage(folder: string): Promise<PackagedService> {
  const zipFolder = join(folder, '.serverless');
  const templateFile = join(zipFolder, 'cloudformation-template-update-stack.json');
  const template = await readTemplate(templateFile);
  const bundleFolder = join(folder, 'dist');
  const bundles: unknown = JSON.parse(await readFile(join(bundleFolder, BUNDLES_FILE), 'utf8'));
  return { template, templateFile, zipFolder, bundleFolder, bundles: z.array(bundleSchema).parse(bundles) };
}

export async function readTemplate(file: string): Promise<Template> {
  return templateSchema.parse(JSON.parse(await readFile(file, 'utf8')));
}

/** A template's resources of one type, by their logical ids. */
export function resourcesOfType(template: Template, type: string): (readonly [string, Resource])[] {
  return Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);
}

async function isFirst(claim: string): Promise<boolean> {
  try {
    await writeFile(claim, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function isAlive(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch {
    return false;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
