/** asl-validator 4.0.0 comes without types. */
declare module 'asl-validator' {
  export interface StateMachineError {
    readonly 'Error code': string;
    readonly Message: string;
    readonly schemaError?: { readonly instancePath: string };
  }
  export default function validator(definition: Record<string, unknown>): {
    readonly isValid: boolean;
    readonly errors: readonly StateMachineError[];
  };
}
