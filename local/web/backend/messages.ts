import * as z from 'zod';

/* What the player page and its server tell each other; both sides read it with these. */

/** 64 KiB is what the API takes. */
const signalRequest = z.string().min(1).max(65_536);
const streamSessionId = z.string().regex(/^[a-zA-Z0-9-]{1,128}$/);

export const startSchema = z.strictObject({
  signalRequest,
  connectionTimeoutSeconds: z.int().min(1).max(3600),
});
export { streamSessionId as streamSessionIdSchema };

export const startedSessionSchema = z.object({ streamGroupId: z.string(), streamSessionId });
export type StartedSession = z.infer<typeof startedSessionSchema>;

export const watchedSessionSchema = z.object({
  status: z.string(),
  statusReason: z.string().optional(),
  /** While the session waits for the client that started it. */
  signalResponse: z.string().optional(),
});
export type WatchedSession = z.infer<typeof watchedSessionSchema>;

export const windowSchema = z.object({
  phase: z.string(),
  generation: z.number(),
  deadline: z.string(),
  remainingSeconds: z.number(),
  outcome: z.string().optional(),
  statusReason: z.string().optional(),
  cause: z.string().optional(),
});
export type WindowView = z.infer<typeof windowSchema>;

/** What goes wrong on purpose, all of it with CreateStreamSessionConnection. */
export const mishapSchema = z.strictObject({
  kind: z.enum(['throttling', 'conflict', 'slow', 'lostReply', 'internalServer']),
  calls: z.int().min(1).max(100),
});
export type Mishap = z.infer<typeof mishapSchema>;

/** Beyond this the numbers of the real service's quota say more than a page can show. */
export const MAX_STORM_PLAYERS = 500;
export const stormSchema = z.strictObject({
  players: z.int().min(1).max(MAX_STORM_PLAYERS),
  connectionTimeoutSeconds: z.int().min(5).max(3600),
});
export type StormRequest = z.infer<typeof stormSchema>;

export const stormProgressSchema = z.object({
  players: z.number(),
  waiting: z.number(),
  back: z.number(),
  lost: z.number(),
  /** Of the API, by the players. */
  requests: z.number(),
  toldToWait: z.number(),
  isOver: z.boolean(),
});
export type StormProgress = z.infer<typeof stormProgressSchema>;

export const controlStateSchema = z.object({
  /** Of the state machine whose executions are the windows. */
  windowMachineArn: z.string(),
  /** What the service has of the session that was asked for; its control API, not GetStreamSession, tells. */
  session: z
    .object({ status: z.string(), statusReason: z.string().optional(), connectionTimeoutSeconds: z.number() })
    .optional(),
  /** How the calls of CreateStreamSessionConnection have ended, as the stand-in counts them. */
  connections: z.object({
    calls: z.number(),
    accepted: z.number(),
    replayed: z.number(),
    lost: z.number(),
    throttled: z.number(),
    rejected: z.number(),
    failed: z.number(),
  }),
  /** Drops of all sessions, by what became of them. */
  drops: z.object({ saved: z.number(), lost: z.number(), open: z.number() }),
  /** Those that no call has met yet. */
  pendingMishaps: z.array(z.object({ kind: z.string(), calls: z.number() })),
  storm: stormProgressSchema.optional(),
});
export type ControlState = z.infer<typeof controlStateSchema>;
