import * as z from 'zod';
import { adminShellReasonSchema, sessionKeySchema, timestampSchema } from './fields.ts';

/** One record of what an operator's command does to windows: each act has two. */
export const operatorAuditDetailSchema = z
  .object({
    version: z.literal('1'),
    commandId: z.uuid().describe('Joins the two records of one command'),
    command: z.enum(['END', 'DRAIN', 'RETRY']),
    result: z
      .enum(['REQUESTED', 'DONE', 'FAILED'])
      .describe(
        'REQUESTED before anything is done; then DONE or FAILED. A REQUESTED that nothing follows counts as done',
      ),
    streamGroupId: sessionKeySchema.shape.streamGroupId
      .nullable()
      .describe('Short id of the stream group; null when the command is for windows of many'),
    streamSessionId: sessionKeySchema.shape.streamSessionId
      .nullable()
      .describe('Short id of the stream session; null when the command is for many'),
    caller: z.string().min(1).max(2048).describe('ARN of the IAM identity that ran the command'),
    reason: adminShellReasonSchema.describe('The option --reason, or "none given"'),
    failure: z.string().min(1).max(256).nullable().describe('What failed, by its name; else null'),
    windows: z
      .int()
      .min(0)
      .nullable()
      .describe('How many windows the command has changed; null where that is not known, as after an END'),
    requestedAt: timestampSchema.describe('When the command began'),
    recordedAt: timestampSchema.describe('When the result was known'),
  })
  .meta({ title: 'Stream Session Operator Audit, detail, version 1' });
export type OperatorAuditDetail = z.infer<typeof operatorAuditDetailSchema>;
