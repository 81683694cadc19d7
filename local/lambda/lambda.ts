import { resolve } from 'node:path';
import type { Clock, LambdaResult } from 'local-server-kit';
import { randomUuid } from '../shared/random-uuid.ts';
import { workerEnvironment } from './environment.ts';
import { FunctionWorker } from './function-worker.ts';

/** Lambda's limit for the payload of a synchronous invocation, in bytes of UTF-8. */
export const MAX_REQUEST_BYTES = 6 * 1024 * 1024;
/** The reply's is 100 bytes more. */
export const MAX_REPLY_BYTES = MAX_REQUEST_BYTES + 100;

export interface LambdaFunction {
  readonly name: string;
  /** The built bundle; its extension may be left out. */
  readonly bundlePath: string;
  /** The export that is the handler. */
  readonly handlerName: string;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes?: number;
  /** All that the function is configured with, such as `AWS_ENDPOINT_URL_SFN`. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface LambdaOptions {
  readonly functions: readonly LambdaFunction[];
  /** Measures the timeouts. What runs in a bundle has the computer's own clock. */
  readonly clock: Clock;
  /** Each line that a function writes to stdout or stderr. */
  readonly onLog: (functionName: string, line: string) => void;
  readonly random?: () => number;
  readonly region?: string;
  readonly account?: string;
}

export interface InvocationContext {
  /** An asynchronous invocation keeps its id when it is repeated. */
  readonly requestId?: string;
}

export interface LocalLambda {
  /**
   * Invokes by name or ARN, and waits. A function's failure is a result: its own error type, `Runtime.…`,
   * `Sandbox.Timedout`, or `Lambda.…` where Lambda refuses the call itself.
   */
  invoke(functionName: string, payload: unknown, context?: InvocationContext): Promise<LambdaResult>;
  /** Ends every worker at once. */
  close(): Promise<void>;
}

/**
 * Runs built bundles as Lambda would: each function in a worker with an environment of its own, loaded at its
 * first invocation and replaced after a crash or a timeout. `runtime.ts` says how concurrency differs.
 */
export function startLambda(options: LambdaOptions): LocalLambda {
  const { random = Math.random, region = 'us-west-2', account = '123456789012' } = options;
  const hosts = new Map(
    options.functions.map((fn) => [fn.name, createHost(fn, { ...options, random, region, account })]),
  );
  let closed = false;
  return {
    async invoke(functionName, payload, context = {}) {
      const host = hosts.get(nameOf(functionName));
      if (host === undefined)
        return refusal('ResourceNotFoundException', `Function not found: ${functionName}`);
      if (closed) return refusal('ServiceException', 'The local Lambda is closed.');
      // An invocation without a payload gets an empty event.
      const text = JSON.stringify(payload) ?? '{}';
      if (Buffer.byteLength(text) > MAX_REQUEST_BYTES) {
        return refusal(
          'RequestTooLargeException',
          `Request must be smaller than ${MAX_REQUEST_BYTES} bytes for the InvokeFunction operation`,
        );
      }
      return host.invoke(text, context.requestId ?? randomUuid(random));
    },
    async close() {
      closed = true;
      await Promise.all([...hosts.values()].map((host) => host.close()));
    },
  };
}

interface FunctionHost {
  invoke(payload: string, requestId: string): Promise<LambdaResult>;
  close(): Promise<void>;
}

function createHost(fn: LambdaFunction, options: Required<LambdaOptions>): FunctionHost {
  const { region, account, clock, onLog, random } = options;
  const workers = new Set<FunctionWorker>();
  let current: FunctionWorker | undefined;

  function start(): FunctionWorker {
    for (const worker of workers) if (worker.ended) workers.delete(worker);
    const configuration = {
      name: fn.name,
      bundlePath: resolve(fn.bundlePath),
      handlerName: fn.handlerName,
      memoryMegabytes: fn.memoryMegabytes ?? 128,
      logGroupName: `/aws/lambda/${fn.name}`,
      logStreamName: `local/[$LATEST]${randomUuid(random).replaceAll('-', '')}`,
    };
    const worker = new FunctionWorker({
      configuration,
      environment: workerEnvironment(configuration, region, fn.environment),
      timeoutSeconds: fn.timeoutSeconds,
      clock,
      onLog: (line) => onLog(fn.name, line),
    });
    workers.add(worker);
    return worker;
  }

  return {
    async invoke(payload, requestId) {
      if (current === undefined || !current.usable) current = start();
      const invokedFunctionArn = `arn:aws:lambda:${region}:${account}:function:${fn.name}`;
      const result = await current.invoke({ requestId, invokedFunctionArn, payload });
      if (!result.ok) return result;
      if (Buffer.byteLength(result.payload) > MAX_REPLY_BYTES) {
        return {
          ok: false,
          failure: {
            errorType: 'Function.ResponseSizeTooLarge',
            errorMessage: `Response payload size exceeded maximum allowed payload size (${MAX_REPLY_BYTES} bytes).`,
          },
        };
      }
      const reply: unknown = JSON.parse(result.payload);
      return { ok: true, payload: reply };
    },
    async close() {
      await Promise.all([...workers].map((worker) => worker.close()));
    },
  };
}

/** `arn:aws:lambda:<region>:<account>:function:<name>`, with or without a version or alias, or the name. */
function nameOf(nameOrArn: string): string {
  return /^arn:[^:]*:lambda:[^:]*:[^:]*:function:([^:]+)/.exec(nameOrArn)?.[1] ?? nameOrArn;
}

function refusal(exception: string, errorMessage: string): LambdaResult {
  return { ok: false, failure: { errorType: `Lambda.${exception}`, errorMessage } };
}
