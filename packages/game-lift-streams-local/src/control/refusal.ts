/** A control call that is not carried out. The message goes back to its caller. */
export class ControlRefusal extends Error {
  override readonly name = 'ControlRefusal';
  readonly httpStatus: number;

  constructor(httpStatus: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.httpStatus = httpStatus;
  }
}
