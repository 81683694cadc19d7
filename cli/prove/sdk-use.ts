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
export function sdkCommands(bundle: { readonly inputs: ReadonlyMap<string, number> }): SdkCommand[] {
  return [...bundle.inputs.keys()].flatMap((path) => {
    const match = /^node_modules\/(@aws-sdk\/[\w-]+)\/dist-es\/commands\/(\w+Command)\.js$/.exec(path);
    const [, client, command] = match ?? [];
    return client === undefined || command === undefined ? [] : [{ client, command }];
  });
}

/** How IAM names the service behind each client. */
const IAM_SERVICES: Readonly<Record<string, string>> = {
  '@aws-sdk/client-dynamodb': 'dynamodb',
  '@aws-sdk/client-gameliftstreams': 'gameliftstreams',
  '@aws-sdk/client-sfn': 'states',
  '@aws-sdk/client-eventbridge': 'events',
  '@aws-sdk/client-sqs': 'sqs',
};

/** A batch of changes is authorised as its changes are. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  'sqs:ChangeMessageVisibilityBatch': 'sqs:ChangeMessageVisibility',
};

/** The IAM actions of the calls that a bundle can make. The document client's calls are those of the plain client. */
export function iamActions(bundle: { readonly inputs: ReadonlyMap<string, number> }): string[] {
  const actions = sdkCommands(bundle).flatMap(({ client, command }) => {
    const service = IAM_SERVICES[client];
    if (service === undefined) return [];
    const action = `${service}:${command.replace(/Command$/, '')}`;
    // Comes with the client, for endpoint discovery, which is off.
    if (action === 'dynamodb:DescribeEndpoints') return [];
    return [OTHER_NAMES[action] ?? action];
  });
  return [...new Set(actions)].sort();
}
