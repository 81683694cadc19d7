/** What a client's `send` gets: a command with its input. */
export interface SentCommand {
  readonly constructor: { readonly name: string };
  readonly input: unknown;
}

/**
 * An SDK client whose calls all go to `answer` instead, without the SDK's own work on them: for checks that make
 * hundreds of thousands of calls.
 */
export function sendThrough<Client extends { readonly send: unknown }>(
  client: Client,
  answer: (commandName: string, input: unknown) => Promise<object>,
): Client {
  const send = (command: SentCommand) => answer(command.constructor.name, command.input);
  return new Proxy(client, {
    get: (target, name) => (name === 'send' ? send : Reflect.get(target, name, target)),
  });
}
