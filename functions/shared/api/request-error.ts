import type { RefusalCode } from '../contracts/index.ts';

/**
 * The caller's mistake: becomes a 400 with this message and code. Messages are the project's own words and name the
 * field; a value never goes into one.
 */
export class InvalidRequestError extends Error {
  override readonly name = 'InvalidRequestError';
  readonly code: Extract<RefusalCode, 'INVALID_REQUEST' | 'CLIENT_TOKEN_REUSED'>;

  constructor(message: string, code: InvalidRequestError['code'] = 'INVALID_REQUEST') {
    super(message);
    this.code = code;
  }
}
