import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { onStatusChange } from '../../functions/on-status-change/on-status-change.ts';
import { parseStatusChangeEvent } from '../../functions/on-status-change/parse-event.ts';
import type { Log } from '../../functions/shared/runtime/logging.ts';
import { handleBatch, queueBatchOf } from '../../functions/shared/runtime/queue-batch.ts';
import { EventSourceMapping } from '../../local/lambda/event-source-mapping.ts';
import type { Service } from '../../local/service/service.ts';
import { queuesOf } from '../../local/sqs/queues.ts';
import type { Account } from './account.ts';

/** From the bus to whatever the rule names. */
const DELIVERY = { least: 20, spread: 60 };
/** One call of SQS. */
const SQS_CALL = { least: 5, spread: 10 };
const FUNCTION = 'on-status-change';
const SILENT: Log = { info() {}, warn() {}, error() {}, with: () => SILENT };
const NO_METRICS = { add() {} };

/** What the function's client was set to. */
const SDK_ATTEMPTS = 5;

/** How events come from the bus to the function. */
export interface Way {
  readonly name: string;
  /** Concurrency that is reserved for the function. */
  readonly reserved?: number;
  /** @returns what hands an event over, and what tells how many were lost. */
  prepare(
    account: Account,
    service: Service,
  ): {
    readonly deliver: (event: object) => void;
    readonly lost: () => number;
  };
}

/** The shipped function, on the queue of serverless.yml. */
export const throughQueue: Way = {
  name: 'queue (ours)',
  prepare: (account, service) => {
    const { clock, random } = account;
    const source = service.eventSources.find(({ functionName }) => functionName.endsWith('-onStatusChange'));
    const fn = service.functions.find(({ name }) => name === source?.functionName);
    let ids = 0;
    const queues = queuesOf(service.queues, { clock, newId: () => `id-${++ids}` });
    const queue = queues.get(source?.queueName ?? '');
    if (source === undefined || fn === undefined || queue === undefined) throw new Error('There is a queue.');
    const handle = handlerOf(account, account.stepFunctions(1));
    account.deploy(FUNCTION, async (payload) => {
      const endMs = clock.nowMs() + fn.timeoutSeconds * 1000;
      const batch = queueBatchOf(payload);
      if (batch === undefined) throw new Error('A queue sends batches.');
      return handleBatch(batch, handle, {
        clock,
        random,
        log: SILENT,
        metrics: NO_METRICS,
        remainingMs: () => endMs - clock.nowMs(),
        hideMessages: async (messages) => {
          await account.take(SQS_CALL);
          for (const { receiptHandle, seconds } of messages) queue.changeVisibility(receiptHandle, seconds);
        },
      });
    });
    new EventSourceMapping({
      ...source,
      queue,
      functionName: FUNCTION,
      functionTimeoutSeconds: fn.timeoutSeconds,
      clock,
      region: service.region,
      invokeLambda: (name, payload) => account.invoke(name, payload),
    });
    const deadLetters = queues.get(
      service.queues.find(({ name }) => name === queue.name)?.redrive?.queueName ?? '',
    );
    return {
      deliver: (event) => void account.take(DELIVERY).then(() => queue.send(JSON.stringify(event))),
      lost: () => deadLetters?.bodies().length ?? 0,
    };
  },
};

/** The function as EventBridge's own target, with the SDK's backoff inside: what was there before the queue. */
function directly(name: string, reserved?: number): Way {
  return {
    name,
    ...(reserved !== undefined && { reserved }),
    prepare: (account) => {
      account.deploy(FUNCTION, handlerOf(account, account.stepFunctions(SDK_ATTEMPTS)));
      let lost = 0;
      const invocation = {
        functionName: FUNCTION,
        maximumRetryAttempts: 2,
        maximumEventAgeSeconds: 3600,
        onGivenUp: () => {
          lost++;
        },
      };
      return {
        deliver: (payload) =>
          void account.take(DELIVERY).then(() => account.asynchronous.start({ ...invocation, payload })),
        lost: () => lost,
      };
    },
  };
}

export const WAYS: readonly Way[] = [
  throughQueue,
  directly('direct, as before'),
  directly('direct, 100 reserved', 100),
];

function handlerOf({ table, clock, random }: Account, stepFunctions: SFNClient) {
  const region = 'us-west-2';
  const dependencies = {
    table,
    clock,
    random,
    log: SILENT,
    metrics: NO_METRICS,
    stepFunctions,
    eventBridge: new EventBridgeClient({ region }),
    gameLiftStreams: new GameLiftStreamsClient({ region }),
    settings: {
      EVENT_BUS_NAME: 'bus',
      EVENT_SOURCE: 'stream-session-reconnection',
      RECONNECTION_WINDOW_ARN: 'arn:aws:states:us-west-2:123456789012:stateMachine:reconnection-window',
      DEFAULT_CONNECTION_TIMEOUT_SECONDS: 120,
      WINDOW_MARGIN_SECONDS: 2,
      TERMINATE_ABANDONED_SESSIONS: false,
      OUTCOME_RETENTION_DAYS: 30,
      READS_PER_SECOND: 20,
    },
  };
  return (event: unknown) => onStatusChange(parseStatusChangeEvent(event, clock.nowMs()), dependencies);
}
