import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CelEngine, type StandardDiagnostic, TemplateFile } from '@aws/cloudformation-validate';
import { z } from 'zod';

/** Warnings that stay, and why. A rule that is not here fails. */
const ACCEPTED: Readonly<Record<string, string>> = {
  W3011:
    'A version of a function is retained and never replaced: each version of the code has a resource of its own.',
  W9013: 'The ARNs of a key, a topic or a boundary that a team names are of its account.',
};

/** AWS's own offline validator, one for the test files of a process: building it takes some six seconds. */
const engine = new CelEngine();

/** `rule: resource property: message` of everything worse than advice. */
function told(diagnostics: readonly StandardDiagnostic[]): string[] {
  return diagnostics
    .filter(({ severity }) => severity !== 'INFO' && severity !== 'DEBUG')
    .map(
      ({ ruleId, entity, propertyPath = '', message }) =>
        `${ruleId}: ${entity?.logicalId ?? ''} ${propertyPath}: ${message}`,
    );
}

/** What the validator has to say that is not accepted, and how many resources it looked at. */
export function validate(templateFile: string): { unexpected: string[]; resources: number } {
  const { diagnostics, metadata } = engine.validateStandard(new TemplateFile(templateFile));
  const unexpected = told(diagnostics).filter((line) => ACCEPTED[line.split(':')[0] ?? ''] === undefined);
  return { unexpected, resources: metadata.resourcesScanned };
}

const run = promisify(execFile);
const matchesSchema = z.array(
  z.object({
    Filename: z.string(),
    Level: z.string(),
    Message: z.string(),
    Rule: z.object({ Id: z.string() }),
  }),
);

/** Where this machine has cfn-lint, its errors by file; undefined where it has none. */
export async function cfnLintErrors(
  templateFiles: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]> | undefined> {
  const output = await run('cfn-lint', ['--format', 'json', ...templateFiles], {
    maxBuffer: 64 * 1024 * 1024,
  }).then(
    ({ stdout }) => stdout,
    (error: unknown) => {
      // It exits with what it has found; it is not there when there is no command.
      const { code, stdout } = z.looseObject({ code: z.unknown(), stdout: z.string() }).parse(error);
      if (code === 'ENOENT') return undefined;
      if (stdout === '') throw error;
      return stdout;
    },
  );
  if (output === undefined) return undefined;
  const errors = new Map<string, string[]>(templateFiles.map((file) => [file, []]));
  for (const { Filename, Level, Message, Rule } of matchesSchema.parse(JSON.parse(output))) {
    if (Level === 'Error') errors.get(Filename)?.push(`${Rule.Id}: ${Message}`);
  }
  return errors;
}
