import { AccessAnalyzerClient } from '@aws-sdk/client-accessanalyzer';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import { IAMClient } from '@aws-sdk/client-iam';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import { STSClient } from '@aws-sdk/client-sts';
import type { AwsClients } from './account.ts';

/** Someone waits at a terminal: a few seconds of the SDK's retries, and an end to an attempt that hangs. */
const SHARED = {
  maxAttempts: 5,
  requestHandler: { connectionTimeout: 3000, requestTimeout: 20_000, throwOnRequestTimeout: true },
};

/** Makes the SDK's clients for a Region. Credentials come from where the AWS CLI has them. */
export function awsClients(region: string): AwsClients {
  const config = { ...SHARED, region };
  const isLocal =
    process.env['AWS_ENDPOINT_URL'] !== undefined || process.env['AWS_ENDPOINT_URL_SFN'] !== undefined;
  return {
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
    sqs: new SQSClient({ ...config, useQueueUrlAsEndpoint: false }),
    // TestState puts "sync-" before the host, which no local endpoint has.
    stepFunctions: new SFNClient({ ...config, disableHostPrefix: isLocal }),
    sts: new STSClient(config),
  };
}
