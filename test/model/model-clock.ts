import { StormClock } from '../../bench/storm/storm-clock.ts';

/**
 * Virtual time for a stack without sockets: between two timers there are promises alone, so nothing needs to be
 * tracked, and the same seed is the same history to the last step.
 */
export class ModelClock extends StormClock {
  track<Result>(work: () => Promise<Result>): Promise<Result> {
    return work();
  }

  untracked<Result>(work: () => Promise<Result>): Promise<Result> {
    return work();
  }

  async advance(durationMs: number): Promise<void> {
    this.setTimer(durationMs, () => {});
    await this.run(this.nowMs() + durationMs);
  }
}
