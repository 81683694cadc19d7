/**
 * What each state machine returns when it succeeds: the functions behind its tasks write it, and the API's functions and
 * the console read it. An execution may end with the output of the version before, so members are only added.
 */
import * as z from 'zod';
import { causeSchema, outcomeSchema, outcomeStoryShape, statusReasonSchema } from './fields.ts';

/**
 * The output of `reconnection-window`. Members that are optional here are not known, or of an execution of a version
 * before them.
 */
export const windowOutputSchema = z.object({
  outcome: outcomeSchema,
  statusReason: statusReasonSchema.nullable(),
  connectionAttempts: z.int().min(0),
  ...outcomeStoryShape,
});
export type WindowOutput = Readonly<z.infer<typeof windowOutputSchema>>;

/** The output of `create-connection`. */
export const connectionOutputSchema = z.discriminatedUnion('result', [
  z.object({ result: z.literal('CONNECTION_CREATED'), signalResponse: z.string() }),
  /** The service does not know the stream group or the session. */
  z.object({ result: z.literal('NOT_FOUND') }),
  /** The session waits for a client, and the service refused this offer all the same. */
  z.object({ result: z.literal('OFFER_REJECTED') }),
  /** A client is connected. */
  z.object({ result: z.literal('ALREADY_CONNECTED') }),
  /**
   * The service says CONNECTED, and may not have noticed the loss yet. `canWait` is false when the read quota has
   * nothing to spare for another look.
   */
  z.object({ result: z.literal('LOSS_NOT_NOTICED'), canWait: z.boolean() }),
  /** Another offer for the session has come since; this one was not sent to the service. */
  z.object({ result: z.literal('SUPERSEDED') }),
  /** The session is being terminated before its deadline; this offer was not sent to the service. */
  z.object({ result: z.literal('SESSION_ENDING') }),
  z.object({
    result: z.literal('SESSION_ENDED'),
    outcome: z.enum(['TERMINATED', 'ERRORED']),
    statusReason: z.string().nullable(),
    cause: causeSchema.optional(),
  }),
  /** A status in which no client can reconnect, such as ACTIVATING. */
  z.object({ result: z.literal('NOT_RECONNECTABLE'), status: z.string() }),
]);
export type ConnectionOutput = Readonly<z.infer<typeof connectionOutputSchema>>;

/** The output of `create-admin-shell`. */
export const adminShellOutputSchema = z.discriminatedUnion('result', [
  z.object({
    result: z.literal('ADMIN_SHELL_CREATED'),
    sessionId: z.string(),
    streamUrl: z.string(),
    tokenValue: z.string(),
    /** When the service's reply came: its 60 s run from there. */
    createdAtMs: z.number(),
  }),
  /** The service does not know the stream group or the session. */
  z.object({ result: z.literal('NOT_FOUND') }),
  z.object({ result: z.literal('STATUS_WITHOUT_ADMIN_SHELL'), status: z.string().max(64) }),
  /** The status is one that can have a shell, and the service refused it all the same. */
  z.object({ result: z.literal('REJECTED_BY_SERVICE'), status: z.string().max(64) }),
]);
export type AdminShellOutput = Readonly<z.infer<typeof adminShellOutputSchema>>;
