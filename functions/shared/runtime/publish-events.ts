import {
  type EventBridgeClient,
  PutEventsCommand,
  type PutEventsRequestEntry,
} from '@aws-sdk/client-eventbridge';
import { DependencyUnavailableException } from './errors.ts';
import { callDependency } from './service-fault.ts';

export interface EventBus {
  readonly eventBridge: EventBridgeClient;
  readonly settings: { readonly EVENT_BUS_NAME: string; readonly EVENT_SOURCE: string };
}

/** PutEvents' limit for one call. */
const MAX_ENTRIES = 10;
/** Enough to send a storm of 1,000 in a second, and no more connections than a small function holds. */
const PARALLEL_CALLS = 10;

/**
 * Publishes many events of one type. What the bus did not take is not repeated here.
 *
 * @param abortSignal ends the wait for the bus, retries included; an event may have been taken all the same.
 * @returns the details that were not taken.
 */
export async function publishAll<Detail extends object>(
  { eventBridge, settings }: EventBus,
  detailType: string,
  details: readonly Detail[],
  abortSignal?: AbortSignal,
): Promise<Detail[]> {
  const batches = Array.from({ length: Math.ceil(details.length / MAX_ENTRIES) }, (_, index) =>
    details.slice(index * MAX_ENTRIES, (index + 1) * MAX_ENTRIES),
  );
  const notTaken: Detail[] = [];
  const send = async () => {
    for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
      const Entries = batch.map((detail) => entryOf(settings, detailType, detail));
      try {
        const reply = await callDependency(() =>
          eventBridge.send(
            new PutEventsCommand({ Entries }),
            abortSignal === undefined ? {} : { abortSignal },
          ),
        );
        notTaken.push(...batch.filter((_, index) => reply.Entries?.[index]?.EventId === undefined));
      } catch {
        notTaken.push(...batch);
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_CALLS }, send));
  return notTaken;
}

/**
 * Publishes one event. PutEvents answers 200 even when it took nothing, so its count is what tells.
 *
 * @param abortSignal ends the wait for the bus, retries included; the event may have been taken all the same.
 * @throws DependencyUnavailableException
 */
export async function publish(
  { eventBridge, settings }: EventBus,
  detailType: string,
  detail: object,
  abortSignal?: AbortSignal,
): Promise<void> {
  const { FailedEntryCount: failed = 0 } = await callDependency(() =>
    eventBridge.send(
      new PutEventsCommand({
        Entries: [entryOf(settings, detailType, detail)],
      }),
      abortSignal === undefined ? {} : { abortSignal },
    ),
  );
  if (failed > 0) throw new DependencyUnavailableException();
}

function entryOf(
  { EVENT_BUS_NAME, EVENT_SOURCE }: EventBus['settings'],
  detailType: string,
  detail: object,
): PutEventsRequestEntry {
  return {
    EventBusName: EVENT_BUS_NAME,
    Source: EVENT_SOURCE,
    DetailType: detailType,
    Detail: JSON.stringify(detail),
  };
}
