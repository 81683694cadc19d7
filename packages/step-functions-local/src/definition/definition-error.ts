/** One thing that is wrong in a definition, with where it is: `/States/Foo/HeartbeatSeconds`. */
export interface DefinitionError {
  readonly path: string;
  readonly message: string;
}
