import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { DependencyUnavailableException } from './errors.ts';
import { callDependency } from './service-fault.ts';

export interface EventBus {
  readonly eventBridge: EventBridgeClient;
  readonly settings: { readonly EVENT_BUS_NAME: string; readonly EVENT_SOURCE: string };
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
        Entries: [
          {
            EventBusName: settings.EVENT_BUS_NAME,
            Source: settings.EVENT_SOURCE,
            DetailType: detailType,
            Detail: JSON.stringify(detail),
          },
        ],
      }),
      abortSignal === undefined ? {} : { abortSignal },
    ),
  );
  if (failed > 0) throw new DependencyUnavailableException();
}
