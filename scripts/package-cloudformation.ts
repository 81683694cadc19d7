/** Packages the service for those who deploy by CloudFormation, SAM, CDK or Terraform: docs/adopting.md. */
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { runCommand, type ValuesOf } from '../cli/run-command.ts';
import { runServerless, ServerlessPrintError } from './serverless/run-serverless.ts';
import { standAlone } from './serverless/stand-alone.ts';
import type { Template } from './serverless/template.ts';

const root = join(import.meta.dirname, '..');
const OUT = 'dist-cloudformation';

const templateSchema: z.ZodType<Template> = z.looseObject({
  Resources: z.record(z.string(), z.looseObject({ Type: z.string() })),
  Outputs: z.record(z.string(), z.looseObject({ Value: z.unknown() })),
});

/** Turns what the framework has packaged in `.serverless/` of a folder into `template.json` and its zips in another. */
export async function writeStandAlone(
  serviceDirectory: string,
  outDirectory: string,
): Promise<readonly string[]> {
  const packaged = join(serviceDirectory, '.serverless');
  const text = await readFile(join(packaged, 'cloudformation-template-update-stack.json'), 'utf8');
  const template = templateSchema.parse(JSON.parse(text));
  const zips = standAlone(template);
  await rm(outDirectory, { recursive: true, force: true });
  await mkdir(outDirectory, { recursive: true });
  await writeFile(join(outDirectory, 'template.json'), `${JSON.stringify(template, null, 2)}\n`);
  for (const zip of zips) await copyFile(join(packaged, zip), join(outDirectory, zip));
  return zips;
}

const usage = `Usage: npm run package:cloudformation [-- options]

Writes ${OUT}/template.json and a zip for each function beside it, for aws cloudformation package, SAM, CDK and Terraform.

  --stage <stage>         (default dev); config/<stage>.yml has its parameters and Region
  --region <Region>       in place of the stage file's
  --param <name=value>    in place of the stage file's; may be repeated
`;

const options = {
  stage: { type: 'string' },
  region: { type: 'string' },
  param: { type: 'string', multiple: true },
} as const;

async function main({ stage = 'dev', region, param = [] }: ValuesOf<typeof options>): Promise<void> {
  const where = region === undefined ? [] : ['--region', region];
  const overrides = param.flatMap((text) => ['--param', text]);
  try {
    process.stdout.write(await runServerless(root, ['package', '--stage', stage, ...where, ...overrides]));
  } catch (error) {
    if (!(error instanceof ServerlessPrintError)) throw error;
    // A wrong parameter is the user's to correct: what the framework said of it, without our stack.
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
    return;
  }
  const zips = await writeStandAlone(root, join(root, OUT));
  console.log(
    `Wrote ${OUT}/template.json and ${zips.length} zips. Stack: stream-session-reconnection-${stage}`,
  );
}

if (import.meta.main) await runCommand({ usage, options, run: main });
