import { countdown } from './format.ts';
import { useNow } from './use-now.ts';

/** When a screen reader is told how much is left; every second would drown everything else. */
const ANNOUNCED_SECONDS = [300, 120, 60, 30, 10, 0];

/**
 * The time left until a deadline, ticking, with a bar when the whole is known.
 *
 * @param totalMs the length of what runs out.
 */
export function Countdown(props: { deadlineMs: number; totalMs?: number; label: string }) {
  const { deadlineMs, totalMs, label } = props;
  const leftMs = Math.max(0, deadlineMs - useNow(100));
  const share = totalMs === undefined ? undefined : Math.min(1, leftMs / totalMs);
  const tone = leftMs === 0 ? 'idle' : leftMs < 10_000 ? 'bad' : leftMs < 30_000 ? 'warn' : 'running';
  return (
    <div className={`countdown tone-${tone}`}>
      <div role="timer" aria-live="off" aria-label={label} className="countdown-value">
        {countdown(leftMs)}
      </div>
      {share !== undefined && (
        <div className="countdown-bar" aria-hidden="true">
          <div style={{ width: `${share * 100}%` }} />
        </div>
      )}
      <p className="visually-hidden" aria-live="polite">
        {announcement(leftMs, label)}
      </p>
    </div>
  );
}

/** Stays the same between two of the announced times, so that nothing is said in between. */
function announcement(leftMs: number, label: string): string {
  const reached = ANNOUNCED_SECONDS.filter((seconds) => leftMs <= seconds * 1000).at(-1);
  if (reached === undefined) return '';
  return reached === 0 ? `${label}: none` : `${label}: less than ${reached} seconds`;
}
