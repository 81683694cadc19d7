import type { SFNClient } from '@aws-sdk/client-sfn';
import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Table } from '../../functions/shared/runtime/table.ts';
import type { SentCommand } from '../../local/simulation/send-through.ts';

/** A client whose commands go through `change` first; what `change` returns instead of sending is the answer. */
function sendingThrough<Client extends { readonly send: unknown }>(
  client: Client,
  change: (command: SentCommand, send: (command: SentCommand) => unknown) => unknown,
): Client {
  const send = (command: SentCommand): unknown => sendOf(client)(command);
  return new Proxy(client, {
    get: (target, name) =>
      name === 'send'
        ? async (command: SentCommand) => change(command, send)
        : Reflect.get(target, name, target),
  });
}

function sendOf(client: { readonly send: unknown }): (command: SentCommand) => unknown {
  const { send } = client;
  if (typeof send !== 'function') throw new TypeError('A client sends commands.');
  return (command) => Reflect.apply(send, client, [command]);
}

/** What a function has that got one condition of its writes wrong. */
export function withCondition<Dependencies extends { readonly table: Table }>(
  dependencies: Dependencies,
  right: string,
  wrong: string,
): Dependencies {
  return withInput(dependencies, (input) => {
    const condition: unknown = Reflect.get(input, 'ConditionExpression');
    return typeof condition === 'string' ? { ConditionExpression: condition.replace(right, wrong) } : {};
  });
}

/** What a function has that writes a wrong value under one of its placeholders. */
export function withValue<Dependencies extends { readonly table: Table }>(
  dependencies: Dependencies,
  placeholder: string,
  wrongOf: (right: unknown) => unknown,
): Dependencies {
  return withInput(dependencies, (input) => {
    const values = Object(Reflect.get(input, 'ExpressionAttributeValues'));
    return placeholder in values
      ? { ExpressionAttributeValues: { ...values, [placeholder]: wrongOf(values[placeholder]) } }
      : {};
  });
}

function withInput<Dependencies extends { readonly table: Table }>(
  dependencies: Dependencies,
  changesOf: (input: object) => object,
): Dependencies {
  const { table } = dependencies;
  const documents = sendingThrough(table.documents, (command, send) => {
    const input = Object(command.input);
    return send({ constructor: command.constructor, input: { ...input, ...changesOf(input) } });
  });
  return { ...dependencies, table: { ...table, documents } };
}

/** What a function has that forgets to write its updates, and goes on with the item as it is. */
export function withoutUpdates<Dependencies extends { readonly table: Table }>(
  dependencies: Dependencies,
): Dependencies {
  const { table } = dependencies;
  const documents = sendingThrough(table.documents, async (command, send) => {
    if (!(command instanceof UpdateCommand)) return send(command);
    const { TableName, Key } = command.input;
    const read = await send(new GetCommand({ TableName, Key, ConsistentRead: true }));
    return { Attributes: Reflect.get(Object(read), 'Item') };
  });
  return { ...dependencies, table: { ...table, documents } };
}

/** What a function has that does not make one of its calls to Step Functions, and takes it for answered. */
export function withoutCall<Dependencies extends { readonly stepFunctions: SFNClient }>(
  dependencies: Dependencies,
  commandName: string,
  answer: object = {},
): Dependencies {
  const stepFunctions = sendingThrough(dependencies.stepFunctions, (command, send) =>
    command.constructor.name === commandName ? answer : send(command),
  );
  return { ...dependencies, stepFunctions };
}
