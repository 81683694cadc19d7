/** EventBridge's own error for a rule whose pattern it does not accept. */
export class InvalidEventPatternException extends Error {
  override readonly name = 'InvalidEventPatternException';
  readonly path: string;

  constructor(path: string, reason: string) {
    super(`Event pattern is not valid. Reason: ${reason} at ${path}`);
    this.path = path;
  }
}
