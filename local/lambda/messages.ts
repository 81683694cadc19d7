/** What the runtime in a worker and the service that invokes it say to each other. */
import { z } from 'zod';

export interface FunctionConfiguration {
  readonly name: string;
  readonly bundlePath: string;
  readonly handlerName: string;
  readonly memoryMegabytes: number;
  readonly logGroupName: string;
  readonly logStreamName: string;
}

export interface InvokeMessage {
  /** Counted by the worker's owner: a request id may come twice, as a repeated asynchronous invocation's does. */
  readonly number: number;
  readonly requestId: string;
  readonly invokedFunctionArn: string;
  /** JSON text, as Lambda passes it. */
  readonly payload: string;
  /** On the computer's own clock, which is all that a worker can read at once. */
  readonly deadlineMs: number;
}

const failureSchema = z.object({
  errorType: z.string(),
  errorMessage: z.string(),
  trace: z.array(z.string()).optional(),
});

export const runtimeMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('loaded') }),
  /** The runtime ends after either of these, and every invocation under way with it. */
  z.object({ type: z.literal('loadFailed'), failure: failureSchema }),
  z.object({ type: z.literal('crashed'), failure: failureSchema }),
  z.object({ type: z.literal('succeeded'), number: z.number(), payload: z.string() }),
  z.object({ type: z.literal('failed'), number: z.number(), failure: failureSchema }),
]);
export type RuntimeMessage = z.infer<typeof runtimeMessageSchema>;
