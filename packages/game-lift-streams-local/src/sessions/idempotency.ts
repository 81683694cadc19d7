import { createHash } from 'node:crypto';
import { conflict } from '../protocol/service-error.ts';

/**
 * How long and how many ClientTokens are remembered. The service does not say; a day is longer than any
 * session lives (SessionLengthSeconds is at most 86,400), and the number bounds the memory.
 */
const RETENTION_MS = 24 * 60 * 60 * 1000;
const MAX_TOKENS = 50_000;

interface Remembered<Effect> {
  readonly fingerprint: string;
  readonly atMs: number;
  readonly effect: Effect;
}

/** What each ClientToken of one operation has brought about. */
export class ClientTokens<Effect> {
  readonly #remembered = new Map<string, Remembered<Effect>>();

  /**
   * The effect of the earlier call with this token.
   *
   * @throws ServiceError ConflictException when that call had other parameters. Our assumption: the service
   *   documents the token, not what happens when it is reused.
   */
  find(token: string | undefined, fingerprint: string, nowMs: number): Effect | undefined {
    const known = token === undefined ? undefined : this.#remembered.get(token);
    if (known === undefined || nowMs - known.atMs > RETENTION_MS) return undefined;
    if (known.fingerprint !== fingerprint) {
      throw conflict('The ClientToken has been used with other parameters.');
    }
    return known.effect;
  }

  remember(token: string | undefined, fingerprint: string, nowMs: number, effect: Effect): void {
    if (token === undefined) return;
    this.#remembered.delete(token);
    this.#remembered.set(token, { fingerprint, atMs: nowMs, effect });
    // A Map keeps the order of insertion, so the oldest come first.
    for (const [oldToken, { atMs }] of this.#remembered) {
      if (nowMs - atMs <= RETENTION_MS && this.#remembered.size <= MAX_TOKENS) break;
      this.#remembered.delete(oldToken);
    }
  }

  /** Failed calls are not remembered. */
  forget(token: string | undefined, effect: Effect): void {
    if (token !== undefined && this.#remembered.get(token)?.effect === effect) this.#remembered.delete(token);
  }
}

/** The same for the same parameters, whatever the order of the members. */
export function fingerprintOf(parameters: Readonly<Record<string, unknown>>): string {
  return sha256(canonicalJson(parameters));
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
}
