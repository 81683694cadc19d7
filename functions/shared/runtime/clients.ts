/** The SDK clients of all functions. A local endpoint comes from AWS_ENDPOINT_URL_<SERVICE>, which the SDK reads by itself. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/**
 * How long one attempt of a call may take. The SDK has no limit of its own: a socket whose other side is gone (a thawed
 * Lambda sandbox has such) would hold a function until its timeout, which is 10 s for most. Five attempts with their
 * backoff fit in that: 5 × 1 s and less than 1 s for the table, 5 × 1.5 s and less than 2 s for the others. The services
 * answer within 0.1 s. Without `throwOnRequestTimeout` the SDK only logs a warning.
 */
const shared = { connectionTimeout: 1000, throwOnRequestTimeout: true };
const TABLE_TIMEOUTS = { ...shared, requestTimeout: 1000 };
const CALL_TIMEOUTS = { ...shared, requestTimeout: 1500 };
/** StartSyncExecution replies when the execution has ended: whoever calls it says how long that may take. */
const SYNC_TIMEOUTS = { ...shared, requestTimeout: 0 };

export const documents = make(() =>
  DynamoDBDocumentClient.from(new DynamoDBClient({ maxAttempts: 5, requestHandler: TABLE_TIMEOUTS }), {
    marshallOptions: { removeUndefinedValues: true },
  }),
);

export const eventBridge = make(
  () => new EventBridgeClient({ maxAttempts: 5, requestHandler: CALL_TIMEOUTS }),
);

/** One attempt for each call: backoff belongs to the state machine, and two retry layers multiply. */
export const gameLiftStreams = make(() => new GameLiftStreamsClient({ maxAttempts: 1 }));

/**
 * Makes three attempts, because a minute's looks are ordered once. Looks that are ordered twice do no harm.
 * By default the client takes its endpoint from the queue's URL and ignores AWS_ENDPOINT_URL_SQS.
 */
export const sqs = make(
  () => new SQSClient({ maxAttempts: 3, requestHandler: CALL_TIMEOUTS, useQueueUrlAsEndpoint: false }),
);

/** A few seconds of SDK retries, because the next retry of an asynchronous Lambda is a minute away. */
export const stepFunctions = make(() => stepFunctionsClient(5, CALL_TIMEOUTS));

/**
 * For an execution that must not be started twice: a synchronous start has no idempotency, and the SDK cannot
 * tell a start that was lost from a reply that was. The caller is told instead.
 */
export const stepFunctionsSingleAttempt = make(() => stepFunctionsClient(1, SYNC_TIMEOUTS));

function stepFunctionsClient(maxAttempts: number, requestHandler: typeof CALL_TIMEOUTS): SFNClient {
  // StartSyncExecution puts "sync-" before the host, which no local endpoint has.
  const disableHostPrefix = process.env['AWS_ENDPOINT_URL_SFN'] !== undefined;
  return new SFNClient({ maxAttempts, requestHandler, disableHostPrefix });
}

/**
 * Lets a bundle carry only the clients that its `handler.ts` imports: esbuild drops a call of this function whose result
 * nothing uses.
 */
// @__NO_SIDE_EFFECTS__
function make<Client>(create: () => Client): Client {
  return create();
}
