/** Reads what `npm run package` and `npm run build` have left, and the samples of events. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../command-line.ts';
import { type LocalFiles, type Sample, sampleSchema, type Template, templateSchema } from './account.ts';
import { iamActions } from './sdk-use.ts';

export const PACKAGED_TEMPLATE = join('.serverless', 'cloudformation-template-update-stack.json');

const bundlesSchema = z.array(z.object({ name: z.string(), inputs: z.record(z.string(), z.number()) }));

/**
 * @param templatePath of `--template`; without it the package that this folder has, if it is of the stage.
 * @throws UsageError when the file that `--template` names cannot be read or is no template.
 */
export async function readLocalFiles(
  root: string,
  stackName: string,
  templatePath: string | undefined,
): Promise<LocalFiles> {
  return {
    template: await readTemplate(root, stackName, templatePath),
    calls: await readCalls(join(root, 'dist', 'bundles.json')),
    samples: await readSamples(join(root, 'events', 'samples')),
    offer: await readOffer(join(root, 'events', 'samples', 'create-stream-session-connection.request.json')),
  };
}

async function readTemplate(
  root: string,
  stackName: string,
  given: string | undefined,
): Promise<Template | undefined> {
  const parsed = templateSchema.safeParse(await readJson(given ?? join(root, PACKAGED_TEMPLATE)));
  if (!parsed.success) {
    if (given === undefined) return undefined;
    throw new UsageError(
      '--template takes the CloudFormation template in JSON that npm run package has written.',
    );
  }
  // The package of another stage would differ in every name.
  const isOfStage = JSON.stringify(parsed.data.Resources).includes(`"${stackName}-`);
  return given !== undefined || isOfStage ? parsed.data : undefined;
}

async function readCalls(path: string): Promise<LocalFiles['calls']> {
  const parsed = bundlesSchema.safeParse(await readJson(path));
  if (!parsed.success) return undefined;
  return new Map(
    parsed.data.map(({ name, inputs }) => [name, iamActions({ inputs: new Map(Object.entries(inputs)) })]),
  );
}

async function readSamples(folder: string): Promise<ReadonlyMap<string, Sample>> {
  const names = await readdir(folder).catch(() => []);
  const samples = new Map<string, Sample>();
  for (const name of names.filter((file) => file.endsWith('.json')).sort()) {
    // Requests and replies of the API are no events.
    const parsed = sampleSchema.safeParse(await readJson(join(folder, name)));
    if (parsed.success) samples.set(basename(name), parsed.data);
  }
  return samples;
}

async function readOffer(path: string): Promise<string | undefined> {
  return z.looseObject({ SignalRequest: z.string() }).safeParse(await readJson(path)).data?.SignalRequest;
}

/** Returns undefined for what is not there or no JSON. */
async function readJson(path: string): Promise<unknown> {
  try {
    const parsed: unknown = JSON.parse(await readFile(path, 'utf8'));
    return parsed;
  } catch {
    return undefined;
  }
}
