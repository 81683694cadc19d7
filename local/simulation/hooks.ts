import type { LambdaResult } from 'local-server-kit';
import type { MemoryItems } from '../dynamodb/memory-items.ts';
import type { ServiceFunction } from '../service/service.ts';
import { type SentCommand, sendThrough } from './send-through.ts';

/** A call that a function makes with one of the SDK's clients. */
export interface SdkCall {
  /** The command's class, such as `UpdateCommand`. */
  readonly command: string;
  readonly input: unknown;
  readonly abortSignal: AbortSignal | undefined;
}

/** Stands around what functions in this process do. */
export interface FunctionHooks {
  /** Around each invocation; what it returns is what the invoker sees. */
  readonly invocation?: (fn: ServiceFunction, run: () => Promise<LambdaResult>) => Promise<LambdaResult>;
  /** Around each call, called by the very line that sends it. */
  readonly call?: (call: SdkCall, send: () => Promise<object>) => Promise<object>;
  /** The functions' table, in place of the stack's. */
  readonly items?: MemoryItems;
}

/** The table's client with its items in memory. */
export function inMemory<Client extends { readonly send: unknown }>(
  documents: Client,
  items: MemoryItems,
): Client {
  return sendThrough(documents, async (command, input) => items.answer(command, input));
}

/** A client whose every call goes through the hook. */
export function sendAround<Client extends { readonly send: unknown }>(
  client: Client,
  hook: NonNullable<FunctionHooks['call']>,
): Client {
  const send = (command: SentCommand, options?: { readonly abortSignal?: AbortSignal }) =>
    hook(
      { command: command.constructor.name, input: command.input, abortSignal: options?.abortSignal },
      async () => {
        const original: unknown = client.send;
        if (typeof original !== 'function') throw new TypeError('A client has a method send.');
        const reply: unknown = await Reflect.apply(original, client, [command, options]);
        return typeof reply === 'object' && reply !== null ? reply : {};
      },
    );
  return new Proxy(client, {
    get: (target, name) => (name === 'send' ? send : Reflect.get(target, name, target)),
  });
}
