import type { Bundle } from './build.ts';

/** A command of an SDK client, such as `GetItemCommand` of `client-dynamodb`. */
export interface SdkCommand {
  /** The package, such as `@aws-sdk/client-dynamodb`. */
  readonly client: string;
  /** Such as `GetItemCommand`. */
  readonly command: string;
}

/**
 * Every operation that a bundle can call: the SDK has one file for each command, and what nothing reaches is
 * shaken out of the bundle. The clients within the SDK that fetch credentials are not counted.
 */
export function sdkCommands(bundle: Bundle): SdkCommand[] {
  return [...bundle.inputs.keys()].flatMap((path) => {
    const match = /^node_modules\/(@aws-sdk\/[\w-]+)\/dist-es\/commands\/(\w+Command)\.js$/.exec(path);
    const [, client, command] = match ?? [];
    return client === undefined || command === undefined ? [] : [{ client, command }];
  });
}

/** The files in which a bundle's clients are made, such as `functions/shared/clients/table.ts`. */
export function clientFiles(bundle: Bundle): string[] {
  return [...bundle.inputs.keys()].filter((path) => path.startsWith('functions/shared/clients/'));
}
