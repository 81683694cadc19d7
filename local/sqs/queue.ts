import { createHash } from 'node:crypto';
import type { Clock } from 'local-server-kit';
import { DueTimes } from './due-times.ts';

/** SQS Developer Guide, "Amazon SQS message quotas": how many messages of a standard queue may be in flight. */
const MAX_IN_FLIGHT = 120_000;
/** The longest that a message may be hidden, counted from its receipt. */
export const MAX_VISIBILITY_SECONDS = 43_200;
/** A queue that nothing reads keeps its latest messages only, so that a long run needs no more memory. */
const MAX_UNREAD = 1_000;

export interface QueueOptions {
  readonly name: string;
  readonly arn: string;
  readonly visibilityTimeoutSeconds: number;
  readonly retentionSeconds: number;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Where a message goes that has been received `maxReceiveCount` times without being deleted. */
  readonly redrive?: { readonly to: Queue; readonly maxReceiveCount: number } | undefined;
}

export interface ReceivedMessage {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly md5OfBody: string;
  readonly sentAtMs: number;
  readonly firstReceivedAtMs: number;
  readonly receiveCount: number;
}

interface Message {
  readonly id: string;
  readonly body: string;
  readonly sentAtMs: number;
  receiveCount: number;
  firstReceivedAtMs: number | undefined;
  /** Of the latest receipt; undefined while the message can be received. */
  receipt: { readonly handle: string; readonly receivedAtMs: number; visibleAtMs: number } | undefined;
}

export type VisibilityRefusal = 'ReceiptHandleIsInvalid' | 'MessageNotInflight' | 'InvalidParameterValue';

/** A standard queue of Amazon SQS, in memory. README.md says what it promises. */
export class Queue {
  readonly name: string;
  readonly arn: string;
  readonly visibilityTimeoutSeconds: number;
  readonly #options: QueueOptions;
  /** Those that can be received, the oldest first. */
  readonly #visible = new Set<Message>();
  readonly #inFlight = new Map<string, Message>();
  readonly #dueTimes: DueTimes<Message>;
  #onArrival: (() => void) | undefined;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.name = options.name;
    this.arn = options.arn;
    this.visibilityTimeoutSeconds = options.visibilityTimeoutSeconds;
    this.#dueTimes = new DueTimes(options.clock, (message, dueMs) => this.#showAgain(message, dueMs));
  }

  /**
   * @param delaySeconds no consumer receives the message before. Its retention counts from now all the same.
   * @returns the message's id.
   */
  send(body: string, delaySeconds = 0): string {
    const { clock, newId } = this.#options;
    const nowMs = clock.nowMs();
    const message: Message = {
      id: newId(),
      body,
      sentAtMs: nowMs,
      receiveCount: 0,
      firstReceivedAtMs: undefined,
      receipt: undefined,
    };
    if (delaySeconds > 0) {
      // As one that is hidden: in flight under a handle that no consumer has.
      const visibleAtMs = nowMs + delaySeconds * 1000;
      message.receipt = { handle: newId(), receivedAtMs: nowMs, visibleAtMs };
      this.#inFlight.set(message.receipt.handle, message);
      this.#dueTimes.add(message, visibleAtMs);
    } else {
      this.#add(message);
    }
    return message.id;
  }

  /** Calls `listener` whenever a message can be received: what a long poll waits for. One consumer at a time. */
  consume(listener: () => void): void {
    this.#onArrival = listener;
    if (this.#visible.size > 0) listener();
  }

  /** Up to `limit` messages, which nobody else gets until their visibility timeout is over. */
  receive(limit: number): ReceivedMessage[] {
    const received: ReceivedMessage[] = [];
    for (const message of this.#visible) {
      if (received.length === limit || this.#inFlight.size >= MAX_IN_FLIGHT) break;
      this.#visible.delete(message);
      if (this.#isExpired(message)) continue;
      const { redrive } = this.#options;
      if (redrive !== undefined && message.receiveCount >= redrive.maxReceiveCount) {
        redrive.to.#add(message);
        continue;
      }
      received.push(this.#receiveOne(message));
    }
    return received;
  }

  /** A handle of an earlier receipt deletes nothing, as it may not on a standard queue. */
  delete(receiptHandle: string): void {
    this.#inFlight.delete(receiptHandle);
  }

  /** Lets a received message be received again after so many seconds from now. */
  changeVisibility(receiptHandle: string, seconds: number): VisibilityRefusal | undefined {
    if (!Number.isInteger(seconds) || seconds < 0 || seconds > MAX_VISIBILITY_SECONDS) {
      return 'InvalidParameterValue';
    }
    const message = this.#inFlight.get(receiptHandle);
    if (message?.receipt === undefined) return 'MessageNotInflight';
    this.#hide(message, message.receipt, seconds);
    return undefined;
  }

  /** The number of messages that can be received now. */
  get visibleCount(): number {
    return this.#visible.size;
  }

  /** All messages, those in flight included, the oldest first. */
  bodies(): string[] {
    return [...this.#visible, ...this.#inFlight.values()]
      .filter((message) => !this.#isExpired(message))
      .toSorted((one, other) => one.sentAtMs - other.sentAtMs)
      .map(({ body }) => body);
  }

  close(): void {
    this.#dueTimes.close();
    this.#onArrival = undefined;
  }

  #add(message: Message): void {
    this.#visible.add(message);
    const [oldest] = this.#visible;
    if (this.#onArrival === undefined && this.#visible.size > MAX_UNREAD && oldest !== undefined) {
      this.#visible.delete(oldest);
    }
    this.#onArrival?.();
  }

  #receiveOne(message: Message): ReceivedMessage {
    const { clock, newId, visibilityTimeoutSeconds } = this.#options;
    const nowMs = clock.nowMs();
    message.receiveCount++;
    message.firstReceivedAtMs ??= nowMs;
    const handle = newId();
    const receipt = { handle, receivedAtMs: nowMs, visibleAtMs: nowMs };
    message.receipt = receipt;
    this.#inFlight.set(handle, message);
    this.#hide(message, receipt, visibilityTimeoutSeconds);
    return {
      messageId: message.id,
      receiptHandle: handle,
      body: message.body,
      md5OfBody: createHash('md5').update(message.body).digest('hex'),
      sentAtMs: message.sentAtMs,
      firstReceivedAtMs: message.firstReceivedAtMs,
      receiveCount: message.receiveCount,
    };
  }

  #hide(message: Message, receipt: NonNullable<Message['receipt']>, seconds: number): void {
    const latestMs = receipt.receivedAtMs + MAX_VISIBILITY_SECONDS * 1000;
    receipt.visibleAtMs = Math.min(latestMs, this.#options.clock.nowMs() + seconds * 1000);
    this.#dueTimes.add(message, receipt.visibleAtMs);
  }

  /** A time that was changed since, and a message that was deleted or received again, leave their old time behind. */
  #showAgain(message: Message, dueMs: number): void {
    const { receipt } = message;
    if (receipt === undefined || receipt.visibleAtMs !== dueMs) return;
    if (!this.#inFlight.delete(receipt.handle)) return;
    message.receipt = undefined;
    this.#add(message);
  }

  /** SQS deletes what is older than the queue's retention, read or not. */
  #isExpired({ sentAtMs }: Message): boolean {
    const { clock, retentionSeconds } = this.#options;
    return sentAtMs < clock.nowMs() - retentionSeconds * 1000;
  }
}
