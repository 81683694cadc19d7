import {
  describeIssues,
  type LoopbackReply,
  type LoopbackRequest,
  nameToTell,
  parseJson,
  type StartServer,
  startLoopbackServer,
} from 'local-server-kit';
import { z } from 'zod';
import type { Queue } from './queue.ts';

const TARGET_PREFIX = 'AmazonSQS.';
const MAX_BODY_BYTES = 1024 * 1024;
/** Of one ChangeMessageVisibilityBatch. */
const MAX_ENTRIES = 10;

export interface SqsOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly queues: readonly Queue[];
  /** The default listens on loopback. */
  readonly startServer?: StartServer;
}

const changeVisibilitySchema = z.strictObject({
  QueueUrl: z.string(),
  Entries: z.array(
    z.strictObject({
      Id: z.string().regex(/^[\w-]{1,80}$/),
      ReceiptHandle: z.string(),
      VisibilityTimeout: z.number(),
    }),
  ),
});

/** SQS answers a request that is wrong as a whole with an error's full name; clients read what comes after the #. */
class SqsError extends Error {
  override readonly name = 'SqsError';
  readonly errorName: string;

  constructor(errorName: string, message: string) {
    super(message);
    this.errorName = errorName;
  }
}

/**
 * As much of Amazon SQS's API (AWS JSON 1.0) on 127.0.0.1 as the functions call: ChangeMessageVisibilityBatch. What
 * sends to the queues and reads them is local too, and needs no API.
 *
 * @throws the system's error (EADDRINUSE, …) when the port cannot be had.
 */
export async function startSqs({ port, queues, startServer = startLoopbackServer }: SqsOptions) {
  const server = await startServer({
    port,
    maxBodyBytes: MAX_BODY_BYTES,
    handle: async (request) => answer(request, queues),
  });
  return { url: server.url, port: server.port, close: () => server.close() };
}

function answer(request: LoopbackRequest, queues: readonly Queue[]): LoopbackReply {
  try {
    const target = request.headers['x-amz-target'];
    const name = typeof target === 'string' ? target.replace(TARGET_PREFIX, '') : '';
    if (name !== 'ChangeMessageVisibilityBatch') {
      throw new SqsError(
        'com.amazon.coral.service#UnknownOperationException',
        `${nameToTell(name)} is not supported here`,
      );
    }
    return reply(200, changeVisibility(parseBody(request), queues));
  } catch (error) {
    if (!(error instanceof SqsError)) throw error;
    return reply(400, { __type: error.errorName, message: error.message });
  }
}

function parseBody(request: LoopbackRequest): z.output<typeof changeVisibilitySchema> {
  const parsed = changeVisibilitySchema.safeParse(jsonOf(request));
  if (parsed.success) return parsed.data;
  throw new SqsError('com.amazon.coral.service#SerializationException', describeIssues(parsed.error));
}

function jsonOf(request: LoopbackRequest): unknown {
  try {
    return parseJson(request.body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function changeVisibility(
  { QueueUrl, Entries }: z.output<typeof changeVisibilitySchema>,
  queues: readonly Queue[],
): object {
  const queue = queues.find(({ name }) => QueueUrl.split('/').at(-1) === name);
  if (queue === undefined) {
    throw new SqsError('com.amazonaws.sqs#QueueDoesNotExist', 'The specified queue does not exist.');
  }
  if (Entries.length === 0) {
    throw new SqsError(
      'com.amazonaws.sqs#EmptyBatchRequest',
      'There should be at least one ChangeMessageVisibilityBatchRequestEntry in the request.',
    );
  }
  if (Entries.length > MAX_ENTRIES) {
    throw new SqsError(
      'com.amazonaws.sqs#TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are ${MAX_ENTRIES}. You have sent ${Entries.length}.`,
    );
  }
  if (new Set(Entries.map(({ Id }) => Id)).size < Entries.length) {
    throw new SqsError('com.amazonaws.sqs#BatchEntryIdsNotDistinct', 'Two entries have the same Id.');
  }
  const results = Entries.map(({ Id, ReceiptHandle, VisibilityTimeout }) => ({
    Id,
    Code: queue.changeVisibility(ReceiptHandle, VisibilityTimeout),
  }));
  return {
    Successful: results.filter(({ Code }) => Code === undefined).map(({ Id }) => ({ Id })),
    Failed: results
      .filter(({ Code }) => Code !== undefined)
      .map(({ Id, Code }) => ({ Id, Code, Message: Code, SenderFault: true })),
  };
}

function reply(status: number, body: object): LoopbackReply {
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body: JSON.stringify(body),
  };
}
