import { StormClock } from '../../bench/storm/storm-clock.ts';

/**
 * Virtual time for a stack without sockets. Between two timers there are only promises, so nothing needs to be tracked,
 * and the same seed gives the same history to the last step.
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

  /** Resolves when every promise that can go on has gone on. */
  async idle(): Promise<void> {
    await this.run(this.nowMs());
  }

  /**
   * Moves time on until the work has ended, and no further.
   *
   * @throws Error when nothing is due that could end it: something waits for ever.
   */
  async until<Result>(work: Promise<Result>): Promise<Result> {
    let hasEnded = false;
    const end = () => {
      hasEnded = true;
    };
    work.then(end, end);
    await this.run(Number.POSITIVE_INFINITY, () => hasEnded);
    if (!hasEnded) throw new Error('Nothing is due any more, and the work has not ended.');
    return work;
  }
}
