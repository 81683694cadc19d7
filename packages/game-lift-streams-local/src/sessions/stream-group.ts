import { z } from 'zod';

export const streamGroupRecordSchema = z.object({
  streamGroupId: z.string(),
  arn: z.string(),
  location: z.string(),
});
export type StreamGroupRecord = z.output<typeof streamGroupRecordSchema>;
