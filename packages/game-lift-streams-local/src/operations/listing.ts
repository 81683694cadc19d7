import { z } from 'zod';
import { validation } from '../protocol/service-error.ts';
import type { ListParameters } from '../protocol/validation.ts';
import { fingerprintOf } from '../sessions/idempotency.ts';
import type { World } from '../sessions/world.ts';
import { summarizeListed } from './describe.ts';

/** MaxResults when the call has none (SDK documentation). */
const DEFAULT_PAGE_SIZE = 25;

const pageStartSchema = z.object({ from: z.union([z.int().min(0), z.string()]), query: z.string() });

/**
 * A page of the account's sessions, or of one stream group's.
 *
 * A page begins after the last session that the page before looked at, so sessions that change their status
 * between two pages neither hide others nor come twice.
 *
 * @throws ServiceError ValidationException for a NextToken that is not from this list
 */
export function listPage(world: World, streamGroupId: string | undefined, parameters: ListParameters) {
  const { Status, ExportFilesStatus, NextToken, MaxResults = DEFAULT_PAGE_SIZE } = parameters;
  const query = fingerprintOf({ streamGroupId, Status, ExportFilesStatus });
  const sessions = world.sessions();
  const items = [];
  for (let index = readToken(NextToken, query); index < sessions.length; index++) {
    const session = sessions[index];
    if (session === undefined) break;
    if (streamGroupId !== undefined && session.streamGroupId !== streamGroupId) continue;
    if (Status !== undefined && session.status !== Status) continue;
    if (ExportFilesStatus !== undefined && session.exportFilesMetadata?.Status !== ExportFilesStatus)
      continue;
    if (items.length === MaxResults) return { Items: items, NextToken: pageToken(index, query) };
    items.push(summarizeListed(session, world));
  }
  return { Items: items };
}

/** The NextToken of the page that begins after `from`, for the list that `query` names. */
export function pageToken(from: number | string, query: string): string {
  return Buffer.from(JSON.stringify({ from, query })).toString('base64url');
}

/** Where the page of a list ordered by text begins. */
export function pageAfter(token: string | undefined, query: string): string {
  const from = startOf(token, query);
  if (typeof from === 'number') throw validation('The NextToken is not valid.');
  return from ?? '';
}

function readToken(token: string | undefined, query: string): number {
  const from = startOf(token, query);
  if (typeof from === 'string') throw validation('The NextToken is not valid.');
  return from ?? 0;
}

function startOf(token: string | undefined, query: string): number | string | undefined {
  if (token === undefined) return undefined;
  const start = pageStartSchema.safeParse(parseJson(Buffer.from(token, 'base64url').toString()));
  if (!start.success || start.data.query !== query) throw validation('The NextToken is not valid.');
  return start.data.from;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
