/**
 * The caller's mistake: becomes a 400 with this message. Messages are the project's own words and name the
 * field; a value never goes into one.
 */
export class InvalidRequestError extends Error {
  override readonly name = 'InvalidRequestError';
}
