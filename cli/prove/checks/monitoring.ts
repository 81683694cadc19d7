/** Alarms, log groups, queues and the table, as they are. */
import {
  DescribeAlarmsCommand,
  type Dimension,
  ListMetricsCommand,
  type MetricAlarm,
} from '@aws-sdk/client-cloudwatch';
import { DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeTableCommand, DescribeTimeToLiveCommand } from '@aws-sdk/client-dynamodb';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { allPages, type DeployedAccount, resourcesOf, settingOf } from '../account.ts';
import { ask, differs, type Found, holds, skipped } from '../finding.ts';

interface Metric {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions: readonly Dimension[];
}

export async function checkAlarms(account: DeployedAccount): Promise<Found[]> {
  const { aws, stackName } = account;
  const expected = resourcesOf(account, 'AWS::CloudWatch::Alarm');
  const inTemplate = Object.values(account.stack.template.Resources).filter(
    ({ Type }) => Type === 'AWS::CloudWatch::Alarm',
  ).length;
  if (inTemplate > expected.length) {
    return [differs(`The stack lists ${expected.length} of its ${inTemplate} alarms.`, 'Deploy again.')];
  }
  if (expected.length === 0)
    return [skipped('The stack has no alarms.', 'Set monitoring=full or monitoring=alarms.')];
  const described = await ask('cloudwatch:DescribeAlarms', () =>
    allPages(
      (NextToken) =>
        aws.cloudWatch.send(
          new DescribeAlarmsCommand({ AlarmNamePrefix: stackName, AlarmTypes: ['MetricAlarm'], NextToken }),
        ),
      ({ MetricAlarms = [], NextToken }) => ({ items: MetricAlarms, next: NextToken }),
    ),
  );
  if (!described.ok) return [described.found];
  const alarms = new Map(described.reply.map((alarm) => [alarm.AlarmName, alarm]));
  const found = expected.flatMap(({ physicalId }) => alarms.get(physicalId) ?? []);
  const findings = expected
    .filter(({ physicalId }) => !alarms.has(physicalId))
    .map(({ physicalId }) => differs(`The alarm ${physicalId} is not there.`, 'Deploy again.'));
  for (const { AlarmName, ActionsEnabled } of found) {
    if (ActionsEnabled === false) {
      findings.push(
        differs(
          `The alarm ${AlarmName} has its actions disabled.`,
          `Enable them: aws cloudwatch enable-alarm-actions --alarm-names ${AlarmName}.`,
        ),
      );
    }
  }
  if (found.every(({ AlarmActions = [] }) => AlarmActions.length === 0)) {
    findings.push(skipped('No alarm has an action.', 'Set pageTopicArn and ticketTopicArn: docs/alarms.md.'));
  }
  return [...findings, ...(await checkMetrics(account, found))];
}

async function checkMetrics({ aws }: DeployedAccount, alarms: readonly MetricAlarm[]): Promise<Found[]> {
  const metrics = new Map(alarms.flatMap(metricsOf).map((metric) => [JSON.stringify(metric), metric]));
  const findings: Found[] = [];
  const silent: string[] = [];
  let seen = 0;
  for (const { Namespace, MetricName, Dimensions } of metrics.values()) {
    const list = (dimensions?: readonly Dimension[]) =>
      aws.cloudWatch.send(
        new ListMetricsCommand({
          Namespace,
          MetricName,
          ...(dimensions === undefined ? {} : { Dimensions: [...dimensions] }),
        }),
      );
    const answer = await ask('cloudwatch:ListMetrics', async () => {
      const exact = (await list(Dimensions)).Metrics ?? [];
      if (exact.some((metric) => namesOf(metric.Dimensions) === namesOf(Dimensions))) return 'SEEN';
      const others = (await list()).Metrics ?? [];
      const hasOurs = others.some((metric) => namesOf(metric.Dimensions) === namesOf(Dimensions));
      return others.length > 0 && !hasOurs ? 'OTHER_DIMENSIONS' : 'SILENT';
    });
    if (!answer.ok) return [...findings, answer.found];
    const name = `${Namespace} ${MetricName}`;
    if (answer.reply === 'SEEN') seen++;
    else if (answer.reply === 'SILENT') silent.push(name);
    else {
      findings.push(
        differs(
          `${name} is published, and not by ${namesOf(Dimensions) || 'no dimension'}.`,
          'Attach the report to an issue.',
        ),
      );
    }
  }
  if (seen > 0) findings.push(holds(`${seen} of ${metrics.size} metrics of the alarms have data.`));
  if (silent.length > 0) {
    findings.push(
      skipped(
        `${silent.length} of ${metrics.size} metrics of the alarms had no data in two weeks: ${[...new Set(silent)].slice(0, 8).join(', ')}${silent.length > 8 ? ' …' : ''}.`,
        'Most count failures. Play one disconnect through the stack, and run it again.',
      ),
    );
  }
  return findings;
}

function metricsOf({ Namespace, MetricName, Dimensions = [], Metrics = [] }: MetricAlarm): Metric[] {
  const own =
    Namespace === undefined || MetricName === undefined ? [] : [{ Namespace, MetricName, Dimensions }];
  const ofExpression = Metrics.flatMap(({ MetricStat }) => {
    const { Namespace: space, MetricName: name, Dimensions: by = [] } = MetricStat?.Metric ?? {};
    return space === undefined || name === undefined
      ? []
      : [{ Namespace: space, MetricName: name, Dimensions: by }];
  });
  return [...own, ...ofExpression];
}

function namesOf(dimensions: readonly Dimension[] = []): string {
  return dimensions
    .map(({ Name = '' }) => Name)
    .sort()
    .join(' and ');
}

export async function checkLogGroups(account: DeployedAccount): Promise<Found[]> {
  const { logs } = account.aws;
  const findings: Found[] = [];
  const groups = resourcesOf(account, 'AWS::Logs::LogGroup');
  for (const { physicalId: name, properties } of groups) {
    const answer = await ask('logs:DescribeLogGroups', () =>
      logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: name })),
    );
    if (!answer.ok) return [...findings, answer.found];
    const group = answer.reply.logGroups?.find(({ logGroupName }) => logGroupName === name);
    if (group === undefined) {
      findings.push(differs(`The log group ${name} is not there.`, 'Deploy again.'));
      continue;
    }
    const days = Number(properties['RetentionInDays']);
    if (group.retentionInDays !== days) {
      findings.push(
        differs(
          `The log group ${name} keeps lines for ${group.retentionInDays === undefined ? 'ever' : `${group.retentionInDays} days`}, and not ${days} days.`,
          'Deploy again; it was changed by hand.',
        ),
      );
    }
    if (properties['KmsKeyId'] !== undefined && group.kmsKeyId === undefined) {
      findings.push(
        differs(`The log group ${name} is not encrypted with the key of kmsKeyArn.`, 'Deploy again.'),
      );
    }
  }
  return findings.length > 0
    ? findings
    : [holds(`Every log group of the stack (${groups.length}) has its retention and key.`)];
}

/** The stack's table, or the one that `tableName` has it use: then the functions have a name where a reference would be. */
function tablesOf(account: DeployedAccount): readonly string[] {
  const adopted = settingOf(account, 'TABLE_NAME');
  return adopted === undefined
    ? resourcesOf(account, 'AWS::DynamoDB::Table').map(({ physicalId }) => physicalId)
    : [adopted];
}

export async function checkQueues(account: DeployedAccount): Promise<Found[]> {
  const { sqs, dynamoDb } = account.aws;
  const findings: Found[] = [];
  const queues = resourcesOf(account, 'AWS::SQS::Queue');
  for (const { logicalId, physicalId: QueueUrl, properties } of queues) {
    const answer = await ask('sqs:GetQueueAttributes', () =>
      sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] })),
    );
    if (!answer.ok) {
      findings.push(answer.found);
      continue;
    }
    const { Attributes = {} } = answer.reply;
    if (!/aws:SecureTransport/.test(Attributes['Policy'] ?? '')) {
      findings.push(differs(`The queue ${logicalId} takes requests without TLS.`, 'Deploy again.'));
    }
    if (properties['RedrivePolicy'] !== undefined && Attributes['RedrivePolicy'] === undefined) {
      findings.push(differs(`The queue ${logicalId} has no dead-letter queue.`, 'Deploy again.'));
    }
    const waiting = Number(Attributes['ApproximateNumberOfMessages'] ?? 0);
    if (logicalId !== 'StatusChanges' && waiting > 0) {
      findings.push(
        differs(
          `The queue ${logicalId} has ${waiting} messages that nothing has handled.`,
          'Look what they are: docs/runbook.md.',
        ),
      );
    }
  }
  for (const TableName of tablesOf(account)) {
    const table = await ask('dynamodb:DescribeTable', () =>
      dynamoDb.send(new DescribeTableCommand({ TableName })),
    );
    if (!table.ok) findings.push(table.found);
    else {
      const { TableStatus, SSEDescription } = table.reply.Table ?? {};
      if (SSEDescription?.InaccessibleEncryptionDateTime !== undefined) {
        findings.push(
          differs(
            'DynamoDB cannot use the key of the table.',
            'Allow the key again: docs/customer-managed-key.md.',
          ),
        );
      } else if (TableStatus !== 'ACTIVE')
        findings.push(differs(`The table is ${TableStatus}.`, 'Run it again when it is ACTIVE.'));
    }
    const live = await ask('dynamodb:DescribeTimeToLive', () =>
      dynamoDb.send(new DescribeTimeToLiveCommand({ TableName })),
    );
    if (!live.ok) findings.push(live.found);
    else if (live.reply.TimeToLiveDescription?.TimeToLiveStatus !== 'ENABLED') {
      findings.push(differs('The table deletes no old items: its time to live is off.', 'Deploy again.'));
    }
  }
  return findings.length > 0
    ? findings
    : [holds(`The ${queues.length} queues and the table are as they should be, and no event is left over.`)];
}
