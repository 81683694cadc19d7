/**
 * Runs a function's invocations in execution environments, as Lambda does: an environment runs one invocation at a
 * time and keeps what its process knows for the next one. An invocation that is killed never ends here, so its
 * environment is never used again. An environment shared by all invocations would be kinder or harsher than Lambda: what a
 * killed process had begun to read, the next invocation would wait for.
 */
export class ExecutionEnvironments<Environment> {
  readonly #start: () => Environment;
  readonly #idle: Environment[] = [];

  constructor(start: () => Environment) {
    this.#start = start;
  }

  async run<Result>(invoke: (environment: Environment) => Promise<Result>): Promise<Result> {
    const environment = this.#idle.pop() ?? this.#start();
    try {
      return await invoke(environment);
    } finally {
      this.#idle.push(environment);
    }
  }
}
