import { z } from 'zod';
import { validation } from '../protocol/service-error.ts';
import type { ListParameters } from '../protocol/validation.ts';
import { fingerprintOf } from '../sessions/idempotency.ts';
import type { World } from '../sessions/world.ts';
import { summarizeListed } from './describe.ts';

/** MaxResults when the call has none (SDK documentation). */
const DEFAULT_PAGE_SIZE = 25;

const pageStartSchema = z.object({ from: z.int().min(0), query: z.string() });

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
    if (items.length === MaxResults) return { Items: items, NextToken: writeToken(index, query) };
    items.push(summarizeListed(session, world));
  }
  return { Items: items };
}

function writeToken(from: number, query: string): string {
  return Buffer.from(JSON.stringify({ from, query })).toString('base64url');
}

function readToken(token: string | undefined, query: string): number {
  if (token === undefined) return 0;
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
