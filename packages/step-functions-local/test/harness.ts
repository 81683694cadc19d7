import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { onTestFinished } from 'vitest';
import { type Endpoint, present, startEndpoint as startUntilClosed } from '../src/testing/index.ts';

/** Starts an endpoint that closes with its test. */
export async function startEndpoint(...options: Parameters<typeof startUntilClosed>): Promise<Endpoint> {
  const endpoint = await startUntilClosed(...options);
  onTestFinished(endpoint.close);
  return endpoint;
}

/** `1<0 ExecutionStarted`: the id of an event, the one it follows, and its type. */
export function lines(events: readonly HistoryEvent[]): string[] {
  return events.map(({ id, previousEventId, type }) => `${id}<${previousEventId} ${type}`);
}

export function types(events: readonly HistoryEvent[]): string[] {
  return events.map(({ type }) => present(type));
}

export function ofType(events: readonly HistoryEvent[], type: string): HistoryEvent[] {
  return events.filter((event) => event.type === type);
}
