import { z } from 'zod';

const eventRecordSchema = z.object({
  id: z.string(),
  source: z.string(),
  detailType: z.string(),
  rules: z.array(z.string()),
  time: z.string(),
  detail: z.record(z.string(), z.unknown()),
});
export type ListedEvent = z.infer<typeof eventRecordSchema>;

const eventsSchema = z.object({ events: z.array(eventRecordSchema) });

/** The latest events of a local bus, for people and tests; 1,000 at most. */
export async function listEvents(busUrl: string, fetchReply: typeof fetch = fetch): Promise<ListedEvent[]> {
  const response = await fetchReply(`${busUrl}/_local/events?limit=1000`);
  return eventsSchema.parse(await response.json()).events;
}
