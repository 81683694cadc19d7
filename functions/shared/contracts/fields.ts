import * as z from 'zod';

export const MAX_STATUS_REASON_LENGTH = 256;

/** A `StatusReason` of the service; new ones must not be refused. `toStatusReason` brings any text into this form. */
export const statusReasonSchema = z.string().min(1).max(MAX_STATUS_REASON_LENGTH);

export const timestampSchema = z.iso.datetime({ offset: true });

/** Control and format characters, and line separators: they break a log line or hide a part of the text. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;

/**
 * Brings a `StatusReason` of the service into the form that our events and replies promise (`statusReasonSchema`).
 * The service documents 11 values and no form, so a new one is kept as far as it fits.
 *
 * @returns null when the service gave no reason, or nothing is left of it.
 */
export function toStatusReason(reason: unknown): string | null {
  if (typeof reason !== 'string') return null;
  const printable = reason.toWellFormed().replace(UNPRINTABLE, ' ').trim();
  // Half of a surrogate pair at the cut is no character.
  const kept = printable
    .slice(0, MAX_STATUS_REASON_LENGTH)
    .replace(/[\uD800-\uDBFF]$/, '')
    .trimEnd();
  return kept === '' ? null : kept;
}

/** Why an operator asks for an admin shell: printable ASCII, as an HTTP header can carry it. */
export const adminShellReasonSchema = z.string().regex(/^[\x20-\x7E]{1,256}$/);

/** A spreadsheet takes a cell that begins like this for a formula, and runs it. */
const FORMULA_START = /^[=+\-@]/;

/**
 * Returns an operator's own words as an audit record has them; undefined for what no record has. Words that begin like a
 * spreadsheet's formula get an apostrophe before them, which spreadsheets read as "text", because records are exported as
 * CSV and opened by others. The apostrophe counts as one of the 256 characters that a record has room for.
 */
export function toAuditReason(words: string): string | undefined {
  const text = words.trim();
  return adminShellReasonSchema.safeParse(FORMULA_START.test(text) ? `'${text}` : text).data;
}

/** What is recorded where no reason was given. */
export const NO_REASON = 'none given';

/** The service's pattern for a resource's short id; its identifiers are 1 to 128 characters long. */
export const resourceIdSchema = z.string().regex(/^[a-zA-Z0-9-]{1,128}$/);

export const sessionKeySchema = z.object({
  streamGroupId: resourceIdSchema.describe('Short id of the stream group, such as sg-1AB2C3De4'),
  streamSessionId: resourceIdSchema
    // An execution's name is the session id, a hyphen and the window's number, in 80 characters.
    .max(68)
    .describe('Short id of the stream session, such as ABC123def4567'),
});
/** Names one stream session within the account and Region that this service is deployed to. */
export type SessionKey = z.infer<typeof sessionKeySchema>;

export const windowPhaseSchema = z.enum([
  'AWAITING_RECONNECTION',
  'AWAITING_CLIENT',
  'AWAITING_END',
  'CLOSED',
  'FAILED',
]);
export type WindowPhase = z.infer<typeof windowPhaseSchema>;

/** NOT_DISCONNECTED: the service was never seen waiting for a client, so there was nothing to reconnect. */
export const outcomeSchema = z.enum(['RECONNECTED', 'TERMINATED', 'ERRORED', 'NOT_DISCONNECTED']);
export type Outcome = z.infer<typeof outcomeSchema>;

/** Why a window ended as it did. `causeOf` in functions/shared/window/cause.ts decides. */
export const causeSchema = z.enum([
  'RECONNECTED',
  'TIMED_OUT',
  'LEFT',
  'OPERATOR',
  'APPLICATION',
  'SERVICE',
  'NOT_DISCONNECTED',
  'UNKNOWN',
]);
export type Cause = z.infer<typeof causeSchema>;

/** The application that the session runs, in the form that the service gives an ARN: 128 characters at most. */
export const applicationArnSchema = z
  .string()
  .max(128)
  .regex(/^arn:[a-z0-9-]+:gameliftstreams:[a-z0-9-]+:\d{12}:application\/[a-zA-Z0-9-]+$/);

/** Where the session is streamed from, such as us-east-2 or a Local Zone. */
export const locationSchema = z.string().regex(/^[a-zA-Z0-9-]{1,64}$/);

/** Why a player's connection broke, as the sender of the report knows it. */
export const dropCauseSchema = z.enum(['NETWORK', 'CRASH', 'IDLE', 'CLOSED', 'UNKNOWN']);
export type DropCause = z.infer<typeof dropCauseSchema>;

/** The least time that a session is kept for a player who may come back, in seconds. */
export const LEAST_WAIT_SECONDS = 5;
export const giveUpAfterSecondsSchema = z.int().min(LEAST_WAIT_SECONDS).max(3600);

/** What the reports of a loss say about it, beside its facts. */
export const reportShape = {
  dropCause: dropCauseSchema.optional().describe("Why the player's connection broke, as reported"),
  giveUpAfterSeconds: giveUpAfterSecondsSchema
    .optional()
    .describe('How long after the loss the session was to be kept for its player, as reported'),
};

/** What an outcome tells beside its facts. Absent in what earlier versions wrote, and where it is not known. */
export const outcomeStoryShape = {
  cause: causeSchema
    .optional()
    .describe(
      'Why it ended so. LEFT and OPERATOR: on purpose, nobody was lost. Take a value that you do not know for UNKNOWN',
    ),
  applicationArn: applicationArnSchema.optional().describe('The application that the session ran'),
  location: locationSchema.optional().describe('Where the session was streamed from'),
  ...reportShape,
};
/** The same as the table has it. What a later version writes in another form must not make an item unreadable. */
export const storedStoryShape = {
  cause: outcomeStoryShape.cause.catch(undefined),
  applicationArn: outcomeStoryShape.applicationArn.catch(undefined),
  location: outcomeStoryShape.location.catch(undefined),
  dropCause: outcomeStoryShape.dropCause.catch(undefined),
  giveUpAfterSeconds: outcomeStoryShape.giveUpAfterSeconds.catch(undefined),
};
/** A page of AWS's console, which asks whoever opens it to sign in. */
export const executionUrlSchema = z.url().max(1024).describe("The window's execution in AWS's console");

/** Who has reported the loss: the watcher, another feed, or a request to the API. */
export const reportedBySchema = z.enum(['WATCHER', 'FEED', 'API']);
export type ReportedBy = z.infer<typeof reportedBySchema>;

const outcomeStorySchema = z.object(outcomeStoryShape);
export type OutcomeStory = z.infer<typeof outcomeStorySchema>;
