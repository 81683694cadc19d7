export interface Rate {
  /** How many requests a full bucket holds. */
  readonly bucket: number;
  readonly perSecond: number;
}

/** A bucket that is full at first and gains `perSecond` tokens a second, continuously. */
export class TokenBucket {
  readonly #rate: Rate;
  #tokens: number;
  #filledAtMs: number;

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#tokens = rate.bucket;
    this.#filledAtMs = nowMs;
  }

  /** Takes a token; false when there is none. */
  take(nowMs: number): boolean {
    const { bucket, perSecond } = this.#rate;
    // A clock that is set back must neither fill nor drain the bucket.
    const elapsedSeconds = Math.max(0, nowMs - this.#filledAtMs) / 1000;
    this.#tokens = Math.min(bucket, this.#tokens + elapsedSeconds * perSecond);
    this.#filledAtMs = nowMs;
    // 150 refills of 1/150 s are not quite 1 in floating point.
    if (this.#tokens < 1 - 1e-9) return false;
    this.#tokens -= 1;
    return true;
  }
}
