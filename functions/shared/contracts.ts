/**
 * What crosses the edge of the service: events in and out, and the API's requests. The JSON Schemas in
 * `events/` are generated from here, so that neither can drift from what the code accepts.
 */
import * as z from 'zod';

export const STATUS_CHANGE_DETAIL_TYPE = 'Stream Session Status Change';
export const STATUS_CHANGE_REJECTED_DETAIL_TYPE = 'Stream Session Status Change Rejected';
export const OUTCOME_DETAIL_TYPE = 'Stream Session Reconnection Outcome';
export const ADMIN_SHELL_AUDIT_DETAIL_TYPE = 'Stream Session Admin Shell Audit';

/** The longest offer the API takes, in bytes of UTF-8. A browser's is 5 to 15 KB; the service documents no limit. */
export const MAX_SIGNAL_REQUEST_BYTES = 65_536;

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

/** The service's pattern for a resource's short id; its identifiers are 1 to 128 characters long. */
const resourceIdSchema = z.string().regex(/^[a-zA-Z0-9-]{1,128}$/);

/** A `StatusReason` of the service; new ones must not be refused. */
const statusReasonSchema = z.string().min(1).max(256);

const timestampSchema = z.iso.datetime({ offset: true });

export const sessionKeySchema = z.object({
  streamGroupId: resourceIdSchema.describe('Short id of the stream group, such as sg-1AB2C3De4'),
  streamSessionId: resourceIdSchema
    // An execution's name is the session id, a hyphen and the window's number, in 80 characters.
    .max(68)
    .describe('Short id of the stream session, such as ABC123def4567'),
});
/** Names one stream session within the account and Region that this service is deployed to. */
export type SessionKey = z.infer<typeof sessionKeySchema>;

export const statusChangeDetailSchema = z
  .object({
    version: z.literal('1'),
    ...sessionKeySchema.shape,
    status: streamSessionStatusSchema.describe('The status that the session has entered'),
    statusReason: statusReasonSchema.optional().describe("The service's StatusReason, when it gives one"),
    statusChangedAt: timestampSchema.describe(
      'When the session entered the status; for PENDING_CLIENT_RECONNECTION, when the client was lost',
    ),
    connectionTimeoutSeconds: z
      .int()
      .min(1)
      .max(3600)
      .optional()
      .describe("The session's ConnectionTimeoutSeconds, when the sender knows it"),
    sessionEndsAt: timestampSchema
      .optional()
      .describe("The session's start plus its SessionLengthSeconds, when the sender knows it"),
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

export const EXECUTION_STATUS_CHANGE_DETAIL_TYPE = 'Step Functions Execution Status Change';

/**
 * The parts that this service reads of the event by which Step Functions says that a Standard execution has
 * ended red: "Execution Status Change" of its Developer Guide ("Automating Step Functions event delivery with
 * EventBridge"). The rule lets no other status through.
 */
export const executionFailureEventSchema = z.object({
  source: z.literal('aws.states'),
  'detail-type': z.literal(EXECUTION_STATUS_CHANGE_DETAIL_TYPE),
  detail: z.object({
    executionArn: z.string().min(1).max(2048),
    name: z.string().min(1).max(80),
    status: z.enum(['FAILED', 'TIMED_OUT', 'ABORTED']),
    /** JSON text; left out where it is too large for an event, or encrypted with a key of the customer's. */
    input: z.string().nullish(),
  }),
});
export type ExecutionFailureEvent = z.infer<typeof executionFailureEventSchema>;

/** What names the window in the input of its execution; `open-window.ts` builds the whole. */
export const windowInputSchema = z.object({ ...sessionKeySchema.shape, generation: z.int().min(1) });

export const outcomeSchema = z.enum(['RECONNECTED', 'TERMINATED', 'ERRORED']);
export type Outcome = z.infer<typeof outcomeSchema>;

export const outcomeDetailSchema = z
  .object({
    version: z.literal('1'),
    ...sessionKeySchema.shape,
    generation: z.int().min(1).describe("The window's number for this session, counted from 1"),
    outcome: outcomeSchema,
    statusReason: statusReasonSchema
      .nullable()
      .describe("The service's StatusReason; null when it gave none"),
    disconnectedAt: timestampSchema,
    outcomeAt: timestampSchema.describe('When the session entered the status that decided the outcome'),
    connectionAttempts: z.int().min(0).describe('Calls behind the connections created in this window'),
    executionName: z.string().min(1).max(80),
  })
  .meta({ title: 'Stream Session Reconnection Outcome, detail, version 1' });
export type OutcomeDetail = z.infer<typeof outcomeDetailSchema>;

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

/** Why an operator asks for an admin shell: printable ASCII, as an HTTP header can carry it. */
export const adminShellReasonSchema = z.string().regex(/^[\x20-\x7E]{1,256}$/);

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

/** The body of POST …/connections, as `CreateStreamSessionConnection` of the service has it. */
export const createConnectionBodySchema = z
  .strictObject({
    SignalRequest: z
      .string()
      .min(1)
      // In characters, so a first sieve only; the bytes are counted after it.
      .max(MAX_SIGNAL_REQUEST_BYTES)
      .describe('A fresh WebRTC offer: JSON text with type "offer" and a string sdp, 65,536 bytes at most'),
    ClientToken: z
      .string()
      .regex(/^[\x21-\x7E]{32,128}$/)
      .optional()
      .describe('32 to 128 visible ASCII characters; the same for every repeat of one request'),
  })
  .meta({ title: 'CreateStreamSessionConnection, request body' });

/** What an offer must be inside its text. Further members (webSdkVersion, extras, …) are the Web SDK's own. */
export const offerSchema = z.looseObject({ type: z.literal('offer'), sdp: z.string().min(1) });

export const windowPhaseSchema = z.enum([
  'AWAITING_RECONNECTION',
  'AWAITING_CLIENT',
  'AWAITING_END',
  'CLOSED',
  'FAILED',
]);
export type WindowPhase = z.infer<typeof windowPhaseSchema>;

/** The reply of GET …/window. */
export const windowReplySchema = z
  .object({
    phase: windowPhaseSchema,
    generation: z.int().min(1),
    deadline: timestampSchema.describe('Until when the service keeps the session in the present phase'),
    remainingSeconds: z.number().min(0),
    outcome: outcomeSchema.optional(),
    statusReason: statusReasonSchema.optional(),
    switch: z
      .enum(['passThrough', 'refuse'])
      .optional()
      .describe('Only while the service is switched off: what it does with calls'),
  })
  .meta({ title: 'Reconnection window' });
export type WindowReply = z.infer<typeof windowReplySchema>;
