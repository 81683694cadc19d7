import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  adoptTable,
  confineAdminShells,
  confineToStreamGroups,
  dropImpliedDependencies,
  encryptWith,
  leaveStageToTemplate,
  problemsOfNames,
  tag,
} from '../../scripts/serverless/template.ts';

const KEY = 'arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555';

const role = (service: string, Policies?: unknown) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: { Statement: [{ Principal: { Service: service } }] },
    ...(Policies !== undefined && { Policies }),
  },
});
const policies = () => [{ PolicyName: 'own', PolicyDocument: { Statement: [{ Effect: 'Allow' }] } }];

describe('the deployment of the API', () => {
  const deployment = () => ({
    Type: 'AWS::ApiGateway::Deployment',
    Properties: { RestApiId: { Ref: 'Api' }, StageName: 'dev' },
    DependsOn: ['Method'],
  });

  it('makes no stage, and comes after every gateway response', () => {
    // Prepare
    const resources = {
      Deployment1: deployment(),
      NotFound: { Type: 'AWS::ApiGateway::GatewayResponse' },
      Throttled: { Type: 'AWS::ApiGateway::GatewayResponse' },
    };

    // Act
    leaveStageToTemplate(resources);

    // Assess
    expect(resources.Deployment1).toEqual({
      Type: 'AWS::ApiGateway::Deployment',
      Properties: { RestApiId: { Ref: 'Api' } },
      DependsOn: ['Method', 'NotFound', 'Throttled'],
    });
  });

  it.each([
    ['is not there', {}],
    ['is there twice', { One: deployment(), Two: deployment() }],
  ])('is missed when it %s', (_title, resources) => {
    expect(() => leaveStageToTemplate(resources)).toThrow('The API must have one deployment.');
  });
});

describe('a name', () => {
  const named = (Type: string, property: string, name: unknown) => ({
    Thing: { Type, Properties: { [property]: name } },
  });

  it.each([
    ['AWS::Lambda::Function', 'FunctionName', 64],
    ['AWS::StepFunctions::StateMachine', 'StateMachineName', 80],
  ])(
    'of %s that is too long is refused, for the deployment would fail half way',
    (type, property, longest) => {
      expect(problemsOfNames(named(type, property, 'n'.repeat(longest)))).toEqual([]);
      expect(problemsOfNames(named(type, property, 'n'.repeat(longest + 1)))).toEqual([
        `${'n'.repeat(longest + 1)} has ${longest + 1} characters, ${type} takes ${longest}: shorten the stage's name`,
      ]);
    },
  );

  it("that is nobody's business or not known yet is left alone", () => {
    expect(problemsOfNames(named('AWS::Lambda::Function', 'FunctionName', { Ref: 'Name' }))).toEqual([]);
    expect(problemsOfNames(named('AWS::S3::Bucket', 'FunctionName', 'n'.repeat(100)))).toEqual([]);
  });
});

describe('the principals that may open admin shells', () => {
  it('are the only ones, whatever the policies of others allow', () => {
    const resources = { Api: { Type: 'AWS::ApiGateway::RestApi', Properties: { Name: 'api' } } };
    const principals = ['arn:aws:iam::123456789012:role/operators-*'];

    confineAdminShells(resources, principals, 'prod');

    expect(resources.Api.Properties).toEqual({
      Name: 'api',
      Policy: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Deny',
            Principal: '*',
            Action: 'execute-api:Invoke',
            Resource: [
              'execute-api:/prod/POST/streamgroups/*/streamsessions/*/access',
              'execute-api:/prod/POST/streamgroups/*/streamsessions/*/access/*',
            ],
            Condition: { ArnNotLike: { 'aws:PrincipalArn': principals } },
          },
        ],
      },
    });
  });
});

describe("a customer's key", () => {
  it('encrypts all that rests', () => {
    // Prepare
    const resources = {
      Table: { Type: 'AWS::DynamoDB::Table', Properties: { SSESpecification: { SSEEnabled: true } } },
      Queue: { Type: 'AWS::SQS::Queue', Properties: { SqsManagedSseEnabled: true } },
      Logs: { Type: 'AWS::Logs::LogGroup', Properties: { RetentionInDays: 30 } },
      Machine: { Type: 'AWS::StepFunctions::StateMachine', Properties: {} },
      Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'bus' } },
    };

    // Act
    encryptWith(resources, KEY);

    // Assess
    expect(resources).toEqual({
      Table: {
        Type: 'AWS::DynamoDB::Table',
        Properties: { SSESpecification: { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: KEY } },
      },
      Queue: { Type: 'AWS::SQS::Queue', Properties: { KmsMasterKeyId: KEY } },
      Logs: { Type: 'AWS::Logs::LogGroup', Properties: { RetentionInDays: 30, KmsKeyId: KEY } },
      Machine: {
        Type: 'AWS::StepFunctions::StateMachine',
        Properties: { EncryptionConfiguration: { Type: 'CUSTOMER_MANAGED_KMS_KEY', KmsKeyId: KEY } },
      },
      Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'bus' } },
    });
  });

  it('may be used by functions through the services that hold their data, and by state machines', () => {
    // Prepare
    const resources = {
      Function: role('lambda.amazonaws.com', policies()),
      Machine: role('states.amazonaws.com', policies()),
      Api: role('apigateway.amazonaws.com', policies()),
      Managed: role('lambda.amazonaws.com'),
    };

    // Act
    encryptWith(resources, KEY);

    // Assess
    const use = { Effect: 'Allow', Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: KEY };
    const via = ['dynamodb', 'sqs', 'states'].map((name) => ({
      'Fn::Sub': `${name}.\${AWS::Region}.amazonaws.com`,
    }));
    const withStatement = (statement: object) => [
      { PolicyName: 'own', PolicyDocument: { Statement: [{ Effect: 'Allow' }, statement] } },
    ];
    expect(resources.Function.Properties.Policies).toEqual(
      withStatement({ ...use, Condition: { StringEquals: { 'kms:ViaService': via } } }),
    );
    expect(resources.Machine.Properties.Policies).toEqual(withStatement(use));
    expect(resources.Api.Properties.Policies).toEqual(policies());
    expect(resources.Managed.Properties.Policies).toBeUndefined();
  });
});

describe('roles of a service that follows its stream groups', () => {
  const statement = (Action: string | string[], Resource: unknown = 'streamgroup/*') => ({
    Effect: 'Allow',
    Action,
    Resource,
  });
  const read = statement('gameliftstreams:GetStreamSession');
  const lists = statement(['gameliftstreams:ListStreamSessions', 'gameliftstreams:GetStreamSession']);
  const groups = statement('gameliftstreams:ListStreamGroups', '*');
  const tags = statement('gameliftstreams:ListTagsForResource');
  const other = statement('dynamodb:GetItem', 'table');
  const confined = (...selections: Parameters<typeof confineToStreamGroups>[1][]) => {
    const roleOf = (...Statement: object[]) =>
      role('lambda.amazonaws.com', [{ PolicyName: 'own', PolicyDocument: { Statement } }]);
    const resources = {
      Watcher: roleOf(other, lists, groups, tags),
      Reader: roleOf(other, read),
      Queue: { Type: 'AWS::SQS::Queue' },
    };
    for (const selection of selections) confineToStreamGroups(resources, selection);
    const statementsOf = ({ Properties }: { Properties: { Policies?: unknown } }) =>
      z
        .array(z.object({ PolicyDocument: z.object({ Statement: z.array(z.unknown()) }) }))
        .parse(Properties.Policies)
        .flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
    return { watcher: statementsOf(resources.Watcher), reader: statementsOf(resources.Reader) };
  };
  const tag = { key: 'reconnect', value: 'yes' };
  const Condition = { StringEquals: { 'aws:ResourceTag/reconnect': 'yes' } };

  it('ask for the tag in each call of a session, and list every stream group', () => {
    expect(confined({ all: tag, watched: tag })).toEqual({
      watcher: [other, { ...lists, Condition }, groups, tags],
      reader: [other, { ...read, Condition }],
    });
  });

  it('ask for no tag where the service is for all', () => {
    expect(confined({ all: 'all', watched: 'all' })).toEqual({
      watcher: [other, lists, groups, tags],
      reader: [other, read],
    });
  });

  it('ask for the tag in the watcher alone where it watches less than the service is for', () => {
    expect(confined({ all: 'all', watched: tag })).toEqual({
      watcher: [other, { ...lists, Condition }, groups, tags],
      reader: [other, read],
    });
  });

  it.each([
    { all: ['sg-a'], watched: ['sg-a'] },
    { all: ['sg-a'], watched: [] },
  ])('list no stream groups where their ids are given: %j', (selection) => {
    expect(confined(selection)).toEqual({ watcher: [other, lists], reader: [other, read] });
  });
});

describe('a table that is there already', () => {
  it("takes the place of the template's own wherever that is referred to", () => {
    const arn = `arn:\${AWS::Partition}:dynamodb:\${AWS::Region}:\${AWS::AccountId}:table/old`;
    const template = {
      Resources: {
        Table: { Type: 'AWS::DynamoDB::Table' },
        Other: {
          Type: 'T',
          DependsOn: ['Table', 'Role'],
          Properties: {
            name: { Ref: 'Table' },
            arns: [{ 'Fn::GetAtt': ['Table', 'Arn'] }, { 'Fn::GetAtt': 'Table.Arn' }],
            index: { 'Fn::Sub': `\${Table.Arn}/index/I of \${Table}` },
            listed: { 'Fn::Sub': [`\${Table.Arn} \${x}`, { x: { Ref: 'Table' } }] },
            others: [{ Ref: 'TableOfTwo' }, { 'Fn::Sub': `\${TableOfTwo}` }, 'Table'],
          },
        },
      },
      Outputs: { TableName: { Value: { Ref: 'Table' } } },
    };

    adoptTable(template, 'old');

    expect(template).toEqual({
      Resources: {
        Other: {
          Type: 'T',
          DependsOn: ['Role'],
          Properties: {
            name: 'old',
            arns: [{ 'Fn::Sub': arn }, { 'Fn::Sub': arn }],
            index: { 'Fn::Sub': `${arn}/index/I of old` },
            listed: { 'Fn::Sub': [`${arn} \${x}`, { x: 'old' }] },
            others: [{ Ref: 'TableOfTwo' }, { 'Fn::Sub': `\${TableOfTwo}` }, 'Table'],
          },
        },
      },
      Outputs: { TableName: { Value: 'old' } },
    });
  });
});

describe('tags', () => {
  it('join those that a resource has, and take the place of those of the same key', () => {
    const queue = {
      Type: 'AWS::SQS::Queue',
      Properties: {
        Tags: [
          { Key: 'a', Value: '1' },
          { Key: 'b', Value: '2' },
        ],
      },
    };

    tag({ queue }, { b: '3', c: '4' });

    expect(queue.Properties.Tags).toEqual([
      { Key: 'a', Value: '1' },
      { Key: 'b', Value: '3' },
      { Key: 'c', Value: '4' },
    ]);
  });
});

describe('a dependency', () => {
  it('that a reference implies is left out', () => {
    const resources = {
      Function: {
        Type: 'T',
        DependsOn: ['Role', 'Logs', 'Queue'],
        Properties: { Role: { 'Fn::GetAtt': ['Role', 'Arn'] }, Queue: { Ref: 'Queue' } },
      },
      Other: { Type: 'T', DependsOn: 'Role', Properties: { Role: { 'Fn::GetAtt': ['Role', 'Arn'] } } },
    };

    dropImpliedDependencies(resources);

    expect(resources.Function.DependsOn).toEqual(['Logs']);
    expect(resources.Other).not.toHaveProperty('DependsOn');
  });
});
