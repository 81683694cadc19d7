import { describeIssues, type LoopbackReply, type LoopbackRequest } from 'local-server-kit';
import type * as z from 'zod';

/** A reply with JSON in it. */
export function json(
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): LoopbackReply {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(body),
  };
}

export function refusal(
  status: number,
  name: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
) {
  return json(status, { name, message }, headers);
}

/** A request that the page itself would not send. */
export class BadRequestError extends Error {
  override readonly name = 'BadRequestError';
}

/** @throws BadRequestError that names what is wrong, and quotes nothing */
export function readJson<Schema extends z.ZodType>(
  schema: Schema,
  { headers, body }: LoopbackRequest,
): z.output<Schema> {
  // A page of another site can send anything but this type without asking first, and asking is never granted.
  if (headers['content-type'] !== 'application/json') throw new BadRequestError('Send application/json.');
  const result = schema.safeParse(parse(body));
  if (!result.success) throw new BadRequestError(describeIssues(result.error));
  return result.data;
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
