import { describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { packagedService, type Resource, resourcesOfType } from '../helpers/packaged-service.ts';
import { functionsOf, textOf } from '../helpers/template-view.ts';

const { template } = await packagedService();
const machines = resourcesOfType(template, 'AWS::StepFunctions::StateMachine');
const tested = inject('service').stateMachines;

const substitutionSchema = z.object({
  'Fn::Sub': z.tuple([z.string(), z.record(z.string(), z.strictObject({ Ref: z.string() }))]),
});

/** What the placeholders of a definition stand for, by placeholder. */
function substitutions({ Properties }: Resource): Readonly<Record<string, string>> {
  const [, variables] = substitutionSchema.parse(Properties['DefinitionString'])['Fn::Sub'];
  return Object.fromEntries(Object.entries(variables).map(([name, { Ref }]) => [name, Ref]));
}

/** `CheckSessionLambdaVersion…` is of `checkSession`. */
function functionOfVersion(logicalId: string): string | undefined {
  const version = template.Resources[logicalId];
  if (version?.Type !== 'AWS::Lambda::Version') return undefined;
  const name = textOf(version.Properties['FunctionName']);
  return functionsOf(template).find((fn) => name === `\${${fn.logicalId}}`)?.key;
}

/** The definition as packaged, with each function by its key. */
function packagedDefinition(machine: Resource): unknown {
  const [text] = substitutionSchema.parse(machine.Properties['DefinitionString'])['Fn::Sub'];
  const names = substitutions(machine);
  return JSON.parse(
    text.replace(/\$\{(\w+)\}/g, (_, name: string) => functionOfVersion(names[name] ?? '') ?? ''),
  );
}

/** The definition that the tests run, with each function by its key. */
function testedDefinition(logicalId: string): unknown {
  const machine = tested.find((candidate) => candidate.logicalId === logicalId);
  const keys = new Map(inject('service').functions.map(({ arn, key }) => [arn, key]));
  return JSON.parse(JSON.stringify(machine?.definition), (_, value: unknown) =>
    typeof value === 'string' ? (keys.get(value) ?? value) : value,
  );
}

it('the state machines are those that the tests run', () => {
  expect(machines.map(([logicalId]) => logicalId).sort()).toEqual(
    tested.map(({ logicalId }) => logicalId).sort(),
  );
});

describe.each(machines)('%s', (logicalId, machine) => {
  it('has the definition that the tests run', () => {
    expect(packagedDefinition(machine)).toEqual(testedDefinition(logicalId));
  });

  it('calls exact versions: an execution goes on with the functions that it began with', () => {
    const referred = Object.values(substitutions(machine));

    expect(referred.length).toBeGreaterThan(0);
    expect(referred.filter((version) => functionOfVersion(version) === undefined)).toEqual([]);
  });

  it('is of the type that the tests run, ends by itself, and is traced', () => {
    const { type } = tested.find((candidate) => candidate.logicalId === logicalId) ?? {};

    expect(machine.Properties['StateMachineType']).toBe(type);
    expect(machine.Properties['TracingConfiguration']).toEqual({ Enabled: true });
    expect(packagedDefinition(machine)).toMatchObject({ TimeoutSeconds: expect.any(Number) });
  });

  it('logs without data: input and output may hold offers, answers and credentials', () => {
    expect(machine.Properties['LoggingConfiguration']).toEqual({
      Level: 'ERROR',
      IncludeExecutionData: false,
      Destinations: [
        { CloudWatchLogsLogGroup: { LogGroupArn: { 'Fn::GetAtt': ['StateMachineLogs', 'Arn'] } } },
      ],
    });
  });

  it('has a role of its own', () => {
    const roles = machines.map(([, { Properties }]) => textOf(Properties['RoleArn']));

    expect(roles.filter((role) => role === textOf(machine.Properties['RoleArn']))).toHaveLength(1);
  });
});
