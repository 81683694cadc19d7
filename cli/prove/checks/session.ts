/**
 * What only a stream session can say, as far as it needs no player's client: three sessions are started without one, asked, and
 * ended. It is the one check that starts anything.
 */
import { randomUUID } from 'node:crypto';
import {
  CreateStreamSessionConnectionCommand,
  GetStreamSessionCommand,
  type GetStreamSessionCommandOutput,
  ListStreamSessionsCommand,
  StartStreamSessionCommand,
  type StreamSessionSummary,
  TerminateStreamSessionCommand,
} from '@aws-sdk/client-gameliftstreams';
import { causeOf } from '../../../functions/shared/window/cause.ts';
import { type Account, allPages } from '../account.ts';
import { couldNotAsk, differs, type Found, holds, skipped } from '../finding.ts';

export interface SessionPlan {
  readonly streamGroup: string;
  readonly application: string;
  /** A browser's offer with H.264. Its answers are not used. */
  readonly offer: string;
}

/** The UserId of sessions of this command, by which a later run knows what a killed one has left. */
const USER_PREFIX = 'npm-run-prove-';
const ENDED = ['TERMINATED', 'ERROR'];
const TIMEOUT_SECONDS = 30;
const SESSION_SECONDS = 900;
const POLL_MS = 1000;
/** ACTIVE is seen up to a poll and a read after it began, so a session may end that much before its time by our clock. */
const EARLY_SECONDS = 5;
/** On-demand capacity for Windows takes up to 10 minutes (developer guide, "Stream group capacity"). */
const LONGEST_START_MS = 11 * 60_000;
/** How late the service may be to end a session before the probe stops to wait. */
const LONGEST_END_MS = 3 * 60_000;
/** No probe needs its session for longer, so one that is older was left by a run that was killed. */
const LONGEST_PROBE_MS = LONGEST_START_MS + TIMEOUT_SECONDS * 1000 + LONGEST_END_MS + 60_000;
/** As CONNECTION_TIMEOUT_MS in functions/shared/service/call-service.ts. */
const ASSUMED_CONNECTION_MS = 12_000;

export async function checkSession(account: Account, plan: SessionPlan): Promise<Found[]> {
  const own: OwnSessions = { userId: `${USER_PREFIX}${Math.floor(account.nowMs())}`, ids: [] };
  const findings = await endSessions(account, plan, {
    isOurs: ({ UserId = '', CreatedAt }) =>
      UserId.startsWith(USER_PREFIX) && isLeft(CreatedAt, account.nowMs()),
    tell: 'An earlier run had left',
  });
  const add = (...found: readonly Found[]) => {
    findings.push(...found);
  };
  try {
    for (const probe of [probeConnections, probeMalformedOffer, probeTermination]) {
      await probe(account, plan, own, add);
    }
  } catch (error) {
    findings.push(
      error instanceof NotStartedError ? error.found : couldNotAsk('a probe of a stream session', error),
    );
  } finally {
    findings.push(
      ...(await endSessions(account, plan, {
        isOurs: ({ UserId }) => UserId === own.userId,
        started: own.ids,
      })),
    );
  }
  return findings;
}

/** The sessions of this run. */
interface OwnSessions {
  readonly userId: string;
  /** Of those that were started. */
  readonly ids: string[];
}

/** Keeps a finding at once, so that a probe that fails half way loses none. */
type Add = (...found: readonly Found[]) => void;

/** A session that waits for a client: its connections, and how it ends when no answer is used. */
async function probeConnections(
  account: Account,
  plan: SessionPlan,
  own: OwnSessions,
  add: Add,
): Promise<void> {
  const session = await start(account, plan, own);
  if ((await read(account, plan, session)).Status === 'ACTIVATING') {
    add(refusalIn('ACTIVATING', await connect(account, plan, session, plan.offer, randomUUID())));
  }
  await untilActive(account, plan, session);
  const activeSinceMs = account.nowMs();

  const token = randomUUID();
  const first = await connect(account, plan, session, plan.offer, token);
  if (first.kind === 'REFUSED') {
    add(differs(`An ACTIVE session refuses a connection: ${first.name}.`, 'Attach the report to an issue.'));
    return;
  }
  const seconds = (first.ms / 1000).toFixed(1);
  add(
    first.ms <= ASSUMED_CONNECTION_MS
      ? holds(`connection-duration: a connection took ${seconds} s.`)
      : differs(
          `connection-duration: a connection took ${seconds} s, and is cut off after 12 s.`,
          'Raise CONNECTION_TIMEOUT_MS in functions/shared/service/call-service.ts.',
        ),
    answerShape(first.answer),
  );
  const again = await connect(account, plan, session, plan.offer, token);
  add(repeatOf(first.answer, again));
  const other = await connect(account, plan, session, anotherOffer(plan.offer), token);
  add(
    other.kind === 'REFUSED' && (other.status === 409 || other.status === 400)
      ? holds(`client-token-reuse: a ClientToken with another offer is ${other.name} (${other.status}).`)
      : skipped(
          'client-token-reuse: a ClientToken with another offer is not refused.',
          'Nothing: this service refuses such a token itself.',
        ),
    ...(await compareTimes(account, plan, session)),
  );

  const sinceMs = account.nowMs();
  const ended = await waitFor(account, plan, session, ENDED, TIMEOUT_SECONDS * 1000 + LONGEST_END_MS);
  if (ended === undefined) {
    add(
      differs(
        `end-after-deadline: the session was not ended ${LONGEST_END_MS / 60_000} min after its timeout.`,
        'Set terminateAbandonedSessions=true.',
      ),
    );
    return;
  }
  const late = Math.max(0, (account.nowMs() - sinceMs) / 1000 - TIMEOUT_SECONDS).toFixed(0);
  const lived = (account.nowMs() - activeSinceMs) / 1000;
  add(
    lived < TIMEOUT_SECONDS - EARLY_SECONDS
      ? differs(
          `end-after-deadline: the session ended ${lived.toFixed(0)} s after it was ACTIVE, before its timeout of ${TIMEOUT_SECONDS} s.`,
          'Attach the report to an issue.',
        )
      : holds(
          `end-after-deadline: the session ended about ${late} s after its timeout of ${TIMEOUT_SECONDS} s.`,
        ),
    reasonOf(ended),
  );
  add(
    refusalIn(
      ended.Status ?? '',
      await connect(account, plan, session, anotherOffer(plan.offer), randomUUID()),
    ),
  );
  const terminated = await terminate(account, plan, session);
  add(holds(`terminate-again: terminating a session that has ended is ${terminated ?? 'accepted'}.`));
}

/** A session that gets a malformed offer. */
async function probeMalformedOffer(
  account: Account,
  plan: SessionPlan,
  own: OwnSessions,
  add: Add,
): Promise<void> {
  const session = await start(account, plan, own);
  await untilActive(account, plan, session);
  const reply = await connect(account, plan, session, '{"type":"offer","sdp":"none"}', randomUUID());
  await account.sleep(5 * POLL_MS);
  const after = await read(account, plan, session);
  const answered = reply.kind === 'REFUSED' ? `refused with ${reply.name} (${reply.status})` : 'accepted';
  add(
    holds(
      `malformed-offer: a malformed offer is ${answered}, and the session is ${after.Status}${after.StatusReason === undefined ? '' : `, ${after.StatusReason}`}.`,
    ),
  );
}

/** A session that is terminated. */
async function probeTermination(
  account: Account,
  plan: SessionPlan,
  own: OwnSessions,
  add: Add,
): Promise<void> {
  const session = await start(account, plan, own);
  await untilActive(account, plan, session);
  const refused = await terminate(account, plan, session);
  if (refused !== undefined) {
    add(differs(`An ACTIVE session is not terminated: ${refused}.`, 'Attach the report to an issue.'));
    return;
  }
  const sinceMs = account.nowMs();
  const ended = await waitFor(account, plan, session, ENDED, LONGEST_END_MS);
  const seconds = ((account.nowMs() - sinceMs) / 1000).toFixed(0);
  add(
    holds(
      `terminating-length: TERMINATING lasted ${ended === undefined ? 'longer than' : 'about'} ${seconds} s.`,
    ),
  );
}

type Connection =
  | { readonly kind: 'ANSWERED'; readonly answer: string; readonly ms: number }
  | { readonly kind: 'REFUSED'; readonly name: string; readonly status: number };

async function connect(
  { aws, nowMs }: Account,
  { streamGroup }: SessionPlan,
  session: string,
  SignalRequest: string,
  ClientToken: string,
): Promise<Connection> {
  const sinceMs = nowMs();
  try {
    const { SignalResponse = '' } = await aws.gameLiftStreams.send(
      new CreateStreamSessionConnectionCommand({
        Identifier: streamGroup,
        StreamSessionIdentifier: session,
        SignalRequest,
        ClientToken,
      }),
    );
    return { kind: 'ANSWERED', answer: SignalResponse, ms: nowMs() - sinceMs };
  } catch (error) {
    return { kind: 'REFUSED', ...refusalOf(error) };
  }
}

/** @throws what is no refusal by the service of this request: denied, throttled, not reached. */
function refusalOf(error: unknown): { readonly name: string; readonly status: number } {
  const metadata: unknown = error instanceof Error ? Reflect.get(error, '$metadata') : undefined;
  const status: unknown =
    typeof metadata === 'object' && metadata !== null ? Reflect.get(metadata, 'httpStatusCode') : undefined;
  if (!(error instanceof Error) || typeof status !== 'number' || status === 403 || status === 429)
    throw error;
  return { name: error.name, status };
}

async function start({ aws }: Account, plan: SessionPlan, own: OwnSessions): Promise<string> {
  try {
    const { Arn = '' } = await aws.gameLiftStreams.send(
      new StartStreamSessionCommand({
        Identifier: plan.streamGroup,
        ApplicationIdentifier: plan.application,
        Protocol: 'WebRTC',
        SignalRequest: 'NO_CLIENT_CONNECTION',
        UserId: own.userId,
        Description: 'Started and ended by npm run prove.',
        ConnectionTimeoutSeconds: TIMEOUT_SECONDS,
        SessionLengthSeconds: SESSION_SECONDS,
      }),
    );
    const id = Arn.slice(Arn.lastIndexOf('/') + 1);
    own.ids.push(id);
    return id;
  } catch (error) {
    throw new NotStartedError(notStarted(error));
  }
}

/** Without one session there is no other, so the probes that follow are not tried. */
class NotStartedError extends Error {
  override readonly name = 'NotStartedError';
  readonly found: Found;
  constructor(found: Found) {
    super(found.found);
    this.found = found;
  }
}

function notStarted(error: unknown): Found {
  const name = error instanceof Error ? error.name : '';
  if (name === 'ResourceNotFoundException' || name === 'ValidationException') {
    return differs(
      `A session cannot be started: ${name}.`,
      'Check --stream-group and --application, and that the group is ACTIVE.',
    );
  }
  if (name === 'ServiceQuotaExceededException' || name === 'ConflictException')
    return withoutCapacity(`A session cannot be started: ${name}.`);
  return couldNotAsk('gameliftstreams:StartStreamSession', error);
}

const withoutCapacity = (found: string) =>
  skipped(found, 'Give the stream group capacity for one session, and run it again.');

function read(
  { aws }: Account,
  { streamGroup }: SessionPlan,
  session: string,
): Promise<GetStreamSessionCommandOutput> {
  return aws.gameLiftStreams.send(
    new GetStreamSessionCommand({ Identifier: streamGroup, StreamSessionIdentifier: session }),
  );
}

async function waitFor(
  account: Account,
  plan: SessionPlan,
  session: string,
  statuses: readonly string[],
  longestMs: number,
): Promise<GetStreamSessionCommandOutput | undefined> {
  const untilMs = account.nowMs() + longestMs;
  while (account.nowMs() < untilMs) {
    const found = await read(account, plan, session);
    if (statuses.includes(found.Status ?? '')) return found;
    await account.sleep(POLL_MS);
  }
  return undefined;
}

/** @returns the name of the refusal; undefined when the call was accepted. */
async function terminate(
  { aws }: Account,
  { streamGroup }: SessionPlan,
  session: string,
): Promise<string | undefined> {
  try {
    await aws.gameLiftStreams.send(
      new TerminateStreamSessionCommand({ Identifier: streamGroup, StreamSessionIdentifier: session }),
    );
    return undefined;
  } catch (error) {
    const { name, status } = refusalOf(error);
    return `${name} (${status})`;
  }
}

/** @throws NotStartedError */
async function untilActive(account: Account, plan: SessionPlan, session: string): Promise<void> {
  const found = await waitFor(account, plan, session, ['ACTIVE', ...ENDED], LONGEST_START_MS);
  if (found?.Status === 'ACTIVE') return;
  const what =
    found === undefined
      ? 'was not ACTIVE in time'
      : `ended as ${found.Status}, ${found.StatusReason ?? 'without a reason'}`;
  throw new NotStartedError(withoutCapacity(`The session ${what}.`));
}

function refusalIn(status: string, reply: Connection): Found {
  if (reply.kind === 'ANSWERED')
    return differs(
      `wrong-status-connection: a connection is accepted in ${status}.`,
      'Attach the report to an issue.',
    );
  return reply.status === 409 || reply.status === 400 || reply.status === 404
    ? holds(`wrong-status-connection: in ${status} a connection is ${reply.name} (${reply.status}).`)
    : differs(
        `wrong-status-connection: in ${status} a connection is ${reply.name} (${reply.status}).`,
        'Add the name to functions/shared/runtime/service-fault.ts.',
      );
}

function answerShape(answer: string): Found {
  let parsed: unknown;
  try {
    parsed = JSON.parse(answer);
  } catch {
    // Said below, without the text: an answer is a secret.
  }
  const has = (name: string) =>
    typeof parsed === 'object' && parsed !== null && typeof Reflect.get(parsed, name) === 'string';
  return ['type', 'sdp', 'webSdkProtocolUrl'].every(has)
    ? holds('answer-shape: the answer has type, sdp and webSdkProtocolUrl.')
    : differs(
        'answer-shape: the answer lacks type, sdp or webSdkProtocolUrl.',
        'Use the Web SDK file of the same release as the service.',
      );
}

function repeatOf(answer: string, again: Connection): Found {
  if (again.kind === 'REFUSED') {
    return again.status === 409
      ? holds(`client-token-repeat: a repeat is ${again.name} (409).`)
      : differs(
          `client-token-repeat: a repeat is ${again.name} (${again.status}).`,
          'Attach the report to an issue.',
        );
  }
  return again.answer === answer
    ? holds('client-token-repeat: a repeat returns the first answer.')
    : differs(
        'client-token-repeat: a repeat returns another answer.',
        'Attach the report to an issue: a lost reply costs a player the first answer.',
      );
}

async function compareTimes(account: Account, plan: SessionPlan, session: string): Promise<Found[]> {
  const { LastUpdatedAt: inGet } = await read(account, plan, session);
  const { Items = [] } = await account.aws.gameLiftStreams.send(
    new ListStreamSessionsCommand({ Identifier: plan.streamGroup, Status: 'ACTIVE', MaxResults: 100 }),
  );
  const inList = Items.find(({ Arn = '' }) => Arn.endsWith(`/${session}`))?.LastUpdatedAt;
  if (inGet === undefined || inList === undefined) {
    return [skipped('last-updated-at: the session is not in the list of ACTIVE ones.', 'Run it again.')];
  }
  const apartMs = Math.abs(inGet.getTime() - inList.getTime());
  const unit =
    inGet.getTime() % 1000 === 0 && inList.getTime() % 1000 === 0 ? 'whole seconds' : 'milliseconds';
  return [
    apartMs < 1000
      ? holds(
          `last-updated-at: GetStreamSession and ListStreamSessions have the same time${apartMs === 0 ? '' : `, to ${apartMs} ms`}.`,
        )
      : differs(
          `last-updated-at: the list and GetStreamSession are ${apartMs} ms apart.`,
          'Let a feed send statusChangedAt.',
        ),
    holds(`timestamp-resolution: LastUpdatedAt is in ${unit}.`),
  ];
}

function reasonOf({ Status, StatusReason }: GetStreamSessionCommandOutput): Found {
  const outcome = Status === 'ERROR' ? 'ERRORED' : 'TERMINATED';
  const cause = causeOf({ outcome, statusReason: StatusReason ?? null });
  const told = `second-window: a missed second window ends as ${Status}, ${StatusReason ?? 'without a reason'}; its cause is ${cause}`;
  return cause === 'TIMED_OUT'
    ? holds(`${told}.`)
    : differs(`${told}, and not TIMED_OUT.`, 'Add the reason to functions/shared/window/cause.ts.');
}

function anotherOffer(offer: string): string {
  return offer.replace(/a=ice-ufrag:\w+/g, `a=ice-ufrag:${randomUUID().slice(0, 4)}`);
}

/** A younger one may be of a run that goes on beside this one. */
function isLeft(createdAt: Date | undefined, nowMs: number): boolean {
  return createdAt !== undefined && nowMs - createdAt.getTime() > LONGEST_PROBE_MS;
}

interface SessionsToEnd {
  readonly isOurs: (session: StreamSessionSummary) => boolean;
  /** How the finding of each that is ended begins; without it there is none. */
  readonly tell?: string;
  /** Ids that are read one by one when the list has them not, because a list may lag behind a start. */
  readonly started?: readonly string[];
}

/** Ends these sessions, however long that takes: one that is ACTIVATING cannot be terminated yet. */
async function endSessions(
  account: Account,
  plan: SessionPlan,
  { isOurs, tell, started = [] }: SessionsToEnd,
): Promise<Found[]> {
  const { gameLiftStreams } = account.aws;
  const findings: Found[] = [];
  const untilMs = account.nowMs() + LONGEST_START_MS;
  try {
    for (;;) {
      const sessions = await allPages(
        (NextToken) =>
          gameLiftStreams.send(
            new ListStreamSessionsCommand({ Identifier: plan.streamGroup, MaxResults: 100, NextToken }),
          ),
        ({ Items = [], NextToken }) => ({ items: Items, next: NextToken }),
      );
      for (const id of started) {
        if (sessions.some(({ Arn = '' }) => Arn.endsWith(`/${id}`))) continue;
        const { Arn, Status, UserId } = await read(account, plan, id);
        sessions.push({ Arn, Status, UserId });
      }
      const live = sessions.filter(
        (session) => isOurs(session) && ![...ENDED, 'TERMINATING'].includes(session.Status ?? ''),
      );
      if (live.length === 0) return findings;
      for (const { Arn = '' } of live) {
        const id = Arn.slice(Arn.lastIndexOf('/') + 1);
        if ((await terminate(account, plan, id)) === undefined && tell !== undefined) {
          findings.push(holds(`${tell} the session ${id}; it is ended.`));
        }
      }
      if (account.nowMs() > untilMs) {
        return [
          ...findings,
          differs(
            `${live.length} sessions of this run could not be ended.`,
            `End them in the console of ${plan.streamGroup}.`,
          ),
        ];
      }
      await account.pause(POLL_MS);
    }
  } catch (error) {
    const found = couldNotAsk('gameliftstreams:ListStreamSessions or TerminateStreamSession', error);
    return [
      ...findings,
      {
        ...found,
        toDo: `Look in the console whether ${plan.streamGroup} has a session of the user ${USER_PREFIX}….`,
      },
    ];
  }
}
