import { access } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import type { LambdaFailure } from 'local-server-kit';
import { failureOf, runtimeFailure } from './failures.ts';

export type Handler = (event: unknown, context: object) => unknown;

export type LoadedHandler =
  | { readonly ok: true; readonly handler: Handler }
  | { readonly ok: false; readonly failure: LambdaFailure };

/**
 * Loads a handler as the Node.js 24 runtime does, and fails with the runtime's error types. The path may lack
 * its extension, as a function's `handler` setting does.
 */
export async function loadHandler(bundlePath: string, handlerName: string): Promise<LoadedHandler> {
  const file = await findModule(bundlePath);
  if (file === undefined) {
    const message = `Error: Cannot find module '${bundlePath}'`;
    return { ok: false, failure: runtimeFailure('Runtime.ImportModuleError', message) };
  }
  let module: unknown;
  try {
    module = await import(pathToFileURL(file).href);
  } catch (error) {
    return { ok: false, failure: loadFailure(error) };
  }
  const handler = memberOf(module, handlerName) ?? memberOf(memberOf(module, 'default'), handlerName);
  if (handler === undefined) {
    const message = `${bundlePath}.${handlerName} is undefined or not exported`;
    return { ok: false, failure: runtimeFailure('Runtime.HandlerNotFound', message) };
  }
  if (!isHandler(handler)) {
    const message = `${bundlePath}.${handlerName} is not a function`;
    return { ok: false, failure: runtimeFailure('Runtime.HandlerNotFound', message) };
  }
  // From Node.js 24 on the runtime tells callback handlers by their third parameter, and refuses them.
  if (handler.length > 2) {
    const message =
      'AWS Lambda has removed support for callback-based function handlers starting with Node.js 24.';
    return { ok: false, failure: runtimeFailure('Runtime.CallbackHandlerDeprecated', message) };
  }
  return { ok: true, handler };
}

async function findModule(path: string): Promise<string | undefined> {
  for (const extension of ['', '.js', '.mjs', '.cjs']) {
    try {
      await access(`${path}${extension}`);
      return `${path}${extension}`;
    } catch {
      // Not this extension.
    }
  }
  return undefined;
}

/** What a module throws while it loads keeps its own type; only what is missing or unreadable is renamed. */
function loadFailure(error: unknown): LambdaFailure {
  if (error instanceof SyntaxError) {
    return runtimeFailure('Runtime.UserCodeSyntaxError', `SyntaxError: ${error.message}`, error);
  }
  const code = memberOf(error, 'code');
  if (error instanceof Error && (code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND')) {
    return runtimeFailure('Runtime.ImportModuleError', `Error: ${error.message}`, error);
  }
  return failureOf(error);
}

function memberOf(value: unknown, name: string): unknown {
  return (typeof value === 'object' || typeof value === 'function') && value !== null
    ? Reflect.get(value, name)
    : undefined;
}

function isHandler(value: unknown): value is Handler {
  return typeof value === 'function';
}
