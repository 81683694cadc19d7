import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packagedService, type Template } from '../helpers/packaged-service.ts';
import { validate } from '../helpers/template-diagnostics.ts';

/**
 * AWS's own offline validator: every resource against its provider's JSON schema (names, types, required, enums,
 * patterns), references, conditions, state machine definitions and policies. What it cannot prove is what only the
 * account knows: whether a Region has the resource type, whether names are free, quotas, and what a service refuses
 * beyond its schema.
 */
const { template, templateFile } = await packagedService();

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'template-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** What the validator says of the template after a change to it. */
async function errorsAfter(change: (copy: Template) => void): Promise<string[]> {
  const copy = structuredClone(template);
  change(copy);
  const file = join(folder, 'changed.json');
  await writeFile(file, JSON.stringify(copy));
  return validate(file).unexpected;
}

function propertiesOf({ Resources }: Template, logicalId: string): Record<string, unknown> {
  const resource = Resources[logicalId];
  if (resource === undefined) throw new Error(`The template has no ${logicalId}.`);
  return resource.Properties;
}

describe('the packaged template', () => {
  it('is valid CloudFormation: every resource by its schema, every reference, every definition', () => {
    const { unexpected, resources } = validate(templateFile);

    expect(unexpected).toEqual([]);
    expect(resources).toBe(Object.keys(template.Resources).length);
  });

  it('has no resource of a type that the validator has no schema for', async () => {
    // The last resource of each.
    const types = new Map(
      Object.entries(template.Resources).map(([logicalId, { Type }]) => [Type, logicalId]),
    );

    // An unknown property of each type: a type without a schema would not object.
    const errors = await errorsAfter((copy) => {
      for (const logicalId of types.values()) propertiesOf(copy, logicalId)['NoSuchProperty'] = 'x';
    });

    const unknown = errors.filter((error) => error.includes('NoSuchProperty'));
    for (const [type, logicalId] of types) {
      expect(
        unknown.some((error) => error.includes(` ${logicalId} `)),
        type,
      ).toBe(true);
    }
  });
});

describe('the validator', () => {
  it('has nothing to say of the template as it is', async () => {
    expect(await errorsAfter(() => {})).toEqual([]);
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
    const errors = await errorsAfter(change);

    expect(errors.join('\n')).toMatch(expected);
  });
});
