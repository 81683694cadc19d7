/** The errors of the Step Functions API that this endpoint gives, by the names in the service's model. */
export type ServiceErrorName =
  | 'ExecutionAlreadyExists'
  | 'ExecutionDoesNotExist'
  | 'InvalidArn'
  | 'InvalidDefinition'
  | 'InvalidExecutionInput'
  | 'InvalidName'
  | 'InvalidOutput'
  | 'InvalidToken'
  | 'SerializationException'
  | 'StateMachineAlreadyExists'
  | 'StateMachineDoesNotExist'
  | 'StateMachineTypeNotSupported'
  | 'TaskDoesNotExist'
  | 'TaskTimedOut'
  | 'ThrottlingException'
  | 'UnknownOperationException'
  | 'ValidationException';

/** A request is refused: all of these are answered with status 400. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly errorName: ServiceErrorName;

  constructor(errorName: ServiceErrorName, message: string) {
    super(message);
    this.errorName = errorName;
  }
}
