import type { Answer } from './answers.ts';

/** One accepted CreateStreamSessionConnection. */
export interface ConnectionAttempt {
  readonly acceptedAtMs: number;
  /** When the call has its answer, unless the session ends before. */
  readonly readyAtMs: number;
  readonly clientToken: string | undefined;
  readonly signalRequest: string;
  readonly signalRequestSha256: string;
  readonly answer: Answer;
  outcome: 'underWay' | 'answered' | 'invalidSignalRequest' | 'sessionEnded';
}
