import { parseJson } from 'local-server-kit';

/** AWS's limit for a state's input or output, a task's result, and an execution's input, in UTF-8 bytes. */
export const MAX_PAYLOAD_BYTES = 262_144;

/** A JSON value beside its text, so that it is serialised once for its size, its history event and its reader. */
export interface Document {
  readonly value: unknown;
  readonly text: string;
}

/** The JSON that `value` is on the wire: what is undefined in it is gone, and nothing in it is shared. */
export function documentOf(value: unknown): Document {
  const text = JSON.stringify(value);
  return { text, value: JSON.parse(text) };
}

/** @throws SyntaxError when `text` is no JSON, or nested too deep for an expression. */
export function parseDocument(text: string): Document {
  return { text, value: parseJson(text) };
}

export function isTooLarge(text: string): boolean {
  // A UTF-16 unit is at most three bytes of UTF-8, so most texts need no count.
  return text.length * 3 > MAX_PAYLOAD_BYTES && Buffer.byteLength(text) > MAX_PAYLOAD_BYTES;
}
