import {
  ExportFilesStatus,
  StreamSessionStatus,
  StreamSessionStatusReason,
} from '@aws-sdk/client-gameliftstreams';
import { z } from 'zod';
import { OPERATION_NAMES } from '../protocol/routes.ts';

/* The control API's bodies, for the server and its client alike. Times are epoch milliseconds. */

const id = z.string().regex(/^[a-zA-Z0-9-]{1,32}$/);
const operation = z.enum(OPERATION_NAMES);
const durationMs = z.int().min(0).max(86_400_000);

/** What the service never says about itself, and may be different from one session to the next. */
const sessionSettings = {
  /** How long CreateStreamSessionConnection takes. */
  connectionMs: durationMs,
  /** From the loss of a client to PENDING_CLIENT_RECONNECTION. Until then the session is CONNECTED. */
  lossNoticeMs: durationMs,
  /** From the end of ConnectionTimeoutSeconds to TERMINATED. Until then the session waits for a client. */
  overstayMs: durationMs,
  /** From TERMINATING to TERMINATED. */
  terminationMs: durationMs,
  /** The StatusReason of a session that has ended: the documented value, this text, or no member at all. */
  statusReason: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('documented') }),
    z.strictObject({ kind: z.literal('text'), text: z.string().max(1024) }),
    z.strictObject({ kind: z.literal('absent') }),
  ]),
};
export const sessionSettingsSchema = z.strictObject(sessionSettings);
export type SessionSettings = z.output<typeof sessionSettingsSchema>;
export const sessionSettingsChangeSchema = sessionSettingsSchema.partial();

export const streamGroupSchema = z.strictObject({
  streamGroupId: id,
  /** Where its sessions run, unless StartStreamSession says. The default is the account's Region. */
  location: id.max(20).optional(),
});
export type NewStreamGroup = z.input<typeof streamGroupSchema>;

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

const anyFault = {
  operation,
  /** The default is 1, and every call for a fault that has a time to end. */
  calls: z.int().min(1).max(1_000_000).optional(),
  /** No call meets the fault from this time on. */
  untilMs: z.int().min(0).optional(),
  /** Only calls for this session count and fail. */
  streamSessionId: z.string().min(1).optional(),
};
export const faultSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    ...anyFault,
    kind: z.enum([
      'accessDenied',
      'conflict',
      'internalServer',
      /** 403: the signature has been made by a clock that is wrong. */
      'invalidSignature',
      /** Nothing happens, and no reply comes until the caller gives up. */
      'noReply',
      /** The effect happens, the connection is cut before the reply. */
      'lostReply',
      /** 400: the request's date is more than 15 minutes old. */
      'requestExpired',
      /** 408: the service has waited for the request in vain. */
      'requestTimeout',
      'resourceNotFound',
      'throttling',
      /** An untyped 503 with an empty body, as a proxy answers. */
      'unavailable',
      'validation',
    ]),
  }),
  z.strictObject({
    ...anyFault,
    kind: z.literal('latency'),
    latencyMs: durationMs,
    /** Before anything happens, or between the effect and the reply. */
    at: z.enum(['request', 'reply']).default('request'),
  }),
  z.strictObject({
    ...anyFault,
    operation: z.literal('CreateStreamSessionConnection'),
    kind: z.literal('badAnswer'),
    answer: z.enum(['missing', 'notJson', 'withoutWebSdkProtocolUrl']),
  }),
]);
export type Fault = z.output<typeof faultSchema>;
export type NewFault = z.input<typeof faultSchema>;

export const settingsSchema = z.strictObject({
  /** What a connection in the wrong status is answered. Undocumented, so clients must survive both. */
  wrongStatusConnectionHttpStatus: z.union([z.literal(409), z.literal(400)]),
  /** What an admin shell in the wrong status is answered: the developer guide names both. */
  wrongStatusAdminShellHttpStatus: z.union([z.literal(400), z.literal(404)]),
  /** From ACTIVATING to ACTIVE. */
  activationMs: durationMs,
  /** What a call is answered that repeats the ClientToken and the parameters of an earlier one. */
  repeatedClientToken: z.enum(['firstAnswer', 'conflict']),
  /** How exact LastUpdatedAt and CreatedAt are. Whole seconds are rounded down. */
  timestampUnit: z.enum(['millisecond', 'second']),
  /** How much later LastUpdatedAt is in a list than in GetStreamSession, though never in the future. */
  listedLaterMs: durationMs,
  ...sessionSettings,
});
export type Settings = z.output<typeof settingsSchema>;
export const settingsChangeSchema = settingsSchema.partial();

export const adminShellReadinessSchema = z.strictObject({
  /** The default is every session, those to come too. */
  streamSessionId: z.string().min(1).optional(),
  notReadySeconds: z.number().min(0).max(86_400),
});
export type AdminShellReadinessChange = z.input<typeof adminShellReadinessSchema>;

export const streamGroupRecordSchema = z.object({
  streamGroupId: z.string(),
  arn: z.string(),
  location: z.string(),
});
export type StreamGroupRecord = z.output<typeof streamGroupRecordSchema>;

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

export const operationCountersSchema = z.object({
  calls: z.number(),
  /** Succeeded; replays and lost replies count too. */
  accepted: z.number(),
  /** Of these, answered from an earlier call with the same ClientToken. */
  replayed: z.number(),
  /** Of all calls, those whose reply never left. */
  lost: z.number(),
  throttled: z.number(),
  /** Answered with any other 4xx. */
  rejected: z.number(),
  /** Answered with a 5xx. */
  failed: z.number(),
});
export type OperationCounters = z.output<typeof operationCountersSchema>;
export const countersSchema = z.record(operation, operationCountersSchema);
export type Counters = z.output<typeof countersSchema>;

export const faultsSchema = z.object({ faults: z.array(faultSchema) });
export const emptySchema = z.object({});
export const controlErrorSchema = z.object({ message: z.string() });
