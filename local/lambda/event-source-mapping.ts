import type { Clock, InvokeLambda, LambdaResult } from 'local-server-kit';
import { z } from 'zod';
import type { Queue, ReceivedMessage } from '../sqs/queue.ts';
import { isLambdaAtFault } from './failures.ts';

/** Developer Guide, "Configuring scaling behavior for SQS event source mappings": how many batches at once at first, … */
const FIRST_CONCURRENCY = 5;
/** … how many more each second while messages are left (300 a minute), … */
const MORE_PER_SECOND = 5;
/** … and at most. */
const MOST_CONCURRENCY = 1_250;
/** Where Lambda lets nobody set a higher concurrency than 1,000, or a lower one than 2. */
const MAXIMUM_CONCURRENCY = { least: 2, most: 1_000 };
const MOST_MESSAGES = 10_000;
/** More messages than these need a batching window of a second at least. */
const MOST_WITHOUT_WINDOW = 10;
const LONGEST_WINDOW_SECONDS = 300;
const FIRST_BACKOFF_MS = 1_000;

export interface EventSourceMappingOptions {
  readonly queue: Queue;
  readonly functionName: string;
  readonly functionTimeoutSeconds: number;
  readonly batchSize: number;
  readonly batchingWindowSeconds: number;
  readonly maximumConcurrency?: number | undefined;
  /** Whether the function tells which messages of a batch have failed. */
  readonly reportsItemFailures: boolean;
  readonly clock: Clock;
  readonly region: string;
  readonly invokeLambda: InvokeLambda;
}

const repliedFailuresSchema = z
  .looseObject({
    batchItemFailures: z.array(z.looseObject({ itemIdentifier: z.string().min(1) })).nullish(),
  })
  .nullish();

/**
 * Lambda's consumer of a queue: invokes the function with batches of its messages and deletes what was handled. What
 * has failed stays in the queue and is received again when its visibility timeout is over. README.md says the rest.
 *
 * @throws Error for settings that Lambda's CreateEventSourceMapping refuses.
 */
export class EventSourceMapping {
  readonly #options: EventSourceMappingOptions;
  readonly #most: number;
  #allowed: number;
  #running = 0;
  #cancelGrowth: (() => void) | undefined;
  #cancelWindow: (() => void) | undefined;
  readonly #cancelBackoffs = new Set<() => void>();
  #closed = false;

  constructor(options: EventSourceMappingOptions) {
    refuseWrong(options);
    this.#options = options;
    this.#most = options.maximumConcurrency ?? MOST_CONCURRENCY;
    this.#allowed = Math.min(FIRST_CONCURRENCY, this.#most);
    options.queue.consume(() => this.#onArrival());
  }

  close(): void {
    this.#closed = true;
    this.#cancelGrowth?.();
    this.#cancelWindow?.();
    for (const cancel of this.#cancelBackoffs) cancel();
  }

  /** A batch begins at once, or when it is full, or when the window is over that its first message has opened. */
  #onArrival(): void {
    const { batchingWindowSeconds, batchSize, clock, queue } = this.#options;
    if (batchingWindowSeconds === 0 || queue.visibleCount >= batchSize) {
      // What was sent together is received together.
      queueMicrotask(() => this.#pump());
      return;
    }
    this.#cancelWindow ??= clock.setTimer(batchingWindowSeconds * 1000, () => {
      this.#cancelWindow = undefined;
      this.#pump();
    });
  }

  #pump(): void {
    const { queue, batchSize } = this.#options;
    while (!this.#closed && this.#running < this.#allowed && queue.visibleCount > 0) {
      const batch = queue.receive(batchSize);
      if (batch.length > 0) void this.#handle(batch);
    }
    if (queue.visibleCount > 0) this.#growLater();
    else if (this.#running === 0) this.#rest();
  }

  #growLater(): void {
    if (this.#closed || this.#allowed >= this.#most || this.#cancelGrowth !== undefined) return;
    this.#cancelGrowth = this.#options.clock.setTimer(1000, () => {
      this.#cancelGrowth = undefined;
      if (this.#options.queue.visibleCount > 0) {
        this.#allowed = Math.min(this.#most, this.#allowed + MORE_PER_SECOND);
      }
      this.#pump();
    });
  }

  #rest(): void {
    this.#allowed = Math.min(FIRST_CONCURRENCY, this.#most);
  }

  async #handle(batch: readonly ReceivedMessage[]): Promise<void> {
    this.#running++;
    const result = await this.#invoke(batch);
    this.#running--;
    if (this.#closed) return;
    if (!result.ok && !this.#options.reportsItemFailures) {
      this.#allowed = Math.max(1, Math.floor(this.#allowed / 2));
    }
    const failed = failedOf(batch, result, this.#options.reportsItemFailures);
    for (const { messageId, receiptHandle } of batch) {
      if (!failed.has(messageId)) this.#options.queue.delete(receiptHandle);
    }
    this.#pump();
  }

  /** A batch that Lambda itself refuses is tried again until its messages are no longer its own. */
  async #invoke(batch: readonly ReceivedMessage[]): Promise<LambdaResult> {
    const { functionName, invokeLambda, clock, queue } = this.#options;
    const event = { Records: batch.map((message) => this.#recordOf(message)) };
    const endMs = clock.nowMs() + queue.visibilityTimeoutSeconds * 1000;
    for (let delayMs = FIRST_BACKOFF_MS; ; delayMs *= 2) {
      const result = await resultOf(() => invokeLambda(functionName, event));
      if (result.ok || !isLambdaAtFault(result.failure.errorType)) return result;
      this.#allowed = Math.max(1, Math.floor(this.#allowed / 2));
      if (clock.nowMs() + delayMs >= endMs) return result;
      await this.#sleep(delayMs);
      if (this.#closed) return result;
    }
  }

  #sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        this.#cancelBackoffs.delete(end);
        resolve();
      };
      const cancel = this.#options.clock.setTimer(delayMs, end);
      this.#cancelBackoffs.add(end);
    });
  }

  #recordOf(message: ReceivedMessage): object {
    const { queue, region } = this.#options;
    return {
      messageId: message.messageId,
      receiptHandle: message.receiptHandle,
      body: message.body,
      attributes: {
        ApproximateReceiveCount: String(message.receiveCount),
        SentTimestamp: String(message.sentAtMs),
        SenderId: 'AIDAIT2UOQQY3AUEKVGXU',
        ApproximateFirstReceiveTimestamp: String(message.firstReceivedAtMs),
      },
      messageAttributes: {},
      md5OfBody: message.md5OfBody,
      eventSource: 'aws:sqs',
      eventSourceARN: queue.arn,
      awsRegion: region,
    };
  }
}

/** An invoker should not throw; what it throws may quote the event, so its name alone goes on. */
async function resultOf(invoke: () => Promise<LambdaResult>): Promise<LambdaResult> {
  try {
    return await invoke();
  } catch (error) {
    const errorType = error instanceof Error ? error.name : typeof error;
    return { ok: false, failure: { errorType, errorMessage: 'The invoker threw.' } };
  }
}

/**
 * Developer Guide, "Implementing partial batch responses": a reply that names no message, or none at all, is a success;
 * one that cannot be read, or names a message that is not in the batch, fails the whole batch.
 */
function failedOf(
  batch: readonly ReceivedMessage[],
  result: LambdaResult,
  reportsItemFailures: boolean,
): ReadonlySet<string> {
  const all = new Set(batch.map(({ messageId }) => messageId));
  if (!result.ok) return all;
  if (!reportsItemFailures) return new Set();
  const replied = repliedFailuresSchema.safeParse(result.payload);
  if (!replied.success) return all;
  const failed = (replied.data?.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier);
  return failed.every((id) => all.has(id)) ? new Set(failed) : all;
}

function refuseWrong({
  queue,
  functionTimeoutSeconds,
  batchSize,
  batchingWindowSeconds,
  maximumConcurrency,
}: EventSourceMappingOptions): void {
  const refuse = (sentence: string) => {
    throw new Error(`InvalidParameterValueException: ${sentence}`);
  };
  if (batchSize < 1 || batchSize > MOST_MESSAGES) refuse(`BatchSize must be from 1 to ${MOST_MESSAGES}`);
  if (batchingWindowSeconds < 0 || batchingWindowSeconds > LONGEST_WINDOW_SECONDS) {
    refuse(`MaximumBatchingWindowInSeconds must be from 0 to ${LONGEST_WINDOW_SECONDS}`);
  }
  if (batchSize > MOST_WITHOUT_WINDOW && batchingWindowSeconds < 1) {
    refuse('Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10');
  }
  const { least, most } = MAXIMUM_CONCURRENCY;
  if (maximumConcurrency !== undefined && (maximumConcurrency < least || maximumConcurrency > most)) {
    refuse(`MaximumConcurrency must be from ${least} to ${most}`);
  }
  if (queue.visibilityTimeoutSeconds < functionTimeoutSeconds) {
    refuse(
      `Queue visibility timeout: ${queue.visibilityTimeoutSeconds} seconds is less than Function timeout: ${functionTimeoutSeconds} seconds`,
    );
  }
}
