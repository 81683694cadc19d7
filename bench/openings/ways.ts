import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import { onStatusChangeEvent } from '../../functions/on-status-change/on-status-change.ts';
import { EventSourceMapping } from '../../local/lambda/event-source-mapping.ts';
import { resolveEnvironment } from '../../local/service/read-service.ts';
import type { Service } from '../../local/service/service.ts';
import { contextOf } from '../../local/simulation/functions.ts';
import { sendThrough } from '../../local/simulation/send-through.ts';
import { queuesOf } from '../../local/sqs/queues.ts';
import type { Account } from './account.ts';

/** From the bus to whatever the rule names. */
const DELIVERY = { least: 20, spread: 60 };
/** One call of SQS or EventBridge. */
const CALL = { least: 5, spread: 10 };
/** The function gives up a call of a bus that does not answer. */
const NO_ANSWER = { least: 500, spread: 0 };
const FUNCTION = 'on-status-change';

/** What the function's client was set to. */
const SDK_ATTEMPTS = 5;

const putEventsSchema = z.object({ Entries: z.array(z.object({ Detail: z.string() })) });
const announcementSchema = z.object({ executionName: z.string() });

const hideSchema = z.object({
  Entries: z.array(z.object({ ReceiptHandle: z.string(), VisibilityTimeout: z.number() })),
});

/** How events come from the bus to the function. */
export interface Way {
  readonly name: string;
  /** Concurrency that is reserved for the function. */
  readonly reserved?: number;
  /** For so long after the drops EventBridge takes no event from the function, though it delivers reports. */
  readonly busAwaySeconds?: number;
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
    const { clock } = account;
    const source = service.eventSources.find(({ functionName }) => functionName.endsWith('-onStatusChange'));
    const fn = service.functions.find(({ name }) => name === source?.functionName);
    let ids = 0;
    const queues = queuesOf(service.queues, { clock, newId: () => `id-${++ids}` });
    const queue = queues.get(source?.queueName ?? '');
    if (source === undefined || fn === undefined || queue === undefined) throw new Error('There is a queue.');
    account.deploy(
      FUNCTION,
      handlerOf(account, service, account.stepFunctions(1), (receiptHandle, seconds) =>
        queue.changeVisibility(receiptHandle, seconds),
      ),
    );
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

/** The same while announcements cannot be published: they must neither delay openings nor be lost. */
export const throughQueueWithoutBus: Way = {
  ...throughQueue,
  name: 'queue, bus away for 5 min',
  busAwaySeconds: 300,
};

/** The function as EventBridge's own target, with the SDK's backoff inside: what was there before the queue. */
function directly(name: string, reserved?: number): Way {
  return {
    name,
    ...(reserved !== undefined && { reserved }),
    prepare: (account, service) => {
      account.deploy(FUNCTION, handlerOf(account, service, account.stepFunctions(SDK_ATTEMPTS)));
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
  throughQueueWithoutBus,
  directly('direct, as before'),
  directly('direct, 100 reserved', 100),
];

/** The shipped handler, with the account's table and clock, and clients whose calls take their time. */
function handlerOf(
  account: Account,
  service: Service,
  stepFunctionsSingleAttempt: SFNClient,
  hide: (receiptHandle: string, seconds: number) => void = () => {},
) {
  const { table, clock, random } = account;
  const { region } = service;
  const eventBridge = sendThrough(new EventBridgeClient({ region }), async (_command, input) => {
    await account.take(clock.nowMs() < account.busAwayUntilMs ? NO_ANSWER : CALL);
    if (clock.nowMs() < account.busAwayUntilMs) throw new Error('EventBridge does not answer.');
    const { Entries: entries } = putEventsSchema.parse(input);
    for (const { Detail } of entries) {
      const { executionName } = announcementSchema.parse(JSON.parse(Detail));
      account.announcements.set(executionName, (account.announcements.get(executionName) ?? 0) + 1);
    }
    return { FailedEntryCount: 0, Entries: entries.map(() => ({ EventId: 'id' })) };
  });
  const sqs = sendThrough(new SQSClient({ region }), async (_command, input) => {
    await account.take(CALL);
    for (const { ReceiptHandle, VisibilityTimeout } of hideSchema.parse(input).Entries) {
      hide(ReceiptHandle, VisibilityTimeout);
    }
    return { Successful: [], Failed: [] };
  });
  const handler = onStatusChangeEvent.handler(
    {
      documents: table.documents,
      eventBridge,
      gameLiftStreams: new GameLiftStreamsClient({ region }),
      sqs,
      stepFunctionsSingleAttempt,
    },
    { clock, random, environment: { ...resolveEnvironment(service, 'onStatusChange'), AWS_REGION: region } },
  );
  const fn = service.functions.find(({ key }) => key === 'onStatusChange');
  if (fn === undefined) throw new Error('There is a function.');
  return (payload: unknown) => {
    const endMs = clock.nowMs() + fn.timeoutSeconds * 1000;
    return handler(payload, { ...contextOf(fn), getRemainingTimeInMillis: () => endMs - clock.nowMs() });
  };
}
