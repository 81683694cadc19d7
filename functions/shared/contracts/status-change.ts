import * as z from 'zod';
import {
  dropCauseSchema,
  giveUpAfterSecondsSchema,
  resourceIdSchema,
  sessionKeySchema,
  statusReasonSchema,
  timestampSchema,
} from './fields.ts';
import { STATUS_CHANGE_DETAIL_TYPE } from './names.ts';

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

/** Languages that have no absent members write them as null or as nothing: all three mean the same. */
function optional<Schema extends z.ZodType>(schema: Schema) {
  return z.union([schema, z.null(), z.literal('')]).optional();
}

/**
 * What the watcher writes in `reportedBy`.
 *
 * Why: docs/decisions/windows.md#every-report-but-the-watchers-is-looked-at-once
 */
export const REPORTED_BY_WATCHER = 'watcher';
/** What POST …/leaving of this service's own API writes there. A feed may call itself `api`, and is heard. */
export const REPORTED_BY_API = 'api:leaving';

export const statusChangeDetailSchema = z
  .object({
    version: z.literal('1'),
    ...sessionKeySchema.shape,
    status: streamSessionStatusSchema.describe('The status that the session has entered'),
    statusReason: optional(statusReasonSchema).describe("The service's StatusReason, when it gives one"),
    statusChangedAt: timestampSchema.describe(
      'When the session entered the status; for PENDING_CLIENT_RECONNECTION, when the client was lost',
    ),
    connectionTimeoutSeconds: optional(z.int().min(1).max(3600)).describe(
      "The session's ConnectionTimeoutSeconds, when the sender knows it",
    ),
    sessionEndsAt: optional(timestampSchema).describe(
      "The session's start plus its SessionLengthSeconds, when the sender knows it",
    ),
    dropCause: optional(dropCauseSchema).describe(
      "Why the player's connection broke, when the sender knows it",
    ),
    giveUpAfterSeconds: optional(giveUpAfterSecondsSchema).describe(
      'How long after the loss the session is kept for its player, where that is less than the service keeps it. It acts only with the parameter allowEarlyEnd',
    ),
    reportedBy: optional(z.string().min(1).max(64)).describe(
      "Who reports it. Two values are this service's own. watcher: its next list is evidence, so the window does not look at once. api:leaving: POST …/leaving, and ignored when the player has asked again since",
    ),
  })
  .meta({ title: 'Stream Session Status Change, detail, version 1' });
export type StatusChangeDetail = z.infer<typeof statusChangeDetailSchema>;

/** The parts of EventBridge's envelope that this service reads. */
export const statusChangeEventSchema = z.object({
  id: z.string().min(1).max(256),
  source: z.string().min(1).max(256),
  'detail-type': z.literal(STATUS_CHANGE_DETAIL_TYPE),
  time: timestampSchema,
  detail: statusChangeDetailSchema,
});
export type StatusChangeEvent = z.infer<typeof statusChangeEventSchema>;

/** What is kept of an event that does not fit: fields that are harmless by their form, and why it was refused. */
export const statusChangeRejectedDetailSchema = z
  .object({
    version: z.literal('1'),
    rejectedEventId: z.string().max(256).nullable(),
    reasons: z.array(z.string()).min(1).describe('Field and rule of each violation; never a value'),
    fields: z.object({
      streamGroupId: resourceIdSchema.optional(),
      streamSessionId: resourceIdSchema.optional(),
      status: streamSessionStatusSchema.optional(),
      statusChangedAt: timestampSchema.optional(),
    }),
  })
  .meta({ title: 'Stream Session Status Change Rejected, detail, version 1' });
export type StatusChangeRejectedDetail = z.infer<typeof statusChangeRejectedDetailSchema>;
