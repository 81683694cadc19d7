import * as z from 'zod';
import { type HistoryEvent, historyEventSchema } from '../../web/console/model/execution.ts';

const replySchema = z.object({ events: z.array(historyEventSchema) });

/** An execution's history as the console reads it: over the wire, not through an SDK. */
export async function readHistory(
  endpoint: string,
  executionArn: string,
  send = fetch,
): Promise<HistoryEvent[]> {
  const response = await send(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'AWSStepFunctions.GetExecutionHistory',
    },
    body: JSON.stringify({ executionArn, maxResults: 1000 }),
  });
  return replySchema.parse(await response.json()).events;
}
