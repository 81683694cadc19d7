/**
 * The runtime of one function, in a worker of its own: loads the bundle, then serves invocations.
 *
 * It serves as many at once as come. Lambda never does: each of its environments takes one invocation at a
 * time, and a second one at the same moment gets another environment. So here concurrent invocations share
 * module state (a cache, a client's sockets, a counter of permits) that on Lambda they would not share, share
 * one thread, and are all ended by a crash that on Lambda would end one. In exchange a storm of a thousand
 * invocations needs one worker and not a thousand.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { failureOf, runtimeFailure } from './failures.ts';
import { type Handler, loadHandler } from './load-handler.ts';
import type { FunctionConfiguration, InvokeMessage, RuntimeMessage } from './messages.ts';

function isConfiguration(value: unknown): value is FunctionConfiguration {
  return typeof value === 'object' && value !== null && 'bundlePath' in value;
}

if (!isConfiguration(workerData) || parentPort === null) {
  throw new Error('This file is the body of a worker that local/lambda starts.');
}
const configuration: FunctionConfiguration = workerData;
const port = parentPort;

function say(message: RuntimeMessage): void {
  port.postMessage(message);
}

async function serve(handler: Handler, invocation: InvokeMessage): Promise<void> {
  const { number } = invocation;
  try {
    const event: unknown = JSON.parse(invocation.payload);
    const reply = await handler(event, contextOf(invocation));
    say({ type: 'succeeded', number, payload: serialize(reply) });
  } catch (error) {
    say({ type: 'failed', number, failure: failureOf(error) });
  }
}

function serialize(reply: unknown): string {
  try {
    return JSON.stringify(reply) ?? 'null';
  } catch (cause) {
    // The runtime's own words; the reason (a cycle, a BigInt) is in the function's code.
    throw new Error('Unable to stringify response body', { cause });
  }
}

function contextOf(invocation: InvokeMessage): object {
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: configuration.name,
    functionVersion: '$LATEST',
    invokedFunctionArn: invocation.invokedFunctionArn,
    memoryLimitInMB: String(configuration.memoryMegabytes),
    awsRequestId: invocation.requestId,
    logGroupName: configuration.logGroupName,
    logStreamName: configuration.logStreamName,
    clientContext: undefined,
    identity: undefined,
    getRemainingTimeInMillis: () => Math.max(0, invocation.deadlineMs - Date.now()),
  };
}

process.on('unhandledRejection', (reason) => {
  const message = reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason);
  say({ type: 'crashed', failure: runtimeFailure('Runtime.UnhandledPromiseRejection', message, reason) });
  process.exit(128);
});
process.on('uncaughtException', (error) => {
  say({ type: 'crashed', failure: failureOf(error) });
  process.exit(129);
});

const loaded = await loadHandler(configuration.bundlePath, configuration.handlerName);
if (loaded.ok) {
  port.on('message', (invocation: InvokeMessage) => {
    void serve(loaded.handler, invocation);
  });
  say({ type: 'loaded' });
} else {
  say({ type: 'loadFailed', failure: loaded.failure });
  process.exit(1);
}
