import { z } from 'zod';

const signalSchema = z.object({ sdp: z.string() });

/** The parts of an offer or an answer that must never rest: the whole text, and its ICE and DTLS credentials. */
export function secretsIn(signal: string): string[] {
  const { sdp } = signalSchema.parse(JSON.parse(signal));
  const credentials = sdp.matchAll(/a=(?:ice-ufrag|ice-pwd|fingerprint):(\S.*)/g);
  const values = [...credentials].map(([, value = '']) => value.trim());
  return [signal, sdp, ...values].filter((secret) => secret.length > 5);
}
