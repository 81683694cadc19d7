import type { LambdaResult } from 'local-server-kit';
import type { ClientName } from '../../functions/shared/runtime/definition.ts';
import type { ServiceFunction } from '../service/service.ts';
import type { SentCommand } from './send-through.ts';

/** A call that a function makes with one of the SDK's clients. */
export interface SdkCall {
  readonly client: ClientName;
  /** The command's class, such as `UpdateCommand`. */
  readonly command: string;
  readonly input: unknown;
  readonly abortSignal: AbortSignal | undefined;
}

/** Stands around what functions in this process do. */
export interface FunctionHooks {
  /** Runs before an invocation; what it throws is how the invocation fails. */
  readonly before?: ((functionKey: string, payload: unknown) => void | Promise<void>) | undefined;
  /** Around each invocation; what it returns is what the invoker sees. */
  readonly invocation?:
    | ((fn: ServiceFunction, run: () => Promise<LambdaResult>) => Promise<LambdaResult>)
    | undefined;
  /** Around each call, called by the very line that sends it. */
  readonly call?: ((call: SdkCall, send: () => Promise<object>) => Promise<object>) | undefined;
  /**
   * Around each request on its way, below the SDK: without sockets only.
   *
   * @param target the operation as the protocol names it, or method and path
   */
  readonly request?: (<Reply>(target: string, send: () => Promise<Reply>) => Promise<Reply>) | undefined;
}

/** A client whose every call goes through the hook. */
export function sendAround<Client extends { readonly send: unknown }>(
  name: ClientName,
  client: Client,
  hook: NonNullable<FunctionHooks['call']>,
): Client {
  const send = (command: SentCommand, options?: { readonly abortSignal?: AbortSignal }) =>
    hook(
      {
        client: name,
        command: command.constructor.name,
        input: command.input,
        abortSignal: options?.abortSignal,
      },
      async () => {
        const original: unknown = client.send;
        if (typeof original !== 'function') throw new TypeError('A client has a method send.');
        const reply: unknown = await Reflect.apply(original, client, [command, options]);
        return typeof reply === 'object' && reply !== null ? reply : {};
      },
    );
  return new Proxy(client, {
    get: (target, member) => (member === 'send' ? send : Reflect.get(target, member, target)),
  });
}
