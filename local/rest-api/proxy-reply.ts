import { type OutgoingHttpHeaders, validateHeaderName, validateHeaderValue } from 'node:http';
import type { LoopbackReply } from 'local-server-kit';
import { z } from 'zod';

const headerValueSchema = z.union([z.string(), z.number(), z.boolean()]).transform(String);

const replySchema = z.looseObject({
  statusCode: z
    .union([
      z.int(),
      z
        .string()
        .regex(/^\d{3}$/)
        .transform(Number),
    ])
    .pipe(z.int().min(200).max(599)),
  headers: z.record(z.string(), headerValueSchema).nullish(),
  multiValueHeaders: z.record(z.string(), z.array(headerValueSchema)).nullish(),
  body: z.string().nullish(),
  isBase64Encoded: z.boolean().nullish(),
});

/**
 * Names that API Gateway keeps for itself; a function's own go out under another name (developer guide,
 * Important notes, the column for Lambda). `Content-Length` passes there; LocalStack saw it remapped.
 */
const REMAPPED_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'content-length',
  'content-md5',
  'date',
  'max-forwards',
  'server',
  'user-agent',
  'www-authenticate',
]);
const DROPPED_HEADERS: ReadonlySet<string> = new Set([
  'expect',
  'host',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
]);

/**
 * What goes out for a function's reply; undefined when API Gateway would call it a "malformed Lambda proxy
 * response".
 *
 * `isBase64Encoded` changes nothing: API Gateway decodes a body only for an API with binary media types, and
 * the service has none.
 */
export function mapReply(reply: unknown): LoopbackReply | undefined {
  const parsed = replySchema.safeParse(reply);
  if (!parsed.success) return undefined;
  const { statusCode, headers, multiValueHeaders, body } = parsed.data;
  const merged = mergeHeaders(headers ?? {}, multiValueHeaders ?? {});
  if (!areValid(merged)) return undefined;
  return { status: statusCode, headers: { 'content-type': 'application/json', ...merged }, body: body ?? '' };
}

/** Values of both forms go out together; one that both have goes out once. */
function mergeHeaders(
  single: Readonly<Record<string, string>>,
  multiple: Readonly<Record<string, readonly string[]>>,
): Record<string, string[]> {
  const merged = new Map<string, string[]>();
  for (const [name, values] of Object.entries(multiple)) {
    const key = outgoingName(name);
    if (key !== undefined) merged.set(key, [...(merged.get(key) ?? []), ...values]);
  }
  for (const [name, value] of Object.entries(single)) {
    const key = outgoingName(name);
    const values = key === undefined ? undefined : (merged.get(key) ?? []);
    if (key === undefined || values === undefined || values.includes(value)) continue;
    merged.set(key, [...values, value]);
  }
  return Object.fromEntries(merged);
}

function outgoingName(name: string): string | undefined {
  const lowerName = name.toLowerCase();
  if (DROPPED_HEADERS.has(lowerName)) return undefined;
  return REMAPPED_HEADERS.has(lowerName) ? `x-amzn-remapped-${lowerName}` : lowerName;
}

function areValid(headers: Readonly<OutgoingHttpHeaders>): boolean {
  try {
    for (const [name, values] of Object.entries(headers)) {
      validateHeaderName(name);
      for (const value of [values].flat()) validateHeaderValue(name, String(value));
    }
    return true;
  } catch {
    return false;
  }
}
