/**
 * The IAM policies that a deployment of the service needs: one for the identity that runs `serverless`, and one for
 * CloudFormation's role, with what each type of resource in the packaged template needs. Made from the template, so
 * that a resource of a new type cannot be forgotten.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../cli/command-line.ts';
import { runCommand, type ValuesOf } from '../cli/run-command.ts';

const root = join(import.meta.dirname, '..');
const DOCUMENT = join(root, 'docs', 'deploy-policy.json');
const TEMPLATE = join(root, '.serverless', 'cloudformation-template-update-stack.json');

const SERVICE = 'stream-session-reconnection';
/** CloudFormation cuts a stack's name in the names that it makes, to 23 characters at least. */
const GENERATED = `${SERVICE.slice(0, 20)}*`;

export interface PolicyScope {
  readonly account: string;
  readonly region: string;
  readonly stage: string;
}

interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: object;
}

export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

interface Need {
  readonly actions: readonly string[];
  /** What follows the service, Region and account in an ARN; `*` where IAM knows no resource for the action. */
  readonly resources: (names: { readonly stack: string }) => readonly string[];
}

const FUNCTIONS: Need['resources'] = ({ stack }) => [`lambda:function:${stack}-*`];
const API: Need = {
  actions: [
    'apigateway:DELETE',
    'apigateway:GET',
    'apigateway:PATCH',
    'apigateway:POST',
    'apigateway:PUT',
    // For `adminShellPrincipals`.
    'apigateway:UpdateRestApiPolicy',
  ],
  resources: () => [
    'apigateway:/restapis',
    'apigateway:/restapis/*',
    'apigateway:/tags/*',
    'apigateway:/account',
  ],
};
const TAGS_OF_RULES_AND_BUSES = ['events:TagResource', 'events:UntagResource', 'events:ListTagsForResource'];
const TAGS_OF_CLOUDWATCH = [
  'cloudwatch:ListTagsForResource',
  'cloudwatch:TagResource',
  'cloudwatch:UntagResource',
];

/** What an alarm needs; metric alarms and composite alarms differ in what makes one. */
function alarm(put: string): Need[] {
  return [
    {
      actions: ['cloudwatch:DeleteAlarms', put, ...TAGS_OF_CLOUDWATCH],
      resources: ({ stack }) => [`cloudwatch:alarm:${stack}-*`],
    },
    { actions: ['cloudwatch:DescribeAlarms'], resources: () => ['*'] },
  ];
}

/**
 * By type, what CloudFormation does to make, read, change, tag and delete a resource. Compared with the `handlers` of each type's
 * schema in the CloudFormation registry as of 2026-08-07. Left out is what they have for properties that no template of
 * ours sets: streams, replicas, imports, VPCs, layers, data protection, capacity providers. What `kmsKeyArn` needs is in
 * docs/adopting.md, because the key's policy is the account's.
 */
const NEEDS: Readonly<Record<string, readonly Need[]>> = {
  'AWS::ApiGateway::Account': [API],
  'AWS::ApiGateway::Deployment': [API],
  'AWS::ApiGateway::GatewayResponse': [API],
  'AWS::ApiGateway::Method': [API],
  'AWS::ApiGateway::Resource': [API],
  'AWS::ApiGateway::RestApi': [API],
  'AWS::ApiGateway::Stage': [
    API,
    {
      // For the access log: API Gateway Developer Guide, "Set up access logging".
      actions: [
        'logs:CreateLogDelivery',
        'logs:DeleteLogDelivery',
        'logs:DescribeResourcePolicies',
        'logs:GetLogDelivery',
        'logs:ListLogDeliveries',
        'logs:PutResourcePolicy',
        'logs:UpdateLogDelivery',
      ],
      resources: () => ['*'],
    },
  ],
  'AWS::CloudWatch::Alarm': alarm('cloudwatch:PutMetricAlarm'),
  'AWS::CloudWatch::CompositeAlarm': alarm('cloudwatch:PutCompositeAlarm'),
  'AWS::CloudWatch::Dashboard': [
    {
      actions: [
        'cloudwatch:DeleteDashboards',
        'cloudwatch:GetDashboard',
        'cloudwatch:PutDashboard',
        // The stack's tags: a dashboard has none in the template.
        ...TAGS_OF_CLOUDWATCH,
      ],
      // Dashboards are of no Region.
      resources: ({ stack }) => [`cloudwatch::dashboard/${stack}*`],
    },
  ],
  'AWS::DynamoDB::Table': [
    {
      actions: [
        'dynamodb:CreateTable',
        'dynamodb:DeleteTable',
        'dynamodb:DescribeContinuousBackups',
        'dynamodb:DescribeContributorInsights',
        'dynamodb:DescribeKinesisStreamingDestination',
        'dynamodb:DescribeTable',
        'dynamodb:DescribeTimeToLive',
        'dynamodb:GetResourcePolicy',
        'dynamodb:ListTagsOfResource',
        'dynamodb:TagResource',
        'dynamodb:UntagResource',
        'dynamodb:UpdateContinuousBackups',
        'dynamodb:UpdateTable',
        'dynamodb:UpdateTimeToLive',
      ],
      resources: () => [`dynamodb:table/${GENERATED}`],
    },
  ],
  'AWS::Events::EventBus': [
    {
      actions: [
        'events:CreateEventBus',
        'events:DeleteEventBus',
        'events:DescribeEventBus',
        'events:RemovePermission',
        'events:UpdateEventBus',
        ...TAGS_OF_RULES_AND_BUSES,
      ],
      resources: ({ stack }) => [`events:event-bus/${stack}`],
    },
  ],
  'AWS::Events::Rule': [
    {
      actions: [
        'events:DeleteRule',
        'events:DescribeRule',
        'events:DisableRule',
        'events:EnableRule',
        'events:ListTargetsByRule',
        'events:PutRule',
        'events:PutTargets',
        'events:RemoveTargets',
        ...TAGS_OF_RULES_AND_BUSES,
      ],
      // On the default bus, on the stack's own, or on the one that `eventBus` names.
      resources: () => [`events:rule/${GENERATED}`, `events:rule/*/${GENERATED}`],
    },
  ],
  'AWS::IAM::ManagedPolicy': [
    {
      actions: [
        'iam:CreatePolicy',
        'iam:CreatePolicyVersion',
        'iam:DeletePolicy',
        'iam:DeletePolicyVersion',
        'iam:GetPolicy',
        'iam:GetPolicyVersion',
        'iam:ListEntitiesForPolicy',
        'iam:ListPolicyVersions',
      ],
      resources: () => [`iam::policy/${GENERATED}`],
    },
  ],
  'AWS::IAM::Role': [
    {
      actions: [
        'iam:AttachRolePolicy',
        'iam:CreateRole',
        'iam:DeleteRole',
        'iam:DeleteRolePermissionsBoundary',
        'iam:DeleteRolePolicy',
        'iam:DetachRolePolicy',
        'iam:GetRole',
        'iam:GetRolePolicy',
        'iam:ListAttachedRolePolicies',
        'iam:ListRolePolicies',
        'iam:ListRoleTags',
        'iam:PutRolePermissionsBoundary',
        'iam:PutRolePolicy',
        'iam:TagRole',
        'iam:UntagRole',
        'iam:UpdateAssumeRolePolicy',
        'iam:UpdateRole',
        'iam:UpdateRoleDescription',
      ],
      // At the root, or under `rolePath`.
      resources: () => [`iam::role/${GENERATED}`, `iam::role/*/${GENERATED}`],
    },
  ],
  'AWS::Lambda::EventInvokeConfig': [
    {
      actions: [
        'lambda:DeleteFunctionEventInvokeConfig',
        'lambda:GetFunctionEventInvokeConfig',
        'lambda:PutFunctionEventInvokeConfig',
        'lambda:UpdateFunctionEventInvokeConfig',
      ],
      resources: FUNCTIONS,
    },
  ],
  'AWS::Lambda::EventSourceMapping': [
    {
      actions: [
        'lambda:CreateEventSourceMapping',
        'lambda:DeleteEventSourceMapping',
        'lambda:GetEventSourceMapping',
        'lambda:ListTags',
        'lambda:TagResource',
        'lambda:UntagResource',
        'lambda:UpdateEventSourceMapping',
      ],
      // A mapping has an id of its own making.
      resources: () => ['*'],
    },
  ],
  'AWS::Lambda::Function': [
    {
      actions: [
        'lambda:CreateFunction',
        'lambda:DeleteFunction',
        'lambda:DeleteFunctionConcurrency',
        'lambda:GetFunction',
        'lambda:GetFunctionCodeSigningConfig',
        'lambda:GetFunctionConfiguration',
        'lambda:GetFunctionRecursionConfig',
        'lambda:GetFunctionScalingConfig',
        'lambda:GetRuntimeManagementConfig',
        'lambda:ListTags',
        'lambda:PutFunctionConcurrency',
        'lambda:TagResource',
        'lambda:UntagResource',
        'lambda:UpdateFunctionCode',
        'lambda:UpdateFunctionConfiguration',
      ],
      resources: FUNCTIONS,
    },
  ],
  'AWS::Lambda::Permission': [
    {
      actions: ['lambda:AddPermission', 'lambda:GetPolicy', 'lambda:RemovePermission'],
      resources: FUNCTIONS,
    },
  ],
  'AWS::Lambda::Version': [
    {
      actions: [
        'lambda:GetFunctionConfiguration',
        'lambda:GetFunctionScalingConfig',
        'lambda:GetProvisionedConcurrencyConfig',
        'lambda:GetRuntimeManagementConfig',
        'lambda:ListVersionsByFunction',
        'lambda:PublishVersion',
      ],
      resources: FUNCTIONS,
    },
  ],
  'AWS::Logs::LogGroup': [
    {
      actions: [
        'logs:AssociateKmsKey',
        'logs:CreateLogGroup',
        'logs:DeleteDataProtectionPolicy',
        'logs:DeleteLogGroup',
        'logs:DeleteRetentionPolicy',
        'logs:DescribeIndexPolicies',
        'logs:DisassociateKmsKey',
        'logs:GetDataProtectionPolicy',
        'logs:ListTagsForResource',
        'logs:PutRetentionPolicy',
        'logs:TagResource',
        'logs:UntagResource',
      ],
      resources: ({ stack }) => [
        `logs:log-group:/aws/lambda/${stack}-*`,
        `logs:log-group:/aws/vendedlogs/states/${stack}*`,
        `logs:log-group:${GENERATED}`,
      ],
    },
    { actions: ['logs:DescribeLogGroups', 'logs:DescribeResourcePolicies'], resources: () => ['*'] },
  ],
  // CloudWatch Logs has no resource type for a saved query.
  'AWS::Logs::QueryDefinition': [
    {
      actions: ['logs:DeleteQueryDefinition', 'logs:DescribeQueryDefinitions', 'logs:PutQueryDefinition'],
      resources: () => ['*'],
    },
  ],
  'AWS::S3::Bucket': [
    {
      actions: [
        's3:CreateBucket',
        's3:DeleteBucket',
        's3:GetAccelerateConfiguration',
        's3:GetAnalyticsConfiguration',
        's3:GetBucketAbac',
        's3:GetBucketAcl',
        's3:GetBucketCORS',
        's3:GetBucketLogging',
        's3:GetBucketMetadataTableConfiguration',
        's3:GetBucketNotification',
        's3:GetBucketObjectLockConfiguration',
        's3:GetBucketOwnershipControls',
        's3:GetBucketPublicAccessBlock',
        's3:GetBucketTagging',
        's3:GetBucketVersioning',
        's3:GetBucketWebsite',
        's3:GetEncryptionConfiguration',
        's3:GetIntelligentTieringConfiguration',
        's3:GetInventoryConfiguration',
        's3:GetLifecycleConfiguration',
        's3:GetMetricsConfiguration',
        's3:GetReplicationConfiguration',
        's3:ListBucket',
        's3:ListTagsForResource',
        's3:PutBucketPublicAccessBlock',
        's3:PutBucketTagging',
        's3:PutEncryptionConfiguration',
        's3:TagResource',
        's3:UntagResource',
      ],
      resources: () => [`s3:::${GENERATED}`],
    },
  ],
  'AWS::S3::BucketPolicy': [
    {
      actions: ['s3:DeleteBucketPolicy', 's3:GetBucketPolicy', 's3:PutBucketPolicy'],
      resources: () => [`s3:::${GENERATED}`],
    },
  ],
  'AWS::SQS::Queue': [
    {
      actions: [
        'sqs:CreateQueue',
        'sqs:DeleteQueue',
        'sqs:GetQueueAttributes',
        'sqs:GetQueueUrl',
        'sqs:ListQueueTags',
        'sqs:SetQueueAttributes',
        'sqs:TagQueue',
        'sqs:UntagQueue',
      ],
      resources: () => [`sqs:${GENERATED}`],
    },
  ],
  'AWS::SQS::QueuePolicy': [{ actions: ['sqs:SetQueueAttributes'], resources: () => [`sqs:${GENERATED}`] }],
  'AWS::StepFunctions::StateMachine': [
    {
      actions: [
        'states:CreateStateMachine',
        'states:DeleteStateMachine',
        'states:DescribeStateMachine',
        'states:ListTagsForResource',
        'states:TagResource',
        'states:UntagResource',
        'states:UpdateStateMachine',
      ],
      resources: ({ stack }) => [`states:stateMachine:${stack}-*`],
    },
  ],
};

export const TYPES_WITH_NEEDS: readonly string[] = Object.keys(NEEDS);

/**
 * What CloudFormation must be allowed to do to deploy a template, by the role that `deploymentRoleArn` names or by the
 * credentials of who deploys.
 *
 * @throws Error that names each type of the template that is not known here.
 */
export function policyOfCloudFormation(types: readonly string[], scope: PolicyScope): PolicyDocument {
  const unknown = types.filter((type) => NEEDS[type] === undefined);
  if (unknown.length > 0) {
    throw new Error(`scripts/deploy-policy.ts does not know what ${unknown.join(', ')} need to be deployed.`);
  }
  const stack = `${SERVICE}-${scope.stage}`;
  const byResources = new Map<string, Set<string>>();
  for (const { actions, resources } of types.flatMap((type) => NEEDS[type] ?? [])) {
    const key = JSON.stringify(resources({ stack }).map((text) => arnOf(text, scope)));
    byResources.set(key, new Set([...(byResources.get(key) ?? []), ...actions]));
  }
  const statements = [...byResources]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, actions]) => {
      const Resource = z.array(z.string()).parse(JSON.parse(key));
      return statement([...actions].sort(), Resource);
    });
  const roles = [`iam::role/${GENERATED}`, `iam::role/*/${GENERATED}`].map((text) => arnOf(text, scope));
  const services = ['apigateway', 'lambda', 'states'].map((service) => `${service}.amazonaws.com`);
  return policy([
    ...statements,
    {
      ...statement(['iam:PassRole'], roles),
      Condition: { StringEquals: { 'iam:PassedToService': services } },
    },
    statement(['s3:GetObject'], [arnOf(`s3:::${GENERATED}/*`, scope)]),
  ]);
}

/** What the framework itself calls, for `deploy`, `rollback` and `remove`. */
export function policyOfDeployer(scope: PolicyScope): PolicyDocument {
  const stack = `${SERVICE}-${scope.stage}`;
  return policy([
    statement(
      [
        'cloudformation:CreateStack',
        'cloudformation:DeleteStack',
        'cloudformation:DescribeStackEvents',
        'cloudformation:DescribeStackResource',
        'cloudformation:DescribeStackResources',
        'cloudformation:DescribeStacks',
        'cloudformation:GetTemplate',
        'cloudformation:ListStackResources',
        'cloudformation:UpdateStack',
        'cloudformation:UpdateTerminationProtection',
      ],
      [arnOf(`cloudformation:stack/${stack}/*`, scope)],
    ),
    statement(['cloudformation:ValidateTemplate'], ['*']),
    statement(
      ['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:GetObject', 's3:PutObject'],
      [arnOf(`s3:::${GENERATED}/*`, scope)],
    ),
    statement(
      ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketVersions'],
      [arnOf(`s3:::${GENERATED}`, scope)],
    ),
    statement(['lambda:GetFunction'], [arnOf(`lambda:function:${stack}-*`, scope)]),
    statement(['logs:DescribeSubscriptionFilters'], [arnOf(`logs:log-group:/aws/lambda/${stack}-*`, scope)]),
    // `remove` asks whether the framework has made a repository; it has not.
    statement(['ecr:DescribeRepositories'], [arnOf('ecr:repository/serverless-*', scope)]),
    // The table that `tableName` names is looked at before a deployment.
    statement(['dynamodb:DescribeTable', 'dynamodb:DescribeTimeToLive'], [arnOf('dynamodb:table/*', scope)]),
  ]);
}

function policy(statements: readonly Omit<Statement, 'Sid'>[]): PolicyDocument {
  const counts = new Map<string, number>();
  return {
    Version: '2012-10-17',
    Statement: statements.map((entry) => {
      const service = entry.Action[0]?.split(':')[0] ?? '';
      const count = (counts.get(service) ?? 0) + 1;
      counts.set(service, count);
      return { Sid: `${service.replace(/^\w/, (letter) => letter.toUpperCase())}${count}`, ...entry };
    }),
  };
}

function statement(Action: readonly string[], Resource: readonly string[]): Omit<Statement, 'Sid'> {
  const [only, ...others] = Resource;
  return { Effect: 'Allow', Action, Resource: others.length === 0 && only !== undefined ? only : Resource };
}

/** `lambda:function:x-*` with Region and account put in; services and resources of no Region or account by theirs. */
function arnOf(text: string, { account, region }: PolicyScope): string {
  if (text === '*') return text;
  const [, service = '', rest = ''] = /^([a-z0-9]+):(.*)$/.exec(text) ?? [];
  if (service === 's3') return `arn:aws:${service}:${rest}`;
  if (service === 'apigateway') return `arn:aws:apigateway:${region}::${rest}`;
  if (rest.startsWith(':')) return `arn:aws:${service}::${account}${rest}`;
  return `arn:aws:${service}:${region}:${account}:${rest}`;
}

/** The document in docs/, for an account and a stage that a reader replaces. */
export function documentOf(types: readonly string[], scope: PolicyScope): string {
  const sorted = [...new Set(types)].sort();
  const document = {
    deployer: policyOfDeployer(scope),
    cloudFormation: policyOfCloudFormation(sorted, scope),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

export const EXAMPLE_SCOPE: PolicyScope = { account: '111122223333', region: 'us-west-2', stage: 'prod' };

const usage = `Usage: npm run deploy-policy [-- options]

Prints the IAM policies of who deploys and of CloudFormation's role, for the template that npm run package has written.

  --account <id>      the account to deploy into (default ${EXAMPLE_SCOPE.account})
  --region <Region>   (default ${EXAMPLE_SCOPE.region})
  --stage <stage>     (default ${EXAMPLE_SCOPE.stage})
  --write             write docs/deploy-policy.json, with the defaults
`;

const options = {
  account: { type: 'string' },
  region: { type: 'string' },
  stage: { type: 'string' },
  write: { type: 'boolean' },
} as const;

const templateSchema = z.object({ Resources: z.record(z.string(), z.object({ Type: z.string() })) });

async function readTypes(): Promise<string[]> {
  const text = await readFile(TEMPLATE, 'utf8').catch(() => {
    throw new UsageError('There is no packaged template. Run npm run package first.');
  });
  const { Resources } = templateSchema.parse(JSON.parse(text));
  return Object.values(Resources).map(({ Type }) => Type);
}

/** What an ARN takes; anything else would make a policy that IAM refuses, or one that is of more than was meant. */
const SCOPE: Readonly<Record<keyof PolicyScope, RegExp>> = {
  account: /^\d{12}$/,
  region: /^[a-z]{2}(-[a-z]+)+-\d$/,
  stage: /^[A-Za-z0-9-]{1,40}$/,
};

function checkedScope(given: Partial<PolicyScope>): PolicyScope {
  const scope = { ...EXAMPLE_SCOPE, ...given };
  for (const name of ['account', 'region', 'stage'] as const) {
    if (!SCOPE[name].test(scope[name])) throw new UsageError(`--${name} "${scope[name]}" is not valid.`);
  }
  return scope;
}

async function main({ write = false, ...given }: ValuesOf<typeof options>): Promise<void> {
  const scope = checkedScope(given);
  const types = await readTypes();
  if (write) await writeFile(DOCUMENT, documentOf(types, EXAMPLE_SCOPE));
  else process.stdout.write(documentOf(types, scope));
}

if (import.meta.main) await runCommand({ usage, options, run: main });
