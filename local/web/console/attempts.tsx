import { duration } from '../shared/format.ts';
import { Icon } from '../shared/icon.tsx';
import { useNow } from '../shared/use-now.ts';
import type { State } from './model/definition.ts';
import { nextRetryOf } from './model/next-retry.ts';
import type { Attempt, Visit } from './model/visits.ts';
import { ATTEMPT_LOOKS, LookBadge } from './status.tsx';

/** A task's attempts in their order, with what Retry waited between them. */
export function Attempts({ visit, state }: { visit: Visit; state: State | undefined }) {
  const isOpen = visit.leftAtMs === undefined;
  const nowMs = useNow(isOpen ? 250 : undefined);
  const retry = nextRetryOf(visit, state);
  return (
    <ol className="attempts">
      {visit.attempts.map((attempt, index) => (
        <li key={attempt.startedAtMs}>
          {attempt.waitedMs !== undefined && (
            <p className="waited">
              <Icon name="retried" />
              Retry waited {duration(attempt.waitedMs)}
            </p>
          )}
          <div className="row attempt">
            <strong>Attempt {index + 1}</strong>
            <LookBadge look={ATTEMPT_LOOKS[attempt.result]} />
            <span className="muted">{timesOf(attempt, nowMs)}</span>
          </div>
          {attempt.error !== undefined && <p className="mono attempt-error">{attempt.error}</p>}
        </li>
      ))}
      {retry !== undefined && (
        <li>
          <p className="waited">
            <Icon name="running" />
            {retry.atLatestMs > nowMs
              ? `Retry is waiting: the next attempt comes within ${duration(retry.atLatestMs - nowMs)}`
              : 'The next attempt is due'}
          </p>
        </li>
      )}
    </ol>
  );
}

function timesOf({ startedAtMs, endedAtMs, timeoutSeconds }: Attempt, nowMs: number): string {
  const took = duration((endedAtMs ?? Math.max(nowMs, startedAtMs)) - startedAtMs);
  const limit =
    timeoutSeconds === undefined
      ? ''
      : ` of at most ${duration(timeoutSeconds * 1000).replace('.0 s', ' s')}`;
  return endedAtMs === undefined ? `for ${took}${limit}` : `after ${took}${limit}`;
}
