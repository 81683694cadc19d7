import { z } from 'zod';

/* What the stand-in and the process of its peers tell each other. */

const peerId = z.int();
const game = z.strictObject({ elapsedMs: z.number(), inputs: z.int() });

export const toPeersSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('answer'), peerId, offerSdp: z.string() }),
  z.strictObject({ kind: z.literal('show'), peerId, game }),
  z.strictObject({
    kind: z.literal('close'),
    peerId,
    reason: z.enum(['idle', 'terminated']).optional(),
  }),
]);
export type ToPeers = z.infer<typeof toPeersSchema>;

export const fromPeersSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('answered'), peerId, sdp: z.string() }),
  /** The library cannot make an answer to this offer. */
  z.strictObject({ kind: z.literal('unanswerable'), peerId }),
  z.strictObject({ kind: z.literal('connected'), peerId }),
  z.strictObject({ kind: z.literal('lost'), peerId }),
  z.strictObject({ kind: z.literal('input'), peerId }),
]);
export type FromPeers = z.infer<typeof fromPeersSchema>;
