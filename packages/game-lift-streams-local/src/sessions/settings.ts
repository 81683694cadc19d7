import { z } from 'zod';

export const durationMs = z.int().min(0).max(86_400_000);

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

export const settingsSchema = z.strictObject({
  /** What a connection in the wrong status is answered. Undocumented, so clients must survive both. */
  wrongStatusConnectionHttpStatus: z.union([z.literal(409), z.literal(400)]),
  /** What an admin shell in the wrong status is answered: the developer guide names both. */
  wrongStatusAdminShellHttpStatus: z.union([z.literal(400), z.literal(404)]),
  /** From ACTIVATING to ACTIVE. */
  activationMs: durationMs,
  /** From ACTIVATING to ACTIVE of a stream group. */
  groupActivationMs: durationMs,
  /** From DELETING until the stream group no longer exists. */
  groupDeletionMs: durationMs,
  /**
   * As if the caller's policy had `aws:ResourceTag/<key>` as its condition: calls for other stream groups, and for those
   * that do not exist, are denied. Without it everything is allowed.
   */
  onlyTagged: z.strictObject({ key: z.string().min(1).max(128), value: z.string().max(256) }).nullable(),
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
