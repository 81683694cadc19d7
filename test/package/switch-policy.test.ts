import { expect, it } from 'vitest';
import { z } from 'zod';
import { SWITCH_KEY } from '../../functions/shared/contracts/table-keys.ts';
import { packagedService, resourcesOfType } from '../helpers/packaged-service.ts';

const statementSchema = z.looseObject({
  Action: z.union([z.string(), z.array(z.string())]),
  Resource: z.unknown(),
  Condition: z.unknown().optional(),
});
const documentSchema = z.object({ Statement: z.array(statementSchema) });

const { template } = await packagedService();
const onSwitchOnly = { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [SWITCH_KEY.pk] } };
const tableArn = { 'Fn::GetAtt': ['Table', 'Arn'] };

it('the policy for whoever may switch allows to read and write the switch, and nothing else', () => {
  const policies = resourcesOfType(template, 'AWS::IAM::ManagedPolicy');
  const statements = Object.fromEntries(
    policies.map(([id, { Properties }]) => [
      id,
      documentSchema.parse(Properties['PolicyDocument']).Statement,
    ]),
  );

  expect(statements['SwitchPolicy']).toEqual([
    {
      Effect: 'Allow',
      Action: ['dynamodb:GetItem', 'dynamodb:PutItem'],
      Resource: tableArn,
      Condition: onSwitchOnly,
    },
  ]);
});

it('the function behind the route of admin shells reads the switch, and no session’s item', () => {
  const role = template.Resources['RequestAdminShellFunctionRole'];
  const [policy] = z
    .array(z.looseObject({ PolicyDocument: documentSchema }))
    .parse(role?.Properties['Policies']);

  const onTheTable = policy?.PolicyDocument.Statement.filter(({ Action }) =>
    [Action].flat().some((action) => action.startsWith('dynamodb:')),
  );
  expect(onTheTable).toEqual([
    { Effect: 'Allow', Action: 'dynamodb:GetItem', Resource: tableArn, Condition: onSwitchOnly },
  ]);
});
