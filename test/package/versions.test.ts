import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { packagedService, type Template } from '../helpers/packaged-service.ts';

const machineSchema = z.looseObject({
  DefinitionString: z.strictObject({
    'Fn::Sub': z.tuple([z.string(), z.record(z.string(), z.strictObject({ Ref: z.string() }))]),
  }),
  RoleArn: z.strictObject({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) }),
});

const roleSchema = z.looseObject({
  Policies: z.array(
    z.looseObject({
      PolicyDocument: z.looseObject({
        Statement: z.array(z.looseObject({ Action: z.unknown(), Resource: z.unknown() })),
      }),
    }),
  ),
});

const machines = ['ReconnectionWindow', 'CreateConnection', 'CreateAdminShell'];
let template: Template;

beforeAll(async () => {
  ({ template } = await packagedService());
}, 600_000);

const resource = (logicalId: string) => template.Resources[logicalId];

/** The functions that a machine's definition names, by the logical ids of their versions. */
function functionsOf(machine: string): { versionId: string; functionId: string }[] {
  const { DefinitionString } = machineSchema.parse(resource(machine)?.Properties);
  return Object.values(DefinitionString['Fn::Sub'][1]).map(({ Ref: versionId }) => {
    const { Ref: functionId } = z
      .object({ FunctionName: z.strictObject({ Ref: z.string() }) })
      .parse(resource(versionId)?.Properties).FunctionName;
    return { versionId, functionId };
  });
}

it('there is no other machine', () => {
  const all = Object.entries(template.Resources).filter(([, { Type }]) => Type.endsWith('::StateMachine'));
  expect(all.map(([logicalId]) => logicalId)).toEqual(machines);
});

describe.each(machines)('%s', (machine) => {
  it('invokes versions of functions, which stay when there are newer ones', () => {
    // Act
    const functions = functionsOf(machine);

    // Assess
    expect(functions.length).toBeGreaterThan(0);
    for (const { versionId } of functions) {
      expect(resource(versionId)).toMatchObject({
        Type: 'AWS::Lambda::Version',
        DeletionPolicy: 'RetainExceptOnCreate',
      });
    }
  });

  it('names no function in any other way', () => {
    const [definition, names] = machineSchema.parse(resource(machine)?.Properties).DefinitionString[
      'Fn::Sub'
    ];
    const placeholders = [...definition.matchAll(/"FunctionName": "(.*?)"/g)].map(([, name]) => name);
    expect(new Set(placeholders)).toEqual(new Set(Object.keys(names).map((name) => `\${${name}}`)));
    expect(definition).not.toContain(':function:');
  });

  it('may invoke every version of its functions, and nothing else', () => {
    // Prepare
    const { RoleArn } = machineSchema.parse(resource(machine)?.Properties);

    // Act
    const { Policies } = roleSchema.parse(resource(RoleArn['Fn::GetAtt'][0])?.Properties);

    // Assess
    const invoking = Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement).filter(({ Action }) =>
      JSON.stringify(Action).includes('lambda:'),
    );
    expect(invoking).toEqual([
      {
        Effect: 'Allow',
        Action: 'lambda:InvokeFunction',
        Resource: expect.arrayContaining(
          functionsOf(machine).map(({ functionId }) => ({ 'Fn::Sub': `\${${functionId}.Arn}:*` })),
        ),
      },
    ]);
    expect(invoking[0]?.Resource).toHaveLength(functionsOf(machine).length);
  });
});
