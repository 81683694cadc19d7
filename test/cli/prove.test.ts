import { ValidatePolicyCommand } from '@aws-sdk/client-accessanalyzer';
import {
  CreateChangeSetCommand,
  DeleteChangeSetCommand,
  DescribeChangeSetCommand,
  DescribeStackDriftDetectionStatusCommand,
  DescribeStackResourceDriftsCommand,
  DescribeStacksCommand,
  GetTemplateCommand,
  ListChangeSetsCommand,
  ValidateTemplateCommand,
} from '@aws-sdk/client-cloudformation';
import { DescribeAlarmsCommand, ListMetricsCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeTimeToLiveCommand } from '@aws-sdk/client-dynamodb';
import { DescribeRuleCommand } from '@aws-sdk/client-eventbridge';
import {
  ListStreamGroupsCommand,
  ListStreamSessionsCommand,
  StartStreamSessionCommand,
} from '@aws-sdk/client-gameliftstreams';
import { GetRolePolicyCommand, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import { GetAccountSettingsCommand } from '@aws-sdk/client-lambda';
import { ListServiceQuotasCommand } from '@aws-sdk/client-service-quotas';
import { TestStateCommand, ValidateStateMachineDefinitionCommand } from '@aws-sdk/client-sfn';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { describe, expect, it } from 'vitest';
import { CHECKS } from '../../cli/prove/checks.ts';
import { prove } from '../../cli/prove/run.ts';
import { anAccount, awsError, files, STACK, template } from './prove-account.ts';

type Mocks = ReturnType<typeof anAccount>['mocks'];

const HOLDS_OR_SUMMARY = /^(HOLDS|\d+ hold, )/;

async function linesAfter(change: (mocks: Mocks) => void) {
  const account = anAccount();
  change(account.mocks);
  const { code, lines } = await account.run();
  return { code, lines, others: lines.filter((line) => !HOLDS_OR_SUMMARY.test(line)) };
}

describe('npm run prove in an account where all is well', () => {
  it('finds that everything holds, in one line each, and exits with 0', async () => {
    const { code, lines } = await anAccount().run();

    expect(lines.filter((line) => !HOLDS_OR_SUMMARY.test(line))).toEqual([]);
    expect(code).toBe(0);
    const withoutSession = Object.keys(CHECKS).filter((check) => check !== 'session');
    for (const check of withoutSession) expect(lines.join('\n')).toContain(`HOLDS         ${check}: `);
  });

  it('makes one change set, deletes it, and executes nothing', async () => {
    const account = anAccount();

    await account.run();

    const { cloudFormation } = account.mocks;
    const [made] = cloudFormation.commandCalls(CreateChangeSetCommand);
    const [deleted] = cloudFormation.commandCalls(DeleteChangeSetCommand);
    expect(deleted?.args[0].input.ChangeSetName).toBe(made?.args[0].input.ChangeSetName);
    const sent = Object.values(account.mocks).flatMap((mock) =>
      mock.calls().map((call) => String(call.args[0].constructor.name)),
    );
    expect(sent.filter((name) => /^(Execute|Put|Update|Start|Send|Terminate|Invoke)/.test(name))).toEqual([]);
  });

  it('looks only at what --only names', async () => {
    const { lines } = await anAccount().run({ only: ['quotas'] });

    expect(new Set(lines.slice(0, -1).map((line) => line.split(/\s+/)[1]))).toEqual(
      new Set(['credentials:', 'stack:', 'quotas:']),
    );
  });
});

/** What a service may reply, and the line that is to say so. */
const DIFFERENCES: readonly (readonly [what: string, change: (mocks: Mocks) => void, line: string])[] = [
  [
    'a stack that is not there',
    ({ cloudFormation }) =>
      cloudFormation
        .on(DescribeStacksCommand)
        .rejects(awsError('ValidationError', `Stack with id ${STACK} does not exist`)),
    `DIFFERS       stack: There is no stack ${STACK} in us-west-2. → Check --stage and --region`,
  ],
  [
    'a failed deployment',
    ({ cloudFormation }) =>
      cloudFormation.on(DescribeStacksCommand).resolves({
        Stacks: [{ StackName: STACK, CreationTime: new Date(), StackStatus: 'UPDATE_ROLLBACK_FAILED' }],
      }),
    'DIFFERS       stack: stream-session-reconnection-prod is UPDATE_ROLLBACK_FAILED.',
  ],
  [
    'a template that is not the packaged one',
    ({ cloudFormation }) => {
      const { Table: _table, ...Resources } = template().Resources;
      cloudFormation.on(GetTemplateCommand).resolves({ TemplateBody: JSON.stringify({ Resources }) });
    },
    'DIFFERS       template: The deployed template is not the packaged one: Table is packaged only.',
  ],
  [
    'a template that CloudFormation finds invalid',
    ({ cloudFormation }) =>
      cloudFormation
        .on(ValidateTemplateCommand)
        .rejects(awsError('ValidationError', 'Template format error: x')),
    'DIFFERS       template: CloudFormation finds the deployed template invalid: Template format error: x',
  ],
  [
    'a change set that would change something',
    ({ cloudFormation }) =>
      cloudFormation.on(DescribeChangeSetCommand).resolves({
        Status: 'CREATE_COMPLETE',
        Changes: [{ ResourceChange: { LogicalResourceId: 'Table' } }],
      }),
    'DIFFERS       template: A change set of the deployed template would change Table. → Deploy again.',
  ],
  [
    'a change set that fails for another reason',
    ({ cloudFormation }) =>
      cloudFormation
        .on(DescribeChangeSetCommand)
        .resolves({ Status: 'FAILED', StatusReason: 'Transform failed' }),
    'DIFFERS       template: CloudFormation refuses a change set of the deployed template: Transform failed',
  ],
  [
    'drift',
    ({ cloudFormation }) =>
      cloudFormation
        .on(DescribeStackDriftDetectionStatusCommand)
        .resolves({
          StackId: STACK,
          StackDriftDetectionId: 'd',
          DetectionStatus: 'DETECTION_COMPLETE',
          StackDriftStatus: 'DRIFTED',
          Timestamp: new Date(),
        })
        .on(DescribeStackResourceDriftsCommand)
        .resolves({
          StackResourceDrifts: [
            {
              StackId: STACK,
              LogicalResourceId: 'Table',
              ResourceType: 'AWS::DynamoDB::Table',
              StackResourceDriftStatus: 'MODIFIED',
              Timestamp: new Date(),
              PropertyDifferences: [
                {
                  PropertyPath: '/BillingMode',
                  ExpectedValue: 'a',
                  ActualValue: 'b',
                  DifferenceType: 'NOT_EQUAL',
                },
              ],
            },
          ],
        }),
    'DIFFERS       template: Table was modified since it was deployed (/BillingMode).',
  ],
  [
    'a stack of another template',
    ({ cloudFormation }) => cloudFormation.on(GetTemplateCommand).resolves({ TemplateBody: 'Resources: {}' }),
    'DIFFERS       stack: The deployed template is not one of this project.',
  ],
  [
    'a stream group that is not there',
    ({ gameLiftStreams }) => gameLiftStreams.on(ListStreamGroupsCommand).resolves({ Items: [] }),
    'DIFFERS       stream-groups: There is no stream group sg-1AB2C3De4, which the watcher is to watch.',
  ],
  [
    'a definition that Step Functions refuses',
    ({ stepFunctions }) =>
      stepFunctions.on(ValidateStateMachineDefinitionCommand).resolves({
        result: 'FAIL',
        diagnostics: [
          {
            severity: 'ERROR',
            code: 'SCHEMA_VALIDATION_FAILED',
            message: 'Missing Next',
            location: '/States/A',
          },
        ],
      }),
    'DIFFERS       state-machines: CreateConnection: SCHEMA_VALIDATION_FAILED at /States/A: Missing Next',
  ],
  [
    'a state that decides otherwise',
    ({ stepFunctions }) =>
      stepFunctions
        .on(TestStateCommand)
        .resolves({ status: 'FAILED', error: 'States.QueryEvaluationError', cause: 'no $millis' }),
    'DIFFERS       states: CreateConnection: WasConnectionCreated after CALL_NOW goes to FAILED with States.QueryEvaluationError: no $millis, and not to CreateConnection.',
  ],
  [
    'a pattern that does not match',
    ({ eventBridge }) =>
      eventBridge
        .on(DescribeRuleCommand)
        .resolves({ State: 'ENABLED', EventPattern: '{"source":["another.source"]}' }),
    'DIFFERS       event-patterns: The rule StatusChangeRule does not match status-change.connected.json.',
  ],
  [
    'a pattern that matches too much',
    ({ eventBridge }) =>
      eventBridge
        .on(DescribeRuleCommand)
        .resolves({ State: 'ENABLED', EventPattern: '{"source":["our.game"]}' }),
    'DIFFERS       event-patterns: The rule StatusChangeRule matches reconnection-outcome.errored.json too.',
  ],
  [
    'a rule that is disabled',
    ({ eventBridge }) => eventBridge.on(DescribeRuleCommand).resolves({ State: 'DISABLED' }),
    'DIFFERS       event-patterns: The rule StatusChangeRule is disabled.',
  ],
  [
    'a role that lacks a call of its bundle',
    ({ iam }) =>
      iam.on(GetRolePolicyCommand).resolves({
        RoleName: 'r',
        PolicyName: 'p',
        PolicyDocument: encodeURIComponent(
          '{"Statement":{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*"}}',
        ),
      }),
    'DIFFERS       permissions: The inline policies of CheckSessionFunctionRole do not allow dynamodb:UpdateItem, gameliftstreams:GetStreamSession, which its function calls.',
  ],
  [
    "a denial by the organisation's policy",
    ({ iam }) =>
      iam.on(SimulatePrincipalPolicyCommand).resolves({
        EvaluationResults: [
          {
            EvalActionName: 'dynamodb:GetItem',
            EvalDecision: 'explicitDeny',
            OrganizationsDecisionDetail: { AllowedByOrganizations: false },
          },
        ],
      }),
    'DIFFERS       permissions: CheckSessionFunctionRole may not call dynamodb:GetItem: explicitDeny by a policy of the organisation.',
  ],
  [
    'a denial by the permissions boundary',
    ({ iam }) =>
      iam.on(SimulatePrincipalPolicyCommand).resolves({
        EvaluationResults: [
          {
            EvalActionName: 'dynamodb:GetItem',
            EvalDecision: 'implicitDeny',
            PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: false },
          },
        ],
      }),
    'implicitDeny by the permissions boundary. → Widen the policy that permissionsBoundaryArn names.',
  ],
  [
    'a policy that Access Analyzer finds wrong',
    ({ accessAnalyzer }) =>
      accessAnalyzer.on(ValidatePolicyCommand).resolves({
        findings: [
          {
            findingType: 'ERROR',
            issueCode: 'INVALID_ACTION',
            findingDetails: 'The action x:Y does not exist.',
            learnMoreLink: '',
            locations: [],
          },
        ],
      }),
    'DIFFERS       policies: Trust of CheckSessionFunctionRole: INVALID_ACTION: The action x:Y does not exist.',
  ],
  [
    'an alarm that is not there',
    ({ cloudWatch }) => cloudWatch.on(DescribeAlarmsCommand).resolves({ MetricAlarms: [] }),
    'DIFFERS       alarms: The alarm stream-session-reconnection-prod-ApiFailing-1 is not there.',
  ],
  [
    'a metric that is published by other dimensions',
    ({ cloudWatch }) =>
      cloudWatch.on(ListMetricsCommand).resolves({
        Metrics: [
          { Namespace: 'AWS/Lambda', MetricName: 'Errors', Dimensions: [{ Name: 'Other', Value: 'f' }] },
        ],
      }),
    'DIFFERS       alarms: AWS/Lambda Errors is published, and not by FunctionName.',
  ],
  [
    'a log group that keeps its lines for ever',
    ({ logs }) =>
      logs
        .on(DescribeLogGroupsCommand)
        .resolves({ logGroups: [{ logGroupName: `/aws/lambda/${STACK}-checkSession` }] }),
    `DIFFERS       log-groups: The log group /aws/lambda/${STACK}-checkSession keeps lines for ever, and not 30 days.`,
  ],
  [
    'an event that was left in a dead-letter queue',
    ({ sqs }) =>
      sqs.on(GetQueueAttributesCommand).resolves({
        Attributes: {
          Policy: 'aws:SecureTransport',
          RedrivePolicy: '{}',
          ApproximateNumberOfMessages: '7',
        },
      }),
    'DIFFERS       queues: The queue FailedStatusChanges has 7 messages that nothing has handled.',
  ],
  [
    'a queue that takes requests without TLS',
    ({ sqs }) => sqs.on(GetQueueAttributesCommand).resolves({ Attributes: { RedrivePolicy: '{}' } }),
    'DIFFERS       queues: The queue StatusChanges takes requests without TLS.',
  ],
  [
    'a table that deletes nothing',
    ({ dynamoDb }) =>
      dynamoDb
        .on(DescribeTimeToLiveCommand)
        .resolves({ TimeToLiveDescription: { TimeToLiveStatus: 'DISABLED' } }),
    'DIFFERS       queues: The table deletes no old items',
  ],
  [
    'a quota below its parameter',
    ({ serviceQuotas }) =>
      serviceQuotas
        .on(ListServiceQuotasCommand, { ServiceCode: 'gameliftstreams' })
        .resolves({ Quotas: [{ QuotaName: 'API rate: Create stream session connection', Value: 5 }] }),
    'DIFFERS       quotas: The quota of CreateStreamSessionConnection is 5 a second, and connectionsPerSecond is 20. → Set connectionsPerSecond=5',
  ],
  [
    'a throttle below its parameter',
    ({ serviceQuotas }) =>
      serviceQuotas
        .on(ListServiceQuotasCommand, { ServiceCode: 'apigateway' })
        .resolves({ Quotas: [{ QuotaName: 'Throttle rate', Value: 500 }] }),
    "DIFFERS       quotas: The account's throttle is 500, and apiRequestsPerSecond is 1000.",
  ],
  [
    'a rate of StartExecution below the assumed one',
    ({ serviceQuotas }) =>
      serviceQuotas
        .on(ListServiceQuotasCommand, { ServiceCode: 'states' })
        .resolves({ Quotas: [{ QuotaName: 'StartExecution refill rate per second', Value: 25 }] }),
    'DIFFERS       quotas: StartExecution takes 25 a second, and not 300',
  ],
  [
    "too little of Lambda's concurrency",
    ({ lambda }) =>
      lambda
        .on(GetAccountSettingsCommand)
        .resolves({ AccountLimit: { ConcurrentExecutions: 10, UnreservedConcurrentExecutions: 10 } }),
    'DIFFERS       quotas: Lambda has 10 of 10 executions unreserved; a storm takes 320',
  ],
];

describe('a difference', () => {
  it.each(DIFFERENCES)('is found: %s', async (_what, change, line) => {
    const { code, lines } = await linesAfter(change);

    expect(lines.join('\n')).toContain(line);
    expect(code).toBe(1);
  });

  it('does not keep the other checks from running', async () => {
    const { lines } = await linesAfter(({ stepFunctions }) =>
      stepFunctions.on(TestStateCommand).resolves({ status: 'FAILED' }),
    );

    expect(lines.filter((line) => line.startsWith('HOLDS')).length).toBeGreaterThan(12);
  });
});

describe('a question that AWS does not answer', () => {
  it.each([
    [
      'AccessDenied',
      'iam:SimulatePrincipalPolicy: not allowed → Allow iam:SimulatePrincipalPolicy to the caller: docs/prove-policy.json',
    ],
    ['Throttling', 'iam:SimulatePrincipalPolicy: throttled by AWS → Run it again in a minute.'],
    ['ExpiredToken', 'iam:SimulatePrincipalPolicy: the credentials have expired → Log in again'],
    [
      'InvalidClientTokenId',
      'iam:SimulatePrincipalPolicy: AWS does not accept the credentials (InvalidClientTokenId) → Use',
    ],
    [
      'TimeoutError',
      'iam:SimulatePrincipalPolicy: the endpoint does not answer (TimeoutError) → Check --region',
    ],
    ['SomethingNew', 'iam:SimulatePrincipalPolicy: SomethingNew: SomethingNew → Run it again'],
  ])('because of %s is one line, and the rest goes on', async (name, line) => {
    const { code, others, lines } = await linesAfter(({ iam }) =>
      iam.on(SimulatePrincipalPolicyCommand).rejects(awsError(name)),
    );

    expect(others).toHaveLength(1);
    expect(others[0]).toContain(`COULD_NOT_ASK permissions: ${line}`);
    expect(lines.join('\n')).toContain('HOLDS         quotas: ');
    expect(code).toBe(3);
  });

  it('names the permission in the report', async () => {
    const account = anAccount();
    account.mocks.lambda.on(GetAccountSettingsCommand).rejects(awsError('AccessDeniedException'));

    await account.run({ out: 'report' });

    const { findings } = JSON.parse(account.written.get('report.json') ?? '');
    expect(findings).toContainEqual(
      expect.objectContaining({
        check: 'quotas',
        verdict: 'COULD_NOT_ASK',
        permission: 'lambda:GetAccountSettings',
      }),
    );
  });

  it('without any credentials is told once for each, with what to do', async () => {
    const { code, others } = await linesAfter((mocks) => {
      const none = awsError('CredentialsProviderError', 'Could not load credentials from any providers');
      mocks.sts.on(GetCallerIdentityCommand).rejects(none);
      mocks.cloudFormation.on(DescribeStacksCommand).rejects(none);
    });

    expect(others.filter((line) => line.startsWith('COULD_NOT_ASK'))).toEqual([
      expect.stringContaining('sts:GetCallerIdentity: there are no AWS credentials → Set AWS_PROFILE'),
      expect.stringContaining('cloudformation:DescribeStacks: there are no AWS credentials'),
    ]);
    expect(code).toBe(3);
  });

  it('shows neither a key id nor a control character of the message', async () => {
    const { others } = await linesAfter(({ lambda }) =>
      lambda
        .on(GetAccountSettingsCommand)
        .rejects(awsError('Odd', `for AKIA${'ABCDEFGH12345678'}\x1b]0;x\x07\nsecond line`)),
    );

    expect(others).toEqual([expect.stringContaining('Odd: for <key id>\\x1b]0;x\\x07 second line')]);
  });
});

it('a Region without the control plane of GameLift Streams is told', async () => {
  const { code, lines } = await anAccount().run({ region: 'eu-west-1' });

  expect(lines[1]).toContain('DIFFERS       credentials: eu-west-1 has no control plane');
  expect(code).toBe(1);
});

it('a check that fails on a reply that it cannot read does not keep the others from running', async () => {
  const { others, lines } = await linesAfter(({ sqs }) =>
    sqs.on(GetQueueAttributesCommand).callsFake(() => null),
  );

  expect(others.join('\n')).toContain('COULD_NOT_ASK queues: ');
  expect(lines.join('\n')).toContain('HOLDS         quotas: ');
});

describe('npm run prove', () => {
  it('does not say that nothing has drifted when some resources could not be read', async () => {
    const { lines } = await linesAfter(({ cloudFormation }) =>
      cloudFormation.on(DescribeStackDriftDetectionStatusCommand).resolves({
        StackId: STACK,
        StackDriftDetectionId: 'd',
        DetectionStatus: 'DETECTION_FAILED',
        DetectionStatusReason: 'no access to one resource',
        StackDriftStatus: 'IN_SYNC',
        Timestamp: new Date(),
      }),
    );

    expect(lines.join('\n')).toContain('SKIPPED       template: Drift could not be detected');
    expect(lines.join('\n')).not.toContain('No resource of the stack has drifted');
  });

  it('counts no action as allowed that the simulator says nothing of', async () => {
    const { lines } = await linesAfter(({ iam }) => iam.on(SimulatePrincipalPolicyCommand).resolves({}));

    expect(lines.join('\n')).not.toContain('HOLDS         permissions');
  });

  it('looks at the table that the stack was given by its name', async () => {
    const account = anAccount();
    const { Table: _table, ...Resources } = template().Resources;
    const variables = { TABLE_NAME: 'our-table' };
    const lambda = {
      ...Resources['CheckSessionLambdaFunction'],
      Properties: { Environment: { Variables: variables } },
    };
    account.mocks.cloudFormation.on(GetTemplateCommand).resolves({
      TemplateBody: JSON.stringify({ Resources: { ...Resources, CheckSessionLambdaFunction: lambda } }),
    });

    await account.run({ only: ['queues'] });

    const [live] = account.mocks.dynamoDb.commandCalls(DescribeTimeToLiveCommand);
    expect(live?.args[0].input.TableName).toBe('our-table');
  });
});

describe('the change set', () => {
  it('of an earlier run that was killed is deleted, and the run says so', async () => {
    const account = anAccount();
    account.mocks.cloudFormation.on(ListChangeSetsCommand).resolves({
      Summaries: ['prove-1795909562355', 'our-own-release', 'prove-release-7'].map((ChangeSetName) => ({
        ChangeSetName,
      })),
    });

    const { lines } = await account.run();

    expect(lines.join('\n')).toContain('had left the change set prove-1795909562355; it is deleted.');
    const names = account.mocks.cloudFormation
      .commandCalls(DeleteChangeSetCommand)
      .map((call) => call.args[0].input.ChangeSetName);
    expect(names).toHaveLength(2);
    expect(names).not.toContain('our-own-release');
    expect(names).not.toContain('prove-release-7');
  });

  it('is deleted when the run is interrupted while CloudFormation makes it', async () => {
    const account = anAccount();
    account.mocks.cloudFormation.on(DescribeChangeSetCommand).resolves({ Status: 'CREATE_IN_PROGRESS' });
    let isInterrupted = false;

    const { code, lines } = await account.run(
      {},
      {
        isInterrupted: () => isInterrupted,
        sleep: () => {
          isInterrupted = true;
          return Promise.reject(awsError('AbortError', 'The operation was aborted'));
        },
      },
    );

    expect(account.mocks.cloudFormation.commandCalls(DeleteChangeSetCommand)).toHaveLength(1);
    expect(lines.join('\n')).toContain(
      'COULD_NOT_ASK quotas: Not looked at: the run was interrupted. → Run it again.',
    );
    expect(code).toBe(3);
  });

  it('that cannot be deleted is told with the command that deletes it', async () => {
    const { lines } = await linesAfter(({ cloudFormation }) =>
      cloudFormation.on(DeleteChangeSetCommand).rejects(awsError('AccessDenied')),
    );

    expect(lines.join('\n')).toMatch(
      /The change set prove-\d+ is left: aws cloudformation delete-change-set --stack-name/,
    );
  });
});

describe('what is not on this machine', () => {
  it('is skipped with the command that makes it', async () => {
    const none = { template: undefined, calls: undefined, samples: new Map(), offer: undefined };

    const { code, lines } = await anAccount().run({}, { readFiles: async () => none });

    expect(lines.filter((line) => line.startsWith('SKIPPED'))).toEqual([
      expect.stringContaining('→ Run npm run package -- --stage prod first.'),
      expect.stringContaining('There are no samples'),
      expect.stringContaining('→ Run npm run build first.'),
    ]);
    expect(code).toBe(0);
  });

  it('as a package of another time differs in nothing but its times', async () => {
    const packaged = JSON.parse(
      JSON.stringify(template()).replace(
        '1795909614550-2026-11-28T23:46:54.550Z',
        '1-2026-12-01T00:00:00.000Z',
      ),
    );

    const { code } = await anAccount().run(
      {},
      { readFiles: async () => ({ ...files(), template: packaged }) },
    );

    expect(code).toBe(0);
  });
});

describe('the report', () => {
  it('has the findings in Markdown and JSON, without account ids', async () => {
    const account = anAccount();
    account.mocks.gameLiftStreams.on(ListStreamGroupsCommand).resolves({ Items: [] });

    const { lines } = await account.run({ out: 'report' });

    const markdown = account.written.get('report.md') ?? '';
    const json = JSON.parse(account.written.get('report.json') ?? '');
    expect(lines.at(-1)).toBe('Wrote report.md and report.json.');
    expect(markdown).toContain('- **DIFFERS** There is no stream group sg-1AB2C3De4');
    expect(markdown).toContain('Assumption `group-status`');
    expect(markdown).toContain('## Not settled by this run');
    expect(json).toMatchObject({ version: 1, stage: 'prod', exitCode: 1 });
    expect(json.findings).toContainEqual(
      expect.objectContaining({
        check: 'quotas',
        assumptions: ['published-quotas', 'start-quota', 'lambda-concurrency', 'api-throttle'],
      }),
    );
    expect(markdown + JSON.stringify(json)).not.toContain('111122223333');
  });

  it('takes nothing for settled that could not be asked', async () => {
    const account = anAccount();
    account.mocks.lambda.on(GetAccountSettingsCommand).rejects(awsError('AccessDenied'));

    await account.run({ out: 'report' });

    const { notSettled } = JSON.parse(account.written.get('report.json') ?? '');
    expect(notSettled).toContain('lambda-concurrency');
    expect(notSettled).not.toContain('patterns-match');
  });

  it('takes only those of a session for settled that it has a finding of', async () => {
    const account = anAccount();
    account.mocks.gameLiftStreams
      .on(StartStreamSessionCommand)
      .rejects(awsError('ValidationException'))
      .on(ListStreamSessionsCommand)
      .resolves({ Items: [] });
    const flags = { 'stream-group': 'sg-1AB2C3De4', application: 'a-1', yes: true };

    await account.run(
      { ...flags, out: 'report' },
      { readFiles: async () => ({ ...files(), offer: 'an offer' }) },
    );

    const { notSettled } = JSON.parse(account.written.get('report.json') ?? '');
    expect(notSettled).toContain('connection-duration');
  });

  it('that cannot be written is told in one line', async () => {
    const { code, lines } = await anAccount().run(
      { out: 'no/such/folder' },
      { writeFile: () => Promise.reject(new Error('ENOENT: no such file or directory')) },
    );

    expect(lines.at(-1)).toBe('The report could not be written: ENOENT: no such file or directory');
    expect(code).toBe(1);
  });

  it('ends with time, calls and cost', async () => {
    const { lines } = await anAccount().run();

    expect(lines.at(-1)).toMatch(
      /^\d+ hold, 0 differ, 0 could not be asked, 0 were skipped\. 3 s, \d+ calls, about \$0\.0000\.$/,
    );
  });
});

describe('wrong arguments', () => {
  it('without a stage are refused before anything is asked', async () => {
    const { surroundings, mocks } = anAccount();

    await expect(prove({ help: false }, surroundings)).rejects.toThrow('--stage names the stage');
    expect(mocks.sts.calls()).toEqual([]);
  });

  it.each([
    [{ stage: 'a b' }, '--stage takes letters'],
    [{ region: 'mars' }, '--region takes a Region'],
    [{ only: ['quota'] }, '--only takes one of: credentials, stack'],
  ])('%j are refused', async (values, message) => {
    await expect(anAccount().run(values)).rejects.toThrow(message);
  });
});
