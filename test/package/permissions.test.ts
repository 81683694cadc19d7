import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { sdkCommands } from '../../cli/prove/sdk-use.ts';
import {
  ADMIN_SHELL_AUDIT_DETAIL_TYPE,
  OUTCOME_DETAIL_TYPE,
  STATUS_CHANGE_DETAIL_TYPE,
  STATUS_CHANGE_REJECTED_DETAIL_TYPE,
  WINDOW_OPENED_DETAIL_TYPE,
} from '../../functions/shared/contracts/names.ts';
import { SWITCH_KEY } from '../../functions/shared/contracts/table-keys.ts';
import { compilePattern } from '../../local/event-bus/pattern/pattern.ts';
import { FUNCTION_DEFINITIONS } from '../../local/simulation/definitions.ts';
import { IAM_SERVICES, iamActionOf } from '../../local/simulation/permissions.ts';
import { packagedService, resourcesOfType } from '../helpers/packaged-service.ts';
import { functionsOf, roleStatements, statementsOf, textOf } from '../helpers/template-view.ts';

const { template, bundles } = await packagedService();
const functions = functionsOf(template);
const roles = resourcesOfType(template, 'AWS::IAM::Role');
const managedPolicies = resourcesOfType(template, 'AWS::IAM::ManagedPolicy');
/** What takes away, and grants nothing. */
const DENYING = ['NoDirectCallsPolicy'];
const granted = [
  ...roles.map(([id, role]) => ({ id, statements: roleStatements(role) })),
  ...managedPolicies
    .filter(([id]) => !DENYING.includes(id))
    .map(([id, policy]) => ({ id, statements: statementsOf(policy.Properties['PolicyDocument']) })),
];

/** How IAM names the service behind each package of a client. */
const IAM_PREFIX: Readonly<Record<string, string>> = {
  '@aws-sdk/lib-dynamodb': 'dynamodb',
  '@aws-sdk/client-dynamodb': 'dynamodb',
  '@aws-sdk/client-gameliftstreams': 'gameliftstreams',
  '@aws-sdk/client-sfn': 'states',
  '@aws-sdk/client-eventbridge': 'events',
  '@aws-sdk/client-sqs': 'sqs',
};

/** The one type of event that a function publishes. */
const PUBLISHED: Readonly<Record<string, string | readonly string[]>> = {
  'on-status-change': [STATUS_CHANGE_REJECTED_DETAIL_TYPE, WINDOW_OPENED_DETAIL_TYPE],
  'register-task-token': WINDOW_OPENED_DETAIL_TYPE,
  'watch-sessions': STATUS_CHANGE_DETAIL_TYPE,
  'record-outcome': OUTCOME_DETAIL_TYPE,
  'leave-session': STATUS_CHANGE_DETAIL_TYPE,
  'on-execution-failure': OUTCOME_DETAIL_TYPE,
  'request-admin-shell': ADMIN_SHELL_AUDIT_DETAIL_TYPE,
};

/** Actions that no code of ours calls: what Lambda itself does in the function's name. */
const LAMBDA_ITSELF = new Set([
  'xray:PutTraceSegments',
  'xray:PutTelemetryRecords',
  'logs:CreateLogStream',
  'logs:PutLogEvents',
  // To the OnFailure destination.
  'sqs:SendMessage',
  // For the event source mapping of a queue.
  'sqs:ReceiveMessage',
  'sqs:DeleteMessage',
  'sqs:GetQueueAttributes',
]);

/** Actions for which IAM knows no resource, or none that is of this service, each with where AWS says so. */
const WITHOUT_RESOURCE: Readonly<Record<string, string>> = {
  'xray:PutTraceSegments': 'Service Authorization Reference, AWS X-Ray',
  'xray:PutTelemetryRecords': 'Service Authorization Reference, AWS X-Ray',
  'xray:GetSamplingRules': 'Service Authorization Reference, AWS X-Ray',
  'xray:GetSamplingTargets': 'Service Authorization Reference, AWS X-Ray',
  'logs:CreateLogDelivery': 'Service Authorization Reference, Amazon CloudWatch Logs: no resource type',
  'logs:GetLogDelivery': 'Service Authorization Reference, Amazon CloudWatch Logs: no resource type',
  'logs:UpdateLogDelivery': 'Service Authorization Reference, Amazon CloudWatch Logs: no resource type',
  'logs:DeleteLogDelivery': 'Service Authorization Reference, Amazon CloudWatch Logs: no resource type',
  'logs:ListLogDeliveries': 'Service Authorization Reference, Amazon CloudWatch Logs: no resource type',
  'logs:PutResourcePolicy': 'Service Authorization Reference, Amazon CloudWatch Logs: no resource type',
  'logs:DescribeResourcePolicies':
    'Service Authorization Reference, Amazon CloudWatch Logs: no resource type',
  'gameliftstreams:ListStreamGroups':
    'Service Authorization Reference, Amazon GameLift Streams: no resource type',
  'logs:DescribeLogGroups': 'Step Functions Developer Guide, Using CloudWatch Logs: asked for all groups',
};

/** What a bundle's code calls, as IAM actions. */
function actionsCalled(folder: string): string[] {
  const bundle = bundles.find(({ name }) => name === folder);
  if (bundle === undefined) throw new Error(`There is no bundle of ${folder}.`);
  const actions = sdkCommands(bundle)
    .map(({ client, command }) => iamActionOf(IAM_PREFIX[client] ?? client, command))
    // The client carries it for endpoint discovery, which DynamoDB has switched off.
    .filter((action) => action !== 'dynamodb:DescribeEndpoints');
  return [...new Set(actions)].sort();
}

function actionsGranted(folder: string): string[] {
  const statements = functions.find((fn) => fn.folder === folder)?.statements ?? [];
  return statements.flatMap(({ actions }) => actions);
}

/** Those that are for the function's code. The watcher sends to a queue itself, beside what Lambda sends for it. */
function ownActionsGranted(folder: string): string[] {
  const called = new Set(actionsCalled(folder));
  return actionsGranted(folder).filter((action) => !LAMBDA_ITSELF.has(action) || called.has(action));
}

/** The partition keys that a condition allows, as patterns; it must have some. */
function leadingKeysOf(condition: unknown): readonly string[] {
  const keys = z.strictObject({ 'dynamodb:LeadingKeys': z.array(z.string()).min(1) });
  const byOperator = z
    .strictObject({
      'ForAllValues:StringLike': keys.optional(),
      'ForAllValues:StringEquals': keys.optional(),
    })
    .parse(condition);
  return Object.values(byOperator).flatMap((of) => of?.['dynamodb:LeadingKeys'] ?? []);
}

describe.each(functions)('$folder', ({ folder, key, statements }) => {
  it('may call the services whose clients its definition names, and no others', () => {
    const own = ownActionsGranted(folder);

    const named = FUNCTION_DEFINITIONS[key]?.clients.map((name) => IAM_SERVICES[name]) ?? [];
    expect(new Set(own.map((action) => action.split(':')[0]))).toEqual(new Set(named));
  });

  it('may do what its code calls, and nothing else', () => {
    expect([...new Set(ownActionsGranted(folder))].sort()).toEqual(actionsCalled(folder));
  });

  it('reaches the items of the table by their kind, and writes no switch', () => {
    const onItems = statements.filter(
      ({ actions }) =>
        actions.some((action) => action.startsWith('dynamodb:')) && !actions.includes('dynamodb:Query'),
    );

    for (const { actions, condition } of onItems) {
      const keys = leadingKeysOf(condition);
      expect(keys.filter((key) => !/^[a-z]+#\*$/.test(key) && key !== SWITCH_KEY.pk)).toEqual([]);
      if (keys.includes(SWITCH_KEY.pk)) expect(actions).toEqual(['dynamodb:GetItem']);
    }
  });

  it('publishes events of its own types alone, from one source', () => {
    const publishing = statements.filter(({ actions }) => actions.includes('events:PutEvents'));

    const expected = PUBLISHED[folder];
    expect(publishing.map(({ condition }) => condition)).toEqual(
      expected === undefined
        ? []
        : [
            {
              StringEquals: {
                'events:source': 'stream-session-reconnection',
                'events:detail-type': expected,
              },
            },
          ],
    );
  });

  it('writes to its own log group alone', () => {
    const logs = statements.filter(({ actions }) => actions.some((action) => action.startsWith('logs:')));

    const key = folder.replace(/(^|-)(\w)/g, (_match, _hyphen, letter: string) => letter.toUpperCase());
    expect(logs.flatMap(({ resources }) => resources)).toEqual([`\${${key}LogGroup.Arn}`]);
  });

  it('calls GameLift Streams on stream groups alone, the only resource that the service knows', () => {
    const onTheService = statements.filter(({ actions }) =>
      actions.some((action) => /^gamelift/.test(action) && WITHOUT_RESOURCE[action] === undefined),
    );

    for (const resource of onTheService.flatMap(({ resources }) => resources)) {
      expect(resource).toMatch(
        /^arn:\$\{AWS::Partition\}:gameliftstreams:\$\{AWS::Region\}:\$\{AWS::AccountId\}:streamgroup\//,
      );
    }
  });
});

describe('every policy', () => {
  const allStatements = granted.flatMap(({ id, statements }) =>
    statements.map((statement) => ({ id, ...statement })),
  );

  it('allows by name: no action has an asterisk', () => {
    expect(allStatements.length).toBeGreaterThan(functions.length);
    for (const { id, effect, actions } of allStatements) {
      expect(effect, id).toBe('Allow');
      for (const action of actions) expect(action, id).toMatch(/^[a-z0-9-]+:[A-Za-z]+$/);
    }
  });

  it('names resources, but for actions that have none', () => {
    const onEverything = allStatements.filter(({ resources }) => resources.includes('*'));

    const actions = new Set(onEverything.flatMap(({ actions }) => actions));
    expect([...actions].filter((action) => WITHOUT_RESOURCE[action] === undefined)).toEqual([]);
    expect(Object.keys(WITHOUT_RESOURCE).filter((action) => !actions.has(action))).toEqual([]);
  });

  it('is for a service of this project, or for nobody until it is attached', () => {
    for (const [id, role] of roles) {
      const trust = JSON.stringify(role.Properties['AssumeRolePolicyDocument']);
      expect(trust, id).toMatch(/"Service":"(lambda|states|apigateway)\.amazonaws\.com"/);
      expect(trust, id).not.toContain('"AWS"');
    }
    for (const [id, policy] of managedPolicies) {
      expect(Object.keys(policy.Properties), id).not.toContain('Roles');
    }
  });

  it('comes from AWS only where API Gateway demands it', () => {
    const managedByAws = roles.flatMap(([id, role]) =>
      [role.Properties['ManagedPolicyArns'] ?? []].flat().map(() => id),
    );

    expect(managedByAws).toEqual(['ApiGatewayLogsRole']);
  });
});

describe('the policy for people', () => {
  it('denies to go past the API, and allows nothing', () => {
    const statements = statementsOf(template.Resources['NoDirectCallsPolicy']?.Properties['PolicyDocument']);

    const pastTheApi = [
      'requestAdminShell',
      'requestConnection',
      'getWindow',
      'leaveSession',
      'createAdminShell',
      'createConnection',
    ];
    const arns = functions
      .filter(({ key }) => pastTheApi.includes(key))
      .flatMap(({ logicalId }) => [`\${${logicalId}.Arn}`, `\${${logicalId}.Arn}:*`]);
    expect(statements.map(({ effect, actions }) => [effect, ...actions])).toEqual([
      ['Deny', 'lambda:InvokeFunction', 'lambda:InvokeAsync'],
      ['Deny', 'states:StartExecution', 'states:StartSyncExecution'],
    ]);
    expect(statements[0]?.resources.toSorted()).toEqual(arns.toSorted());
    expect(statements[1]?.resources).toEqual([
      textOf({ Ref: 'CreateAdminShell' }),
      textOf({ Ref: 'CreateConnection' }),
    ]);
  });
});

describe('an invocation that is not API Gateway’s', () => {
  const ARN =
    'arn:aws:lambda:us-west-2:111122223333:function:stream-session-reconnection-dev-requestAdminShell';
  // What the template knows of each function only when it is deployed.
  const deployed = JSON.stringify(template.Resources['DirectInvocationRule']?.Properties['EventPattern'])
    .replace('{"Fn::GetAtt":["RequestAdminShellLambdaFunction","Arn"]}', `"${ARN}"`)
    .replaceAll(/\{"Fn::GetAtt":\["(\w+)","Arn"\]\}/g, '"arn:aws:lambda:$1"');
  const matches = compilePattern(JSON.parse(deployed), 'EventPattern');
  /** CloudTrail's record, as EventBridge has it. */
  const recordOf = (userIdentity: object, arn = `${ARN}:7`) => ({
    source: 'aws.lambda',
    'detail-type': 'AWS API Call via CloudTrail',
    detail: {
      eventSource: 'lambda.amazonaws.com',
      eventName: 'Invoke',
      userIdentity,
      resources: [{ type: 'AWS::Lambda::Function', ARN: arn }],
    },
  });

  it('is found in CloudTrail’s records, whoever it is', () => {
    expect(
      matches(recordOf({ type: 'AssumedRole', arn: 'arn:aws:sts::111122223333:assumed-role/admin/jo' })),
    ).toBe(true);
    expect(matches(recordOf({ type: 'AWSService', invokedBy: 'events.amazonaws.com' }))).toBe(true);
  });

  it('is told from API Gateway’s own, and from those of other functions', () => {
    expect(matches(recordOf({ type: 'AWSService', invokedBy: 'apigateway.amazonaws.com' }))).toBe(false);
    expect(
      matches(recordOf({ type: 'IAMUser' }, 'arn:aws:lambda:us-west-2:111122223333:function:other')),
    ).toBe(false);
  });

  it('of create-admin-shell is told from that of its state machine', () => {
    const shell = 'arn:aws:lambda:CreateAdminShellLambdaFunction';

    expect(matches(recordOf({ type: 'IAMUser' }, `${shell}:3`))).toBe(true);
    expect(matches(recordOf({ type: 'AssumedRole', invokedBy: 'apigateway.amazonaws.com' }, shell))).toBe(
      true,
    );
    expect(matches(recordOf({ type: 'AssumedRole', invokedBy: 'states.amazonaws.com' }, shell))).toBe(false);
    // A state machine of somebody's own is not API Gateway.
    expect(matches(recordOf({ type: 'AssumedRole', invokedBy: 'states.amazonaws.com' }))).toBe(true);
  });

  it('is of a function that the trail of docs/admin-shells.md records', async () => {
    const page = await readFile(join(import.meta.dirname, '../../docs/admin-shells.md'), 'utf8');
    const recorded = [...page.matchAll(/:function:stream-session-reconnection-prod-(\w+)"/g)];
    const pattern = JSON.stringify(template.Resources['DirectInvocationRule']?.Properties['EventPattern']);
    const keys = functions
      .filter(({ logicalId }) => pattern.includes(`"${logicalId}"`))
      .map(({ key }) => key);

    expect(keys.length).toBeGreaterThan(4);
    for (const key of keys) {
      expect(
        recorded.some(([, prefix = '']) => key.startsWith(prefix)),
        key,
      ).toBe(true);
    }
  });

  it('is watched only when the parameter says so, because it needs data events', async () => {
    const { template: other } = await packagedService('everything');

    for (const id of ['DirectInvocationRule', 'DirectInvocations', 'DirectInvocationsAlarm']) {
      expect(template.Resources[id], id).toBeDefined();
      expect(other.Resources[id], id).toBeUndefined();
    }
  });
});

describe('admin shells and connections', () => {
  const whoMay = (action: string) =>
    granted
      .filter(({ statements }) => statements.some(({ actions }) => actions.includes(action)))
      .map(({ id }) => id);
  const OF_CONNECTIONS = ['RequestConnectionFunctionRole', 'CreateConnectionFunctionRole'];
  const OF_SHELLS = ['RequestAdminShellFunctionRole', 'CreateAdminShellFunctionRole'];

  it('are each for their own functions', () => {
    expect(OF_CONNECTIONS).toEqual(
      expect.arrayContaining(whoMay('gameliftstreams:CreateStreamSessionConnection')),
    );
    expect(OF_SHELLS).toEqual(
      expect.arrayContaining(whoMay('gameliftstreams:CreateStreamSessionAdminShell')),
    );
    expect(whoMay('gameliftstreams:CreateStreamSessionConnection')).toContain('CreateConnectionFunctionRole');
    expect(whoMay('gameliftstreams:CreateStreamSessionAdminShell')).toContain('CreateAdminShellFunctionRole');
  });

  it('start only their own state machine', () => {
    const machine = (logicalId: string) => textOf({ Ref: logicalId });
    const started = Object.fromEntries(
      granted.flatMap(({ id, statements }) =>
        statements
          .filter(({ actions }) => actions.includes('states:StartSyncExecution'))
          .map(({ resources }) => [id, resources]),
      ),
    );

    expect(started).toEqual({
      RequestConnectionFunctionRole: [machine('CreateConnection')],
      RequestAdminShellFunctionRole: [machine('CreateAdminShell')],
    });
  });
});

describe('a state machine', () => {
  it.each(resourcesOfType(template, 'AWS::StepFunctions::StateMachine'))(
    '%s invokes the functions that its definition names, and no others',
    (_id, machine) => {
      const definition = JSON.stringify(machine.Properties['DefinitionString']);
      const roleId = /"Fn::GetAtt":\["(\w+)","Arn"\]/.exec(
        JSON.stringify(machine.Properties['RoleArn']),
      )?.[1];
      const role = template.Resources[roleId ?? ''];
      const invokes = (role === undefined ? [] : roleStatements(role))
        .filter(({ actions }) => actions.includes('lambda:InvokeFunction'))
        .flatMap(({ resources }) => resources);

      const named = new Set(
        [...definition.matchAll(/"(?:Ref|Fn::GetAtt)":\[?"(\w+?)Lambda(?:Function|Version)\w*"/g)].map(
          ([, name]) => `\${${name}LambdaFunction.Arn}:*`,
        ),
      );
      expect(named.size).toBeGreaterThan(0);
      expect(invokes.sort()).toEqual([...named].sort());
    },
  );
});
