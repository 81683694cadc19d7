import * as z from 'zod';
import { EXECUTION_STATUS_CHANGE_DETAIL_TYPE } from './detail-types.ts';
import { sessionKeySchema } from './session-key.ts';

/**
 * The parts that this service reads of the event by which Step Functions says that a Standard execution has
 * ended red: "Execution Status Change" of its Developer Guide ("Automating Step Functions event delivery with
 * EventBridge"). The rule lets no other status through.
 */
export const executionFailureEventSchema = z.object({
  source: z.literal('aws.states'),
  'detail-type': z.literal(EXECUTION_STATUS_CHANGE_DETAIL_TYPE),
  detail: z.object({
    executionArn: z.string().min(1).max(2048),
    name: z.string().min(1).max(80),
    status: z.enum(['FAILED', 'TIMED_OUT', 'ABORTED']),
    /** JSON text; left out where it is too large for an event, or encrypted with a key of the customer's. */
    input: z.string().nullish(),
  }),
});
export type ExecutionFailureEvent = z.infer<typeof executionFailureEventSchema>;

/** What names the window in the input of its execution; `open-window.ts` builds the whole. */
export const windowInputSchema = z.object({ ...sessionKeySchema.shape, generation: z.int().min(1) });
