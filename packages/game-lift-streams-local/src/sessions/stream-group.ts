import { StreamClass, StreamGroupStatus } from '@aws-sdk/client-gameliftstreams';
import { z } from 'zod';

/** A stream group, as the control API shows it. */
export const streamGroupRecordSchema = z.object({
  streamGroupId: z.string(),
  arn: z.string(),
  location: z.string(),
  status: z.enum(StreamGroupStatus),
  createdAtMs: z.number(),
  lastUpdatedAtMs: z.number(),
  expiresAtMs: z.number(),
  description: z.string(),
  streamClass: z.enum(StreamClass),
  applicationArn: z.string().optional(),
  tags: z.record(z.string(), z.string()),
});
export type StreamGroupRecord = z.output<typeof streamGroupRecordSchema>;

/** Stream groups expire when they are 365 days old (developer guide, "Stream groups"). */
export const STREAM_GROUP_LIFETIME_MS = 365 * 24 * 3600 * 1000;

/** The statuses in which a stream group hosts sessions. Of the last two the documentation only says that some location does not. */
const HOSTING: ReadonlySet<StreamGroupStatus> = new Set([
  'ACTIVE',
  'ACTIVE_WITH_ERRORS',
  'UPDATING_LOCATIONS',
]);

export function hostsSessions({ status }: Pick<StreamGroupRecord, 'status'>): boolean {
  return HOSTING.has(status);
}

/** What happens to a stream group by itself next. */
export interface StreamGroupDue {
  readonly atMs: number;
  readonly status: StreamGroupStatus | 'GONE';
}

export function nextOfGroup(
  { status, lastUpdatedAtMs, expiresAtMs }: StreamGroupRecord,
  durations: { readonly groupActivationMs: number; readonly groupDeletionMs: number },
): StreamGroupDue | undefined {
  switch (status) {
    case 'ACTIVATING':
      return { atMs: lastUpdatedAtMs + durations.groupActivationMs, status: 'ACTIVE' };
    case 'DELETING':
      return { atMs: lastUpdatedAtMs + durations.groupDeletionMs, status: 'GONE' };
    case 'EXPIRED':
      return undefined;
    default:
      return { atMs: expiresAtMs, status: 'EXPIRED' };
  }
}
