import { useEffect, useState } from 'react';

/**
 * The time, in epoch milliseconds, renewed at an interval while the page can be seen.
 *
 * @param intervalMs undefined stands still, for what has ended.
 */
export function useNow(intervalMs: number | undefined): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    if (intervalMs === undefined) return;
    const look = () => {
      if (!document.hidden) setNowMs(Date.now());
    };
    look();
    const timer = setInterval(look, intervalMs);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [intervalMs]);
  return nowMs;
}
