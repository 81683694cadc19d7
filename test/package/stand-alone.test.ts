import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeStandAlone } from '../../scripts/package-cloudformation.ts';
import {
  packagedService,
  readTemplate,
  resourcesOfType,
  type Template,
} from '../helpers/packaged-service.ts';
import { cfnLintErrors, validate } from '../helpers/template-diagnostics.ts';

let folder = '';
let template: Template;

beforeAll(async () => {
  const { zipFolder } = await packagedService();
  folder = await mkdtemp(join(tmpdir(), 'stand-alone-'));
  await writeStandAlone(dirname(zipFolder), folder);
  template = await readTemplate(join(folder, 'template.json'));
}, 300_000);
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('the template without the framework', () => {
  it('names a zip beside it for the code of each function', async () => {
    const functions = resourcesOfType(template, 'AWS::Lambda::Function');

    const named = functions.map(([, { Properties }]) => Properties['Code']);
    const zips = (await readdir(folder)).filter((file) => file.endsWith('.zip'));
    expect(named.toSorted()).toEqual(zips.map((zip) => `./${zip}`).toSorted());
    expect(zips.length).toBeGreaterThan(10);
  });

  it("has nothing of the framework's bucket, and nothing else is missing", async () => {
    const whole = (await packagedService()).template;

    const missing = Object.keys(whole.Resources).filter((id) => !(id in template.Resources));
    expect(missing).toEqual(['ServerlessDeploymentBucket', 'ServerlessDeploymentBucketPolicy']);
    expect(JSON.stringify(template)).not.toContain('ServerlessDeploymentBucket');
  });

  it('is valid, but for the code, which aws cloudformation package puts in', () => {
    const { unexpected } = validate(join(folder, 'template.json'));

    expect(unexpected.filter((line) => !/LambdaFunction .*Code/.test(line))).toEqual([]);
  });

  it('has no error by cfn-lint', async ({ skip }) => {
    const file = join(folder, 'template.json');
    const errors = await cfnLintErrors([file]);
    if (errors === undefined) {
      console.warn(
        'cfn-lint is not installed, so that the template was not linted by it (pip install cfn-lint).',
      );
      skip();
    }

    expect(errors?.get(file)).toEqual([]);
  }, 300_000);

  it('exports what other stacks import, under the name of its own stack', () => {
    const exported = Object.entries(template.Outputs).flatMap(([name, { Export }]) =>
      Export === undefined ? [] : [[name, JSON.stringify(Export)] as const],
    );

    expect(Object.fromEntries(exported)).toMatchObject(
      Object.fromEntries(
        ['ApiUrl', 'EventBusName', 'TableName', 'BackendPolicyArn', 'FeedPolicyArn'].map((name) => [
          name,
          `{"Name":"stream-session-reconnection-dev-${name}"}`,
        ]),
      ),
    );
  });
});
