import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CelEngine, SchemaValidator, TemplateFile } from '@aws/cloudformation-validate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packagedService, type Template } from '../helpers/packaged-service.ts';
import { told, validate } from '../helpers/template-diagnostics.ts';

/**
 * AWS's own offline validator: every resource against its provider's JSON schema (names, types, required, enums,
 * patterns), references, conditions, state machine definitions and policies. What it cannot prove is what only the
 * account knows: whether a Region has the resource type, whether names are free, quotas, and what a service refuses
 * beyond its schema.
 */
const { template, templateFile } = await packagedService();

let folder = '';
const engine = new CelEngine();
const schemas = new SchemaValidator();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'template-'));
});
afterAll(async () => {
  engine.free();
  schemas.free();
  await rm(folder, { recursive: true, force: true });
});

/** The schema validator's word on the template after a change to it. */
async function schemaErrors(change: (copy: Template) => void): Promise<string[]> {
  const copy = structuredClone(template);
  change(copy);
  const file = join(folder, 'changed.json');
  await writeFile(file, JSON.stringify(copy));
  return told(schemas.validate(new TemplateFile(file)));
}

function propertiesOf({ Resources }: Template, logicalId: string): Record<string, unknown> {
  const resource = Resources[logicalId];
  if (resource === undefined) throw new Error(`The template has no ${logicalId}.`);
  return resource.Properties;
}

describe('the packaged template', () => {
  it('is valid CloudFormation: every resource by its schema, every reference, every definition', () => {
    const { unexpected, resources } = validate(engine, templateFile);

    expect(unexpected).toEqual([]);
    expect(resources).toBe(Object.keys(template.Resources).length);
  });

  it('has no resource of a type that the validator has no schema for', async () => {
    const types = new Set(Object.values(template.Resources).map(({ Type }) => Type));

    // An unknown property of each type: a type without a schema would not object.
    for (const type of types) {
      const [logicalId = ''] = Object.entries(template.Resources).find(([, { Type }]) => Type === type) ?? [];
      const errors = await schemaErrors((copy) => {
        propertiesOf(copy, logicalId)['NoSuchProperty'] = 'x';
      });
      expect(errors.join('\n'), type).toContain('NoSuchProperty');
    }
  });
});

describe('the validator', () => {
  it('has nothing to say of the schemas of the template as it is', async () => {
    expect(await schemaErrors(() => {})).toEqual([]);
  });

  it.each<readonly [string, (copy: Template) => void, RegExp]>([
    [
      'a property that is misspelt',
      (copy) => {
        propertiesOf(copy, 'Table')['BilingMode'] = 'PAY_PER_REQUEST';
      },
      /Table .*BilingMode/,
    ],
    [
      'a required property that is missing',
      (copy) => {
        delete propertiesOf(copy, 'Table')['KeySchema'];
      },
      /Table .*KeySchema/,
    ],
    [
      'a value of the wrong type',
      (copy) => {
        propertiesOf(copy, 'CreateConnectionLambdaFunction')['Timeout'] = 'soon';
      },
      /CreateConnectionLambdaFunction .*Timeout/,
    ],
    [
      'a value that is not among those allowed',
      (copy) => {
        propertiesOf(copy, 'CreateConnection')['StateMachineType'] = 'FAST';
      },
      /CreateConnection .*StateMachineType/,
    ],
    [
      'a property that is wrong three levels down',
      (copy) => {
        propertiesOf(copy, 'StatusChangeRule')['Targets'] = [
          { Id: 'x', Arn: 'arn:aws:sqs:eu-west-1:123456789012:x', RetryPolicy: { MaximumRetries: 3 } },
        ];
      },
      /StatusChangeRule .*MaximumRetries/,
    ],
  ])('refuses %s', async (_what, change, expected) => {
    const errors = await schemaErrors(change);

    expect(errors.join('\n')).toMatch(expected);
  });
});
