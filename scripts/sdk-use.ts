import type { Bundle } from './build.ts';

/** A command of an SDK client that a bundle can send. */
export interface SdkCommand {
  /** The package, such as `@aws-sdk/client-sfn`. */
  readonly client: string;
  /** Such as `StartExecutionCommand`. */
  readonly command: string;
}

/**
 * Every command that a bundle can send: the SDK has a file for each, and what nothing reaches has been shaken out.
 * The document client's commands bring the plain ones that they stand for. What the SDK sends by itself to fetch
 * credentials is not among them.
 */
export function sdkCommands(bundle: Bundle): SdkCommand[] {
  return [...bundle.inputs.keys()].flatMap((path) => {
    const match = /^node_modules\/(@aws-sdk\/[\w-]+)\/dist-es\/commands\/(\w+Command)\.js$/.exec(path);
    const [, client, command] = match ?? [];
    return client === undefined || command === undefined ? [] : [{ client, command }];
  });
}
