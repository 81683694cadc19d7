import { AccessAnalyzerClient, ValidatePolicyCommand } from '@aws-sdk/client-accessanalyzer';
import {
  CloudFormationClient,
  CreateChangeSetCommand,
  DeleteChangeSetCommand,
  DescribeChangeSetCommand,
  DescribeStackDriftDetectionStatusCommand,
  DescribeStackResourceDriftsCommand,
  DescribeStacksCommand,
  DetectStackDriftCommand,
  GetTemplateCommand,
  ListChangeSetsCommand,
  ListStackResourcesCommand,
  ValidateTemplateCommand,
} from '@aws-sdk/client-cloudformation';
import { CloudWatchClient, DescribeAlarmsCommand, ListMetricsCommand } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeTableCommand, DescribeTimeToLiveCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeRuleCommand, EventBridgeClient, TestEventPatternCommand } from '@aws-sdk/client-eventbridge';
import { GameLiftStreamsClient, ListStreamGroupsCommand } from '@aws-sdk/client-gameliftstreams';
import {
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  ListRolePoliciesCommand,
  SimulatePrincipalPolicyCommand,
} from '@aws-sdk/client-iam';
import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ListServiceQuotasCommand, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import {
  DescribeStateMachineCommand,
  SFNClient,
  TestStateCommand,
  ValidateStateMachineDefinitionCommand,
} from '@aws-sdk/client-sfn';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { mockClient } from 'aws-sdk-client-mock';
import { type LocalFiles, type Sample, templateSchema } from '../../cli/prove/account.ts';
import { prove, type Surroundings } from '../../cli/prove/run.ts';
import { STATE_CASES } from '../../cli/prove/state-cases.ts';
import { compilePattern } from '../../local/event-bus/pattern/pattern.ts';

export const STACK = 'stream-session-reconnection-prod';
const ACCOUNT = '111122223333';
const REGION = 'us-west-2';
const START_MS = Date.UTC(2026, 10, 28);
const MACHINE = `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:${STACK}-create-connection`;
const QUEUE = `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/${STACK}-StatusChanges-1`;

const ROLE_POLICY = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Action: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
      Resource: `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${STACK}-Table-1`,
      Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['session#*'] } },
    },
    {
      Effect: 'Allow',
      Action: 'gameliftstreams:GetStreamSession',
      Resource: [`arn:aws:gameliftstreams:${REGION}:${ACCOUNT}:streamgroup/*`],
    },
  ],
};
const TRUST = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
};

/** A small stack with one resource of each type that is looked at. */
export const template = () =>
  templateSchema.parse({
    Resources: {
      CheckSessionLambdaFunction: {
        Type: 'AWS::Lambda::Function',
        Properties: {
          Handler: 'dist/check-session/handler.handler',
          Role: { 'Fn::GetAtt': ['CheckSessionFunctionRole', 'Arn'] },
          Code: {
            S3Bucket: { Ref: 'ServerlessDeploymentBucket' },
            S3Key: 'serverless/x/prod/1795909614550-2026-11-28T23:46:54.550Z/checkSession.zip',
          },
          Environment: {
            Variables: {
              EVENT_SOURCE: 'our.game',
              CONNECTIONS_PER_SECOND: '20',
              READS_PER_SECOND: '20',
              WATCHED_STREAM_GROUPS: 'sg-1AB2C3De4',
            },
          },
        },
      },
      CheckSessionFunctionRole: { Type: 'AWS::IAM::Role' },
      BackendPolicy: { Type: 'AWS::IAM::ManagedPolicy' },
      CreateConnection: { Type: 'AWS::StepFunctions::StateMachine' },
      StatusChangeRule: { Type: 'AWS::Events::Rule' },
      WatchRule: { Type: 'AWS::Events::Rule' },
      ApiFailing: { Type: 'AWS::CloudWatch::Alarm' },
      CheckSessionLogGroup: { Type: 'AWS::Logs::LogGroup', Properties: { RetentionInDays: 30 } },
      StatusChanges: { Type: 'AWS::SQS::Queue', Properties: { RedrivePolicy: {} } },
      FailedStatusChanges: { Type: 'AWS::SQS::Queue' },
      Table: { Type: 'AWS::DynamoDB::Table' },
      ApiStage: {
        Type: 'AWS::ApiGateway::Stage',
        Properties: {
          MethodSettings: [
            { ThrottlingRateLimit: 1000, ThrottlingBurstLimit: 2000 },
            { ThrottlingRateLimit: 10, ThrottlingBurstLimit: 20 },
          ],
        },
      },
      Mapping: {
        Type: 'AWS::Lambda::EventSourceMapping',
        Properties: { ScalingConfig: { MaximumConcurrency: 20 } },
      },
      ServerlessDeploymentBucket: { Type: 'AWS::S3::Bucket' },
    },
  });

const PHYSICAL: Readonly<Record<string, string>> = {
  CreateConnection: MACHINE,
  StatusChangeRule: `${STACK}|${STACK}-StatusChangeRule-1`,
  StatusChanges: QUEUE,
  CheckSessionLogGroup: `/aws/lambda/${STACK}-checkSession`,
  BackendPolicy: `arn:aws:iam::${ACCOUNT}:policy/${STACK}-BackendPolicy-1`,
};

const PATTERN = { source: ['our.game'], 'detail-type': ['Stream Session Status Change'] };
const sample = (detailType: string, source = 'stream-session-reconnection') => ({
  id: '1',
  account: ACCOUNT,
  time: '2026-03-14T18:00:41Z',
  region: REGION,
  resources: [],
  source,
  'detail-type': detailType,
  detail: { status: 'CONNECTED' },
});

export const files = (): LocalFiles => ({
  template: template(),
  calls: new Map([
    ['check-session', ['dynamodb:GetItem', 'dynamodb:UpdateItem', 'gameliftstreams:GetStreamSession']],
  ]),
  offer: undefined,
  samples: new Map<string, Sample>([
    ['status-change.connected.json', sample('Stream Session Status Change')],
    ['reconnection-outcome.errored.json', sample('Stream Session Reconnection Outcome')],
    ['execution-status-change.failed.json', sample('Step Functions Execution Status Change', 'aws.states')],
  ]),
});

const quotas = (values: Readonly<Record<string, number>>) => ({
  Quotas: Object.entries(values).map(([QuotaName, Value]) => ({ QuotaName, Value })),
});

/** An account in which everything is as it should be. A test then says what its services reply otherwise. */
export function anAccount() {
  const config = { region: REGION, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
  const aws = {
    accessAnalyzer: new AccessAnalyzerClient(config),
    cloudFormation: new CloudFormationClient(config),
    cloudWatch: new CloudWatchClient(config),
    dynamoDb: new DynamoDBClient(config),
    eventBridge: new EventBridgeClient(config),
    gameLiftStreams: new GameLiftStreamsClient(config),
    iam: new IAMClient(config),
    lambda: new LambdaClient(config),
    logs: new CloudWatchLogsClient(config),
    serviceQuotas: new ServiceQuotasClient(config),
    sqs: new SQSClient(config),
    stepFunctions: new SFNClient(config),
    sts: new STSClient(config),
  };
  const mocks = {
    accessAnalyzer: mockClient(aws.accessAnalyzer),
    cloudFormation: mockClient(aws.cloudFormation),
    cloudWatch: mockClient(aws.cloudWatch),
    dynamoDb: mockClient(aws.dynamoDb),
    eventBridge: mockClient(aws.eventBridge),
    gameLiftStreams: mockClient(aws.gameLiftStreams),
    iam: mockClient(aws.iam),
    lambda: mockClient(aws.lambda),
    logs: mockClient(aws.logs),
    serviceQuotas: mockClient(aws.serviceQuotas),
    sqs: mockClient(aws.sqs),
    stepFunctions: mockClient(aws.stepFunctions),
    sts: mockClient(aws.sts),
  };
  mocks.sts
    .on(GetCallerIdentityCommand)
    .resolves({ Account: ACCOUNT, Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/Prove/jo` });
  mocks.cloudFormation
    .on(DescribeStacksCommand)
    .resolves({
      Stacks: [
        {
          StackName: STACK,
          CreationTime: new Date(START_MS),
          StackStatus: 'UPDATE_COMPLETE',
          Outputs: [
            { OutputKey: 'EventBusName', OutputValue: STACK },
            { OutputKey: 'ReconnectionWindowArn', OutputValue: MACHINE },
          ],
        },
      ],
    })
    .on(GetTemplateCommand)
    .resolves({ TemplateBody: JSON.stringify(template()) })
    .on(ListStackResourcesCommand)
    .resolves({
      StackResourceSummaries: Object.entries(template().Resources).map(([LogicalResourceId, { Type }]) => ({
        LogicalResourceId,
        PhysicalResourceId: PHYSICAL[LogicalResourceId] ?? `${STACK}-${LogicalResourceId}-1`,
        ResourceType: Type,
        LastUpdatedTimestamp: new Date(START_MS),
        ResourceStatus: 'CREATE_COMPLETE',
      })),
    })
    .on(ValidateTemplateCommand)
    .resolves({})
    .on(ListChangeSetsCommand)
    .resolves({ Summaries: [] })
    .on(CreateChangeSetCommand)
    .resolves({ Id: 'arn:aws:cloudformation:change-set' })
    .on(DescribeChangeSetCommand)
    .resolvesOnce({ Status: 'CREATE_IN_PROGRESS' })
    .resolves({
      Status: 'FAILED',
      StatusReason:
        "The submitted information didn't contain changes. Submit different information to create a change set.",
    })
    .on(DeleteChangeSetCommand)
    .resolves({})
    .on(DetectStackDriftCommand)
    .resolves({ StackDriftDetectionId: 'detection-1' })
    .on(DescribeStackDriftDetectionStatusCommand)
    .resolves({
      StackId: STACK,
      StackDriftDetectionId: 'detection-1',
      DetectionStatus: 'DETECTION_COMPLETE',
      StackDriftStatus: 'IN_SYNC',
      Timestamp: new Date(START_MS),
    })
    .on(DescribeStackResourceDriftsCommand)
    .resolves({ StackResourceDrifts: [] });
  mocks.gameLiftStreams.on(ListStreamGroupsCommand).resolves({
    Items: [
      { Id: 'sg-1AB2C3De4', Arn: 'arn', Status: 'ACTIVE', ExpiresAt: new Date(START_MS + 300 * 86_400_000) },
    ],
  });
  const states = Object.fromEntries(STATE_CASES.map(({ state }) => [state, { Type: 'Pass' }]));
  mocks.stepFunctions
    .on(DescribeStateMachineCommand)
    .resolves({ definition: JSON.stringify({ States: states }), type: 'EXPRESS', status: 'ACTIVE' })
    .on(ValidateStateMachineDefinitionCommand)
    .resolves({ result: 'OK', diagnostics: [] })
    .on(TestStateCommand)
    .callsFake(({ stateName, variables }) => {
      const tried = STATE_CASES.find(
        (one) => one.state === stateName && JSON.stringify(one.variables) === variables,
      );
      return { status: 'SUCCEEDED', nextState: tried?.next };
    });
  mocks.eventBridge
    .on(DescribeRuleCommand)
    .resolves({ State: 'ENABLED', EventPattern: JSON.stringify(PATTERN) })
    .on(DescribeRuleCommand, { Name: `${STACK}-WatchRule-1` })
    .resolves({ State: 'ENABLED' })
    // The matcher of the local stack answers as EventBridge would.
    .on(TestEventPatternCommand)
    .callsFake(({ EventPattern, Event }) => ({
      Result: compilePattern(JSON.parse(EventPattern), 'pattern')(JSON.parse(Event)),
    }));
  mocks.iam
    .on(GetRoleCommand)
    .callsFake(({ RoleName }) => ({
      Role: {
        Arn: `arn:aws:iam::${ACCOUNT}:role/${RoleName}`,
        AssumeRolePolicyDocument: encodeURIComponent(JSON.stringify(TRUST)),
      },
    }))
    .on(ListRolePoliciesCommand)
    .resolves({ PolicyNames: ['check-session'] })
    .on(GetRolePolicyCommand)
    .resolves({
      RoleName: 'r',
      PolicyName: 'check-session',
      PolicyDocument: encodeURIComponent(JSON.stringify(ROLE_POLICY)),
    })
    .on(SimulatePrincipalPolicyCommand)
    .callsFake(({ ActionNames }) => ({
      EvaluationResults: ActionNames.map((EvalActionName: string) => ({
        EvalActionName,
        EvalDecision: 'allowed',
      })),
    }))
    .on(GetPolicyCommand)
    .resolves({ Policy: { DefaultVersionId: 'v1' } })
    .on(GetPolicyVersionCommand)
    .resolves({ PolicyVersion: { Document: encodeURIComponent(JSON.stringify(ROLE_POLICY)) } });
  mocks.accessAnalyzer.on(ValidatePolicyCommand).resolves({ findings: [] });
  const metric = {
    Namespace: 'AWS/Lambda',
    MetricName: 'Errors',
    Dimensions: [{ Name: 'FunctionName', Value: 'f' }],
  };
  mocks.cloudWatch
    .on(DescribeAlarmsCommand)
    .resolves({
      MetricAlarms: [
        {
          AlarmName: `${STACK}-ApiFailing-1`,
          ActionsEnabled: true,
          AlarmActions: ['arn:aws:sns:topic'],
          ...metric,
        },
      ],
    })
    .on(ListMetricsCommand)
    .resolves({ Metrics: [metric] });
  mocks.logs.on(DescribeLogGroupsCommand).callsFake(({ logGroupNamePrefix }) => ({
    logGroups: [{ logGroupName: logGroupNamePrefix, retentionInDays: 30 }],
  }));
  mocks.sqs.on(GetQueueAttributesCommand).resolves({
    Attributes: {
      Policy: '{"Condition":{"Bool":{"aws:SecureTransport":"false"}}}',
      RedrivePolicy: '{}',
      ApproximateNumberOfMessages: '0',
    },
  });
  mocks.dynamoDb
    .on(DescribeTableCommand)
    .resolves({ Table: { TableStatus: 'ACTIVE' } })
    .on(DescribeTimeToLiveCommand)
    .resolves({ TimeToLiveDescription: { TimeToLiveStatus: 'ENABLED', AttributeName: 'expiresAt' } });
  mocks.serviceQuotas
    .on(ListServiceQuotasCommand, { ServiceCode: 'gameliftstreams' })
    .resolves(
      quotas({ 'CreateStreamSessionConnection request rate': 20, 'GetStreamSession request rate': 20 }),
    )
    .on(ListServiceQuotasCommand, { ServiceCode: 'states' })
    .resolves(quotas({ 'StartExecution throttle token refill rate per second': 300 }))
    .on(ListServiceQuotasCommand, { ServiceCode: 'apigateway' })
    .resolves(quotas({ 'Throttle rate': 10_000, 'Throttle burst rate': 5000 }));
  mocks.lambda
    .on(GetAccountSettingsCommand)
    .resolves({ AccountLimit: { ConcurrentExecutions: 1000, UnreservedConcurrentExecutions: 1000 } });

  const told: string[] = [];
  const written = new Map<string, string>();
  let nowMs = START_MS;
  const pass = async (ms: number) => {
    nowMs += ms;
  };
  const surroundings: Surroundings = {
    pause: pass,
    tell: (text) => told.push(text),
    nowMs: () => nowMs,
    sleep: pass,
    isInterrupted: () => false,
    environment: {},
    clientsOf: () => aws,
    readFiles: async () => files(),
    writeFile: async (path, text) => {
      written.set(path, text);
    },
  };
  return {
    mocks,
    written,
    surroundings,
    run: async (values: Partial<Parameters<typeof prove>[0]> = {}, changes: Partial<Surroundings> = {}) => {
      const code = await prove({ help: false, stage: 'prod', ...values }, { ...surroundings, ...changes });
      return { code, lines: told.join('').trimEnd().split('\n') };
    },
  };
}

/** An error as the SDK throws it. */
export function awsError(name: string, message = name): Error {
  return Object.assign(new Error(message), { name, $fault: 'client', $metadata: { httpStatusCode: 400 } });
}
