import {
  ExportFilesStatus,
  StreamGroupStatus,
  StreamSessionStatus,
  StreamSessionStatusReason,
} from '@aws-sdk/client-gameliftstreams';
import { z } from 'zod';
import { faultSchema } from '../sessions/fault.ts';
import { durationMs, sessionSettingsChangeSchema } from '../sessions/settings.ts';
import { streamGroupRecordSchema } from '../sessions/stream-group.ts';

/* The control API's bodies, for the server and its client alike. Times are epoch milliseconds. */

const id = z.string().regex(/^[a-zA-Z0-9-]{1,32}$/);
const streamGroupChange = {
  status: z.enum(StreamGroupStatus).exactOptional(),
  /** When it becomes EXPIRED. The default is 365 days after it was made. */
  expiresAtMs: z.int().min(0).exactOptional(),
  tags: z.record(z.string().min(1).max(128), z.string().max(256)).exactOptional(),
};
export const streamGroupSchema = z.strictObject({
  streamGroupId: id,
  /** Where its sessions run, unless StartStreamSession says. The default is the account's Region. */
  location: id.max(20).exactOptional(),
  createdAtMs: z.int().min(0).exactOptional(),
  ...streamGroupChange,
});
export type NewStreamGroup = z.input<typeof streamGroupSchema>;
/** What may happen to a stream group; tags replace those that it has. */
export const streamGroupChangeSchema = z.strictObject(streamGroupChange);
export type StreamGroupChange = z.input<typeof streamGroupChangeSchema>;
export const streamGroupsSchema = z.object({ streamGroups: z.array(streamGroupRecordSchema) });

export const startSessionsSchema = z.strictObject({
  /** The default is the first stream group. */
  streamGroupId: id.optional(),
  count: z.int().min(1).max(10_000).default(1),
  /** The status to be in at once, reached through all that come before. */
  status: z.enum(['ACTIVATING', 'ACTIVE', 'CONNECTED', 'PENDING_CLIENT_RECONNECTION']).default('CONNECTED'),
  connectionTimeoutSeconds: z.int().min(1).max(3600).default(120),
  sessionLengthSeconds: z.int().min(1).max(86_400).default(43_200),
  applicationIdentifier: z.string().min(1).max(128).default('a-local0001'),
  userId: z.string().max(1024).optional(),
  /** The sessions' own settings. The settings of the stand-in apply where these say nothing. */
  settings: sessionSettingsChangeSchema.optional(),
  exportFilesMetadata: z
    .strictObject({
      Status: z.enum(ExportFilesStatus),
      StatusReason: z.string().max(1024).optional(),
      OutputUri: z.string().max(1024).optional(),
    })
    .optional(),
});
export type NewStreamSessions = z.input<typeof startSessionsSchema>;

/** By their form fit to be told again in a refusal, which names the one that is wrong. */
const sessionIds = z
  .array(z.string().regex(/^[a-zA-Z0-9-]{1,128}$/))
  .min(1)
  .max(10_000);
export const happeningSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('clientConnects'),
    streamSessionIds: sessionIds,
    /** The answer that the client has: a client with an older one than the session's cannot connect. */
    signalResponse: z.string().optional(),
  }),
  z.strictObject({
    kind: z.literal('clientDrops'),
    streamSessionIds: sessionIds,
    /** When the service notices this loss. The default is the session's setting. */
    lossNoticeMs: durationMs.optional(),
  }),
  /** A lost client is back before the service has noticed its loss. */
  z.strictObject({ kind: z.literal('clientRecovers'), streamSessionIds: sessionIds }),
  z.strictObject({ kind: z.literal('clientInput'), streamSessionIds: sessionIds }),
  z.strictObject({ kind: z.literal('applicationExits'), streamSessionIds: sessionIds }),
  z.strictObject({
    kind: z.literal('sessionFails'),
    streamSessionIds: sessionIds,
    reason: z
      .enum([
        'internalError',
        'invalidSignalRequest',
        'placementTimeout',
        'applicationLogS3DestinationError',
        'assumeRoleFailed',
      ])
      .default('internalError'),
  }),
]);
export type Happening = z.output<typeof happeningSchema>;
export type NewHappening = z.input<typeof happeningSchema>;

export const adminShellReadinessSchema = z.strictObject({
  /** The default is every session, those to come too. */
  streamSessionId: z.string().min(1).optional(),
  notReadySeconds: z.number().min(0).max(86_400),
});
export type AdminShellReadinessChange = z.input<typeof adminShellReadinessSchema>;

export const sessionRecordSchema = z.object({
  streamSessionId: z.string(),
  streamGroupId: z.string(),
  arn: z.string(),
  userId: z.string().optional(),
  status: z.enum(StreamSessionStatus),
  statusReason: z.enum(StreamSessionStatusReason).optional(),
  connectionTimeoutSeconds: z.number(),
  sessionLengthSeconds: z.number(),
  createdAtMs: z.number(),
  /** When the status changes by itself, and to what. */
  nextChange: z.object({ atMs: z.number(), status: z.enum(StreamSessionStatus) }).optional(),
  history: z.array(
    z.object({
      status: z.enum(StreamSessionStatus),
      atMs: z.number(),
      reason: z.enum(StreamSessionStatusReason).optional(),
    }),
  ),
  /** Every accepted CreateStreamSessionConnection; an offer that is here twice was accepted twice. */
  connections: z.array(
    z.object({
      acceptedAtMs: z.number(),
      clientToken: z.string().optional(),
      signalRequestSha256: z.string(),
      outcome: z.enum(['underWay', 'answered', 'invalidSignalRequest', 'sessionEnded']),
    }),
  ),
  adminShells: z.number(),
});
export type SessionRecord = z.output<typeof sessionRecordSchema>;
export const sessionRecordsSchema = z.object({ sessions: z.array(sessionRecordSchema) });

export const faultsSchema = z.object({ faults: z.array(faultSchema) });
export const emptySchema = z.object({});
export const controlErrorSchema = z.object({ message: z.string() });
