import * as z from 'zod';

export const outcomeSchema = z.enum(['RECONNECTED', 'TERMINATED', 'ERRORED']);
export type Outcome = z.infer<typeof outcomeSchema>;
