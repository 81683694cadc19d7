/** What the backend replies to an offer, and what each reply means for the player. */

/** The part of a `fetch` response that is read. */
export interface HttpReply {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}

export type Reply =
  | { readonly kind: 'answer'; readonly signalResponse: string }
  | {
      readonly kind: 'refused';
      readonly status: number;
      /** The reason, from the header `x-reconnection-code`. */
      readonly code?: string | undefined;
      /** The error type, from the header `x-amzn-errortype`. */
      readonly type?: string | undefined;
      readonly retryAfterSeconds?: number | undefined;
      /** How the session ended, where it has. */
      readonly statusReason?: string | undefined;
    }
  /** A reply that is not the backend's, such as the HTML page of a proxy. */
  | { readonly kind: 'unreadable' }
  /** No reply came. It may have been lost on its way. */
  | { readonly kind: 'unreachable' };

export type NextStep =
  | { readonly step: 'answering'; readonly signalResponse: string }
  /** The same request again, after the time that was told or after a backoff. */
  | { readonly step: 'repeat'; readonly reason: string; readonly retryAfterSeconds?: number }
  | { readonly step: 'newOffer'; readonly reason: string }
  | { readonly step: 'over'; readonly reason: string }
  | { readonly step: 'takenOver' }
  | { readonly step: 'failed'; readonly reason: string };

/** Longer waits are no reply of this service; a proxy may ask for a day. */
const MAX_RETRY_AFTER_SECONDS = 120;

/**
 * Reads a reply of the game's backend. A refusal may come with its own HTTP status and headers, or as a 200 whose body
 * says the same, which is what the handlers of `reconnection-client/backend` send. Never rejects.
 *
 * @param nowMs the local clock, for a `Retry-After` that is a date and came without a `Date` header.
 */
export async function readReply(response: HttpReply, nowMs: number): Promise<Reply> {
  let text: string;
  try {
    text = await response.text();
  } catch {
    return { kind: 'unreachable' };
  }
  const body = membersOf(text);
  const { status, headers } = response;
  if (status >= 200 && status < 300) {
    const signalResponse = body['SignalResponse'];
    if (typeof signalResponse === 'string') return { kind: 'answer', signalResponse };
    const refusedWith = body['status'];
    if (typeof refusedWith !== 'number') return { kind: 'unreadable' };
    const retryAfter = body['retryAfterSeconds'];
    return {
      kind: 'refused',
      status: refusedWith,
      code: textOf(body['code']),
      type: textOf(body['type']),
      retryAfterSeconds: typeof retryAfter === 'number' ? secondsIn(retryAfter) : undefined,
      statusReason: textOf(body['statusReason']),
    };
  }
  return {
    kind: 'refused',
    status,
    code: headers.get('x-reconnection-code') ?? textOf(body['code']),
    type: headers.get('x-amzn-errortype') ?? undefined,
    retryAfterSeconds: retryAfterOf(headers, nowMs),
    statusReason: textOf(body['StatusReason']),
  };
}

type Row = 'repeat' | 'newOffer' | 'over' | 'takenOver' | 'failed';

/** What a code means where its status and `Retry-After` do not say it. */
const BY_CODE: Readonly<Record<string, Row>> = {
  INVALID_REQUEST: 'newOffer',
  CLIENT_TOKEN_REUSED: 'newOffer',
  OFFER_REJECTED: 'newOffer',
  NEW_OFFER_NEEDED: 'newOffer',
  SESSION_NOT_FOUND: 'over',
  SESSION_ENDED: 'over',
  SESSION_ENDING: 'over',
  SOMEBODY_CONNECTED: 'takenOver',
  NEWER_OFFER: 'takenOver',
  // These two come with Retry-After, which another origin's script cannot read unless it is exposed.
  LOSS_NOT_NOTICED: 'repeat',
  SESSION_BUSY: 'repeat',
};

/** The service's own errors, where the API passes them through. Its 409 may be a loss that it has not noticed yet. */
const BY_TYPE: Readonly<Record<string, Row>> = {
  ValidationException: 'newOffer',
  ResourceNotFoundException: 'over',
  ConflictException: 'repeat',
};

const BY_STATUS: Readonly<Record<number, Row>> = { 408: 'repeat', 425: 'repeat', 429: 'repeat' };

/** Returns what follows from a reply: each has exactly one next step. An unknown code goes by Retry-After and status. */
export function nextStep(reply: Reply): NextStep {
  if (reply.kind === 'answer') return { step: 'answering', signalResponse: reply.signalResponse };
  if (reply.kind !== 'refused') return { step: 'repeat', reason: reply.kind.toUpperCase() };
  const { status, code, type = '', retryAfterSeconds, statusReason } = reply;
  const reason = code ?? `HTTP_${status}`;
  if (retryAfterSeconds !== undefined) return { step: 'repeat', reason, retryAfterSeconds };
  const row =
    lookUp(BY_CODE, code ?? '') ??
    (code === 'PASSED_THROUGH' ? lookUp(BY_TYPE, type) : undefined) ??
    BY_STATUS[status] ??
    (status >= 500 ? 'repeat' : 'failed');
  if (row === 'takenOver') return { step: row };
  return { step: row, reason: row === 'over' ? (statusReason ?? reason) : reason };
}

function lookUp(table: Readonly<Record<string, Row>>, key: string): Row | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

function membersOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
  } catch {
    return {};
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** `Retry-After` is seconds, or a date: that one is read by the clock that wrote it, because ours may be minutes off. */
function retryAfterOf(headers: HttpReply['headers'], nowMs: number): number | undefined {
  const value = headers.get('retry-after')?.trim();
  if (!value) return undefined;
  if (/^\d+$/.test(value)) return secondsIn(Number(value));
  const sentAtMs = Date.parse(headers.get('date') ?? '');
  return secondsIn((Date.parse(value) - (Number.isNaN(sentAtMs) ? nowMs : sentAtMs)) / 1000);
}

function secondsIn(seconds: number): number | undefined {
  return seconds > 0 ? Math.min(seconds, MAX_RETRY_AFTER_SECONDS) : undefined;
}
