import * as z from 'zod';

/** `StreamSessionStatus` of the service's API, all eight values. */
export const streamSessionStatusSchema = z.enum([
  'ACTIVATING',
  'ACTIVE',
  'CONNECTED',
  'PENDING_CLIENT_RECONNECTION',
  'RECONNECTING',
  'TERMINATING',
  'TERMINATED',
  'ERROR',
]);
export type StreamSessionStatus = z.infer<typeof streamSessionStatusSchema>;
