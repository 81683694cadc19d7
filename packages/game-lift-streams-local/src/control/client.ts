import { z } from 'zod';
import { type Counters, countersSchema } from '../sessions/counters.ts';
import type { Fault, NewFault } from '../sessions/fault.ts';
import { type SessionSettings, type Settings, settingsSchema } from '../sessions/settings.ts';
import { type StreamGroupRecord, streamGroupRecordSchema } from '../sessions/stream-group.ts';
import {
  type AdminShellReadinessChange,
  controlErrorSchema,
  emptySchema,
  faultsSchema,
  type NewHappening,
  type NewStreamGroup,
  type NewStreamSessions,
  type SessionRecord,
  type StreamGroupChange,
  sessionRecordSchema,
  sessionRecordsSchema,
  streamGroupsSchema,
} from './schemas.ts';

/** A control call that was refused: 400 not understood, 404 unknown session or group, 409 cannot happen. */
export class ControlCallError extends Error {
  override readonly name = 'ControlCallError';
  readonly httpStatus: number;

  constructor(httpStatus: number, message: string) {
    super(message);
    this.httpStatus = httpStatus;
  }
}

type OneOrMore = string | readonly string[];
type FailureReason = Extract<NewHappening, { kind: 'sessionFails' }>['reason'];

/**
 * Steers a running stand-in: what clients and applications do, which calls fail, what has been called.
 * Every method throws ControlCallError when the call is refused, and fetch's TypeError when nobody answers.
 */
export class GameLiftStreamsControl {
  readonly #url: string;
  readonly #fetch: typeof fetch;

  /**
   * @param url where the stand-in runs, as `startGameLiftStreams` returns it
   * @param fetchReply how it is reached, where it does not listen
   */
  constructor(url: string, fetchReply: typeof fetch = fetch) {
    this.#url = url.replace(/\/$/, '');
    this.#fetch = fetchReply;
  }

  createStreamGroup(streamGroup: NewStreamGroup): Promise<StreamGroupRecord> {
    return this.#send('POST', 'stream-groups', streamGroupRecordSchema, streamGroup);
  }

  async streamGroups(): Promise<StreamGroupRecord[]> {
    return (await this.#send('GET', 'stream-groups', streamGroupsSchema)).streamGroups;
  }

  /** A stream group's status, expiry or tags, at once. DELETING stops its sessions, as DeleteStreamGroup does. */
  changeStreamGroup(streamGroupId: string, change: StreamGroupChange): Promise<StreamGroupRecord> {
    const path = `stream-groups/${encodeURIComponent(streamGroupId)}`;
    return this.#send('PATCH', path, streamGroupRecordSchema, change);
  }

  /** The stream group is gone at once, with its sessions. */
  async removeStreamGroup(streamGroupId: string): Promise<void> {
    await this.#send('DELETE', `stream-groups/${encodeURIComponent(streamGroupId)}`, emptySchema);
  }

  /** One session, in CONNECTED unless `status` says otherwise. */
  async startSession(session: Omit<NewStreamSessions, 'count'> = {}): Promise<SessionRecord> {
    const [record] = await this.startSessions({ ...session, count: 1 });
    if (record === undefined) throw new ControlCallError(200, 'The stand-in has started no session.');
    return record;
  }

  async startSessions(sessions: NewStreamSessions): Promise<SessionRecord[]> {
    return (await this.#send('POST', 'stream-sessions', sessionRecordsSchema, sessions)).sessions;
  }

  /** ACTIVE → CONNECTED. With `signalResponse` only if that is the session's latest answer. */
  clientConnects(streamSessionIds: OneOrMore, signalResponse?: string): Promise<SessionRecord[]> {
    const answer = signalResponse === undefined ? {} : { signalResponse };
    return this.#happen({ kind: 'clientConnects', streamSessionIds: list(streamSessionIds), ...answer });
  }

  /**
   * CONNECTED → PENDING_CLIENT_RECONNECTION, once the service has noticed the loss.
   *
   * @param lossNoticeMs how long that takes, where it is not what the settings say
   */
  clientDrops(streamSessionIds: OneOrMore, lossNoticeMs?: number): Promise<SessionRecord[]> {
    const notice = lossNoticeMs === undefined ? {} : { lossNoticeMs };
    return this.#happen({ kind: 'clientDrops', streamSessionIds: list(streamSessionIds), ...notice });
  }

  /** A lost client is back before the service has noticed its loss: the session stays CONNECTED. */
  clientRecovers(streamSessionIds: OneOrMore): Promise<SessionRecord[]> {
    return this.#happen({ kind: 'clientRecovers', streamSessionIds: list(streamSessionIds) });
  }

  /** The player does something in a CONNECTED session: the idle timeout begins anew. */
  clientInput(streamSessionIds: OneOrMore): Promise<SessionRecord[]> {
    return this.#happen({ kind: 'clientInput', streamSessionIds: list(streamSessionIds) });
  }

  /** → TERMINATED, applicationExit. */
  applicationExits(streamSessionIds: OneOrMore): Promise<SessionRecord[]> {
    return this.#happen({ kind: 'applicationExits', streamSessionIds: list(streamSessionIds) });
  }

  /** → ERROR. */
  sessionFails(streamSessionIds: OneOrMore, reason: FailureReason = 'internalError') {
    return this.#happen({ kind: 'sessionFails', streamSessionIds: list(streamSessionIds), reason });
  }

  /** The next `calls` calls of an operation go wrong, or all of them until a time. */
  async injectFault(fault: NewFault): Promise<void> {
    await this.#send('POST', 'faults', emptySchema, fault);
  }

  /** The faults that no call has met yet, with the number of calls left. */
  async faults(): Promise<Fault[]> {
    return (await this.#send('GET', 'faults', faultsSchema)).faults;
  }

  async clearFaults(): Promise<void> {
    await this.#send('DELETE', 'faults', emptySchema);
  }

  settings(): Promise<Settings> {
    return this.#send('GET', 'settings', settingsSchema);
  }

  changeSettings(change: Partial<Settings>): Promise<Settings> {
    return this.#send('PATCH', 'settings', settingsSchema, change);
  }

  /** Settings of one session, which go before those of the stand-in. */
  changeSessionSettings(streamSessionId: string, change: Partial<SessionSettings>): Promise<SessionRecord> {
    const path = `stream-sessions/${encodeURIComponent(streamSessionId)}`;
    return this.#send('PATCH', path, sessionRecordSchema, change);
  }

  /** Admin shells answer StreamSessionAccessNotReadyException for some time from now. */
  async adminShellsNotReady(change: AdminShellReadinessChange): Promise<void> {
    await this.#send('POST', 'admin-shell-readiness', emptySchema, change);
  }

  session(streamSessionId: string): Promise<SessionRecord> {
    return this.#send('GET', `stream-sessions/${encodeURIComponent(streamSessionId)}`, sessionRecordSchema);
  }

  async sessions(filter: { streamGroupId?: string; status?: SessionRecord['status'] } = {}) {
    const query = new URLSearchParams(filter);
    return (await this.#send('GET', `stream-sessions?${query}`, sessionRecordsSchema)).sessions;
  }

  counters(): Promise<Counters> {
    return this.#send('GET', 'counters', countersSchema);
  }

  /** As just started: no sessions, no faults, no counts, the settings and stream groups of the beginning. */
  async reset(): Promise<void> {
    await this.#send('POST', 'reset', emptySchema);
  }

  async #happen(happening: NewHappening): Promise<SessionRecord[]> {
    return (await this.#send('POST', 'happenings', sessionRecordsSchema, happening)).sessions;
  }

  async #send<Schema extends z.ZodType>(
    method: string,
    path: string,
    schema: Schema,
    body?: object,
  ): Promise<z.output<Schema>> {
    const send = this.#fetch;
    const response = await send(`${this.#url}/_control/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new ControlCallError(response.status, messageIn(text));
    return schema.parse(JSON.parse(text));
  }
}

function list(oneOrMore: OneOrMore): string[] {
  return typeof oneOrMore === 'string' ? [oneOrMore] : [...oneOrMore];
}

function messageIn(text: string): string {
  const error = z.string().transform(parseJson).pipe(controlErrorSchema).safeParse(text);
  return error.success ? error.data.message : text;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
