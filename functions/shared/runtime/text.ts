import { createHash } from 'node:crypto';

/** Undefined for what is no JSON, or not there: the parser's own message would quote the text, which may be an offer. */
export function parseJson(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function sha256Hex(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
