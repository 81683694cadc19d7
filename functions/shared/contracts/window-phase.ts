import * as z from 'zod';

export const windowPhaseSchema = z.enum([
  'AWAITING_RECONNECTION',
  'AWAITING_CLIENT',
  'AWAITING_END',
  'CLOSED',
  'FAILED',
]);
export type WindowPhase = z.infer<typeof windowPhaseSchema>;
