import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { systemClock } from '../../../functions/shared/runtime/clock.ts';

function prepare() {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
  onTestFinished(() => {
    vi.useRealTimers();
  });
}

describe('the clock that is deployed', () => {
  it('tells the time, and sleeps until it has passed', async () => {
    prepare();
    let wokenAtMs = 0;

    const sleeping = systemClock.sleep(1500).then(() => {
      wokenAtMs = systemClock.nowMs();
    });
    await vi.advanceTimersByTimeAsync(2000);
    await sleeping;

    expect(wokenAtMs).toBe(Date.UTC(2026, 0, 1) + 1500);
  });

  it('runs a timer once, unless that is cancelled', async () => {
    prepare();
    const [kept, cancelled] = [vi.fn(), vi.fn()];

    systemClock.setTimer(1000, kept);
    const cancel = systemClock.setTimer(1000, cancelled);
    cancel();
    await vi.advanceTimersByTimeAsync(5000);

    expect(kept).toHaveBeenCalledTimes(1);
    expect(cancelled).not.toHaveBeenCalled();
  });
});
