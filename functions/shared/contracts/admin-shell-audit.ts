import * as z from 'zod';
import { adminShellReasonSchema, sessionKeySchema, timestampSchema } from './fields.ts';

/** One record of an admin shell's audit trail: each request has two, or one that says why it was refused. */
export const adminShellAuditDetailSchema = z
  .object({
    version: z.literal('1'),
    requestId: z.string().min(1).max(256).describe("API Gateway's id of the request; joins its two records"),
    result: z
      .enum(['REQUESTED', 'GRANTED', 'REFUSED'])
      .describe(
        'REQUESTED before the service is asked; then GRANTED (the credentials are in the reply) or REFUSED. A REQUESTED that nothing follows counts as granted',
      ),
    streamGroupId: sessionKeySchema.shape.streamGroupId
      .nullable()
      .describe('Short id of the stream group; null when the request named none'),
    streamSessionId: sessionKeySchema.shape.streamSessionId
      .nullable()
      .describe('Short id of the stream session; null when the request named none'),
    caller: z.string().min(1).max(2048).describe('ARN of the IAM identity that signed the request'),
    accessKeyId: z.string().max(128).nullable().describe('Id of the access key that signed the request'),
    sourceIp: z.string().max(64).nullable(),
    reason: adminShellReasonSchema
      .nullable()
      .describe('The header x-reason, or "none given"; null when the header was refused'),
    refusal: z
      .string()
      .min(1)
      .max(256)
      .nullable()
      .describe('What refused the request, such as INVALID_REASON or ThrottlingException; else null'),
    sessionStatus: z
      .string()
      .max(64)
      .nullable()
      .describe("The session's status, when that is what refused the request; else null"),
    requestedAt: timestampSchema.describe('When the request came'),
    recordedAt: timestampSchema.describe('When the result was known'),
    executionName: z.string().min(1).max(80).nullable().describe('The execution of create-admin-shell'),
  })
  .meta({ title: 'Stream Session Admin Shell Audit, detail, version 1' });
export type AdminShellAuditDetail = z.infer<typeof adminShellAuditDetailSchema>;
