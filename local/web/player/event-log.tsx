import type { LogEntry, Phase } from './player-session.ts';

interface EventLogProps {
  readonly entries: readonly LogEntry[];
  readonly phase: Phase;
}

/** What this tab has done, the latest first. */
export function EventLog({ entries, phase }: EventLogProps) {
  return (
    <section className="card" aria-labelledby="log-title">
      <div className="card-head">
        <h2 id="log-title">What this tab did</h2>
      </div>
      <div className="card-body">
        {entries.length === 0 ? (
          <p className="muted">{phase === 'absent' ? 'Nothing yet.' : 'Taking up the session …'}</p>
        ) : (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
          <ol className="log" tabIndex={0} aria-labelledby="log-title">
            {entries.map(({ id, at, tone, text }) => (
              <li key={id} className={`tone-${tone}`}>
                <time dateTime={at.toISOString()}>{at.toTimeString().slice(0, 8)}</time>
                <span>{text}</span>
              </li>
            ))}
          </ol>
        )}
      </div>
    </section>
  );
}
