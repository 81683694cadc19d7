import { randomUUID } from 'node:crypto';
import type { LoopbackReply, LoopbackRequest } from 'local-server-kit';
import { perform } from './operations.ts';
import type { ServerContext } from './server-context.ts';
import { ServiceError } from './service-error.ts';

const TARGET_PREFIX = 'AWSStepFunctions.';
/** What the service's errors are called in full; clients read what comes after the #. */
const ERROR_NAMESPACE = 'com.amazonaws.swf.service.v2.model';
/** Throttling comes from the framework that AWS's services are built on, before the service itself. */
const THROTTLING_NAMESPACE = 'com.amazon.coral.availability';

/** AWS JSON 1.0: every operation is a POST to /, named by the x-amz-target header. */
export async function answerRequest(
  context: ServerContext,
  request: LoopbackRequest,
): Promise<LoopbackReply> {
  // Not from the randomness passed in: how many requests come must not move the executions' jitter.
  const requestId = randomUUID();
  try {
    return reply(200, requestId, await perform(context, operationOf(request), parseBody(request)));
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const namespace = error.errorName === 'ThrottlingException' ? THROTTLING_NAMESPACE : ERROR_NAMESPACE;
    const body = { __type: `${namespace}#${error.errorName}`, message: error.message };
    return reply(400, requestId, body);
  }
}

function operationOf(request: LoopbackRequest): string {
  const target = request.headers['x-amz-target'];
  if (request.method !== 'POST' || typeof target !== 'string' || !target.startsWith(TARGET_PREFIX)) {
    throw new ServiceError(
      'UnknownOperationException',
      `This endpoint takes POST requests with an x-amz-target header that begins with ${TARGET_PREFIX}`,
    );
  }
  return target.slice(TARGET_PREFIX.length);
}

function parseBody(request: LoopbackRequest): unknown {
  try {
    return JSON.parse(request.body.toString('utf8'));
  } catch {
    throw new ServiceError('SerializationException', 'The request body is not JSON');
  }
}

function reply(status: number, requestId: string, body: unknown): LoopbackReply {
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': requestId },
    body: JSON.stringify(body),
  };
}
