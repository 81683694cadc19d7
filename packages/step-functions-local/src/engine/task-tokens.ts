import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** How a callback answers its task. */
export type TaskAnswer =
  | { readonly kind: 'success'; readonly outputText: string }
  | {
      readonly kind: 'failure';
      readonly errorName: string | undefined;
      readonly causeText: string | undefined;
    };

const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Tokens hold the ARN of their execution, encrypted and authenticated under a key of this process. So nobody
 * can guess or make one, and a used one needs no memory: it still tells whose it was.
 */
export class TaskTokens {
  readonly #key = randomBytes(32);
  readonly #waiting = new Map<string, (answer: TaskAnswer) => void>();

  issue(executionArn: string): string {
    // The random IV makes every token another one.
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key, iv, { authTagLength: TAG_BYTES });
    const body = Buffer.concat([cipher.update(executionArn, 'utf8'), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64');
  }

  /** The ARN of the token's execution; undefined when this process never issued the token. */
  executionArn(token: string): string | undefined {
    const bytes = Buffer.from(token, 'base64');
    // Node's decoder skips what is not base64, so a changed token could decode to a good one.
    if (bytes.length <= IV_BYTES + TAG_BYTES || bytes.toString('base64') !== token) return undefined;
    const decipher = createDecipheriv(CIPHER, this.#key, bytes.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    try {
      const body = decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES));
      return Buffer.concat([body, decipher.final()]).toString('utf8');
    } catch {
      return undefined;
    }
  }

  /** Until the returned function is called, `answer` hands its answer to `onAnswer`, once. */
  waitFor(token: string, onAnswer: (answer: TaskAnswer) => void): () => void {
    this.#waiting.set(token, onAnswer);
    return () => {
      this.#waiting.delete(token);
    };
  }

  /** @returns whether a task was waiting for this token. */
  answer(token: string, answer: TaskAnswer): boolean {
    const onAnswer = this.#waiting.get(token);
    this.#waiting.delete(token);
    onAnswer?.(answer);
    return onAnswer !== undefined;
  }
}
