import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { packagedService, type Resource, resourcesOfType } from '../helpers/packaged-service.ts';
import { functionsOf, onlyResource, statementsOf, textOf } from '../helpers/template-view.ts';

const { template } = await packagedService();
const rules = resourcesOfType(template, 'AWS::Events::Rule');
const queues = resourcesOfType(template, 'AWS::SQS::Queue');

const targetSchema = z.looseObject({
  Arn: z.unknown(),
  RetryPolicy: z.object({ MaximumEventAgeInSeconds: z.number(), MaximumRetryAttempts: z.number() }),
  DeadLetterConfig: z.object({ Arn: z.unknown() }),
});

function targetsOf({ Properties }: Resource) {
  return z.array(targetSchema).parse(Properties['Targets']);
}

/** Who may send to a queue: the ARNs of rules, as text. */
function sendersTo(queueArn: string): string[] {
  return resourcesOfType(template, 'AWS::SQS::QueuePolicy')
    .flatMap(([, { Properties }]) => statementsOf(Properties['PolicyDocument']))
    .filter(({ actions, resources }) => actions.includes('sqs:SendMessage') && resources.includes(queueArn))
    .flatMap(({ condition }) => {
      const { ArnEquals } = z
        .object({ ArnEquals: z.object({ 'aws:SourceArn': z.unknown() }) })
        .parse(condition);
      return [ArnEquals['aws:SourceArn']].flat().map(textOf);
    });
}

describe.each(rules)('%s', (logicalId, rule) => {
  it('repeats a delivery that fails, and keeps what it could not deliver', () => {
    const targets = targetsOf(rule);

    expect(targets).toHaveLength(1);
    for (const { RetryPolicy, DeadLetterConfig } of targets) {
      expect(RetryPolicy.MaximumRetryAttempts).toBeGreaterThan(0);
      expect(RetryPolicy.MaximumEventAgeInSeconds).toBeLessThanOrEqual(86_400);
      expect(sendersTo(textOf(DeadLetterConfig.Arn))).toContain(`\${${logicalId}.Arn}`);
    }
  });

  it('may reach its target', () => {
    for (const { Arn } of targetsOf(rule)) {
      const target = textOf(Arn);
      const toFunction = resourcesOfType(template, 'AWS::Lambda::Permission').some(
        ([, { Properties }]) =>
          Properties['Principal'] === 'events.amazonaws.com' &&
          textOf(Properties['FunctionName']) === target &&
          textOf(Properties['SourceArn']) === `\${${logicalId}.Arn}`,
      );

      expect(toFunction || sendersTo(target).includes(`\${${logicalId}.Arn}`)).toBe(true);
    }
  });
});

describe('the events', () => {
  it("wake the functions that they are for: this project's own, Step Functions' red ends, and every minute", () => {
    const wakes = rules.map(([, rule]) => {
      const { EventPattern, ScheduleExpression } = rule.Properties;
      return [
        targetsOf(rule)
          .map(({ Arn }) => textOf(Arn))
          .join(),
        EventPattern ?? ScheduleExpression,
      ];
    });

    expect(Object.fromEntries(wakes)).toEqual({
      [textOf({ 'Fn::GetAtt': ['StatusChanges', 'Arn'] })]: {
        source: ['stream-session-reconnection'],
        'detail-type': ['Stream Session Status Change'],
      },
      [textOf({ 'Fn::GetAtt': ['RejectedEvents', 'Arn'] })]: {
        source: ['stream-session-reconnection'],
        'detail-type': ['Stream Session Status Change Rejected'],
      },
      [textOf({ 'Fn::GetAtt': ['OnExecutionFailureLambdaFunction', 'Arn'] })]: {
        source: ['aws.states'],
        'detail-type': ['Step Functions Execution Status Change'],
        detail: {
          stateMachineArn: [{ Ref: 'ReconnectionWindow' }],
          status: ['FAILED', 'TIMED_OUT', 'ABORTED'],
        },
      },
      [textOf({ 'Fn::GetAtt': ['WatchSessionsLambdaFunction', 'Arn'] })]: 'rate(1 minute)',
      // Its pattern is tried in permissions.test.ts.
      [textOf({ 'Fn::GetAtt': ['DirectInvocations', 'Arn'] })]: expect.objectContaining({
        source: ['aws.lambda'],
      }),
    });
  });
});

describe('a queue', () => {
  it.each(queues)(
    '%s keeps its messages as long as SQS can, encrypted, and somebody may send to it',
    (logicalId, queue) => {
      expect(queue.Properties).toMatchObject({
        // A look that nobody made in time is not to be made late.
        MessageRetentionPeriod: logicalId === 'WatcherLooks' ? 120 : 1_209_600,
        SqsManagedSseEnabled: true,
      });
      const arn = textOf({ 'Fn::GetAtt': [logicalId, 'Arn'] });
      const functionsThatSend = functionsOf(template).filter(({ statements }) =>
        statements.some(
          ({ actions, resources }) => actions.includes('sqs:SendMessage') && resources.includes(arn),
        ),
      );
      const isRedriven = queues.some(([, { Properties }]) =>
        JSON.stringify(Properties['RedrivePolicy'] ?? '').includes(`"${logicalId}"`),
      );
      expect(isRedriven || sendersTo(arn).length + functionsThatSend.length > 0).toBe(true);
    },
  );
});

describe('the queue between the bus and on-status-change', () => {
  const numberOf = (value: unknown) => z.number().parse(value);
  const queue = template.Resources['StatusChanges']?.Properties ?? {};
  const [, fn] = resourcesOfType(template, 'AWS::Lambda::Function').find(
    ([id]) => id === 'OnStatusChangeLambdaFunction',
  ) ?? ['', undefined];

  it('invokes it with a maximum concurrency, and takes back what it names', () => {
    const ofQueue = resourcesOfType(template, 'AWS::Lambda::EventSourceMapping').find(([, { Properties }]) =>
      JSON.stringify(Properties['EventSourceArn']).includes('"StatusChanges"'),
    );
    const properties: Record<string, unknown> = ofQueue?.[1].Properties ?? {};

    expect(properties).toMatchObject({
      EventSourceArn: { 'Fn::GetAtt': ['StatusChanges', 'Arn'] },
      BatchSize: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 20 },
    });
    expect(properties['MaximumBatchingWindowInSeconds']).toBeUndefined();
    expect(textOf(properties['FunctionName'])).toContain('OnStatusChangeLambdaFunction');
  });

  it('hides a message six times as long as the function may run', () => {
    expect(numberOf(queue['VisibilityTimeout'])).toBeGreaterThanOrEqual(
      6 * numberOf(fn?.Properties['Timeout']),
    );
  });

  it('gives a message up only after hours of throttling', () => {
    expect(queue['RedrivePolicy']).toEqual({
      deadLetterTargetArn: { 'Fn::GetAtt': ['FailedStatusChanges', 'Arn'] },
      maxReceiveCount: 1_000,
    });
  });

  it('reserves no concurrency of the account, unless a parameter says so', () => {
    expect(fn?.Properties['ReservedConcurrentExecutions']).toBeUndefined();
  });
});

describe('the table', () => {
  const [, table] = onlyResource(template, 'AWS::DynamoDB::Table');

  it('is on demand, encrypted, can be brought back to any second, and lets old outcomes go', () => {
    expect(table.Properties).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      SSESpecification: { SSEEnabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    });
  });

  it('outlives the stack, and a change that would replace it', () => {
    expect([table.DeletionPolicy, table.UpdateReplacePolicy]).toEqual(['RetainExceptOnCreate', 'Retain']);
  });
});

describe('the log groups', () => {
  it('forget, each after days that were chosen', () => {
    const days = resourcesOfType(template, 'AWS::Logs::LogGroup').map(([, { Properties }]) =>
      Number(Properties['RetentionInDays']),
    );

    expect(days.filter((value) => !(value > 0))).toEqual([]);
  });
});

describe('the outputs', () => {
  it('name what others need, with a description each', () => {
    const own = Object.entries(template.Outputs).filter(([name]) => !/^Serverless|QualifiedArn$/.test(name));

    expect(own.map(([name]) => name)).toEqual(
      expect.arrayContaining([
        'ApiUrl',
        'EventBusName',
        'TableName',
        'BackendPolicyArn',
        'WindowPolicyArn',
        'OperatorPolicyArn',
        'FeedPolicyArn',
        'ReconnectionWindowArn',
        'CreateConnectionArn',
        'CreateAdminShellArn',
      ]),
    );
    for (const [name, { Description }] of own) expect(textOf(Description).length, name).toBeGreaterThan(10);
  });

  it('tell the address of every queue that an operator may have to look into', () => {
    const told = Object.values(template.Outputs).map(({ Value }) => textOf(Value));

    for (const [logicalId] of queues) expect(told).toContain(`\${${logicalId}}`);
  });
});

it('every queue refuses whoever does without TLS', () => {
  const queues = resourcesOfType(template, 'AWS::SQS::Queue').map(([id]) => ({ Ref: id }));
  const refusing = resourcesOfType(template, 'AWS::SQS::QueuePolicy').filter(([, { Properties }]) =>
    JSON.stringify(Properties['PolicyDocument']).includes(
      '"Effect":"Deny","Principal":"*","Action":"sqs:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}',
    ),
  );

  expect(refusing.flatMap(([, { Properties }]) => Properties['Queues'])).toEqual(
    expect.arrayContaining(queues),
  );
});
