import { seededRandom } from 'local-server-kit';
import type { Service } from '../../local/service/service.ts';
import { percentile } from '../shared/report.ts';
import { Account, CAPACITY } from './account.ts';
import type { Way } from './ways.ts';

/** All reports of a storm come within a second. */
const REPORTED_WITHIN_MS = 1_000;
/** Until the last asynchronous repeat is over. */
const RUN_MS = 3 * 3_600_000;

export interface Openings {
  readonly way: string;
  readonly drops: number;
  readonly started: number;
  /** Events whose window no execution ever carried. */
  readonly lost: number;
  readonly firstSeconds: number;
  readonly p50Seconds: number;
  readonly lastSeconds: number;
  /** When the last window could start at the earliest: the bucket, then its rate. */
  readonly boundSeconds: number;
  /** Windows that were announced at least once, and all announcements. */
  readonly announced: number;
  readonly announcements: number;
  readonly throttledStarts: number;
  readonly requests: number;
  readonly throttledRequests: number;
  /** The most executions of the account at one time. */
  readonly peakConcurrency: number;
}

/** A storm of disconnects, every one of them reported once, and every player asking through the API. */
export async function runOpenings(
  way: Way,
  drops: number,
  service: Service,
  seed: number,
): Promise<Openings> {
  const account = new Account(
    seededRandom(seed),
    way.reserved === undefined ? {} : { 'on-status-change': way.reserved },
  );
  const { clock, random } = account;
  const { deliver, lost } = way.prepare(account, service);
  const startMs = clock.nowMs();
  account.busAwayUntilMs = startMs + (way.busAwaySeconds ?? 0) * 1000;
  for (let drop = 0; drop < drops; drop++) {
    clock.setTimer(drops === 1 ? 0 : random() * REPORTED_WITHIN_MS, () =>
      deliver(reportOf(`ABC${String(drop).padStart(10, '0')}`, clock.nowMs())),
    );
  }
  account.startPlayers(drops);
  await clock.run(startMs + RUN_MS);
  const seconds = [...account.startedAtMs.values()].map((atMs) => (atMs - startMs) / 1000);
  return {
    way: way.name,
    drops,
    started: seconds.length,
    lost: lost(),
    firstSeconds: percentile(seconds, 0),
    p50Seconds: percentile(seconds, 0.5),
    lastSeconds: percentile(seconds, 1),
    boundSeconds: Math.max(0, (drops - CAPACITY.startBucket) / CAPACITY.startsPerSecond),
    announced: account.announcements.size,
    announcements: [...account.announcements.values()].reduce((sum, count) => sum + count, 0),
    throttledStarts: account.throttledStarts,
    requests: account.requests,
    throttledRequests: account.throttledRequests,
    peakConcurrency: account.concurrency.unreservedPeak,
  };
}

function reportOf(streamSessionId: string, atMs: number): object {
  return {
    version: '0',
    id: `00000000-0000-4000-8000-${streamSessionId.slice(-12)}`,
    'detail-type': 'Stream Session Status Change',
    source: 'stream-session-reconnection',
    account: '123456789012',
    time: new Date(atMs).toISOString(),
    region: 'us-west-2',
    resources: [],
    detail: {
      version: '1',
      streamGroupId: 'sg-1AB2C3De4',
      streamSessionId,
      status: 'PENDING_CLIENT_RECONNECTION',
      statusChangedAt: new Date(atMs).toISOString(),
      connectionTimeoutSeconds: 120,
    },
  };
}
