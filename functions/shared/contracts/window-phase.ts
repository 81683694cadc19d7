import * as z from 'zod';

export const windowPhaseSchema = z.enum([
  'AWAITING_RECONNECTION',
  'AWAITING_CLIENT',
  'AWAITING_END',
  'CLOSED',
  'FAILED',
]);
export type WindowPhase = z.infer<typeof windowPhaseSchema>;

/** NOT_DISCONNECTED: the service was never seen waiting for a client, so there was nothing to reconnect. */
export const outcomeSchema = z.enum(['RECONNECTED', 'TERMINATED', 'ERRORED', 'NOT_DISCONNECTED']);
export type Outcome = z.infer<typeof outcomeSchema>;
