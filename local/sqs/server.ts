import { createHash } from 'node:crypto';
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
/** Of one batch. */
const MAX_ENTRIES = 10;
/** SQS Developer Guide, "Amazon SQS message quotas": the longest delay of a message, and the largest batch. */
const MAX_DELAY_SECONDS = 900;
const MAX_BATCH_BYTES = 1024 * 1024;

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

const sendSchema = z.strictObject({
  QueueUrl: z.string(),
  Entries: z.array(
    z.strictObject({
      Id: z.string().regex(/^[\w-]{1,80}$/),
      MessageBody: z.string().min(1),
      DelaySeconds: z.int().optional(),
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
 * As much of Amazon SQS's API (AWS JSON 1.0) on 127.0.0.1 as the functions call: ChangeMessageVisibilityBatch and
 * SendMessageBatch. What else sends to the queues and reads them is local too, and needs no API.
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
    if (name === 'ChangeMessageVisibilityBatch') {
      return reply(200, changeVisibility(parseBody(request, changeVisibilitySchema), queues));
    }
    if (name === 'SendMessageBatch') return reply(200, sendMessages(parseBody(request, sendSchema), queues));
    throw new SqsError(
      'com.amazon.coral.service#UnknownOperationException',
      `${nameToTell(name)} is not supported here`,
    );
  } catch (error) {
    if (!(error instanceof SqsError)) throw error;
    return reply(400, { __type: error.errorName, message: error.message });
  }
}

function parseBody<Schema extends z.ZodType>(request: LoopbackRequest, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse(jsonOf(request));
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
  const queue = queueOfBatch('ChangeMessageVisibilityBatchRequestEntry', QueueUrl, Entries, queues);
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

function sendMessages({ QueueUrl, Entries }: z.output<typeof sendSchema>, queues: readonly Queue[]): object {
  const queue = queueOfBatch('SendMessageBatchRequestEntry', QueueUrl, Entries, queues);
  const bytes = Entries.reduce((total, { MessageBody }) => total + Buffer.byteLength(MessageBody), 0);
  if (bytes > MAX_BATCH_BYTES) {
    throw new SqsError(
      'com.amazonaws.sqs#BatchRequestTooLong',
      `Batch requests cannot be longer than ${MAX_BATCH_BYTES} bytes. You have sent ${bytes} bytes.`,
    );
  }
  const isInRange = (seconds = 0) => seconds >= 0 && seconds <= MAX_DELAY_SECONDS;
  return {
    Successful: Entries.filter(({ DelaySeconds }) => isInRange(DelaySeconds)).map(
      ({ Id, MessageBody, DelaySeconds }) => ({
        Id,
        MessageId: queue.send(MessageBody, DelaySeconds),
        MD5OfMessageBody: createHash('md5').update(MessageBody).digest('hex'),
      }),
    ),
    Failed: Entries.filter(({ DelaySeconds }) => !isInRange(DelaySeconds)).map(({ Id, DelaySeconds }) => ({
      Id,
      Code: 'InvalidParameterValue',
      Message: `Value ${DelaySeconds} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= ${MAX_DELAY_SECONDS}.`,
      SenderFault: true,
    })),
  };
}

/** @throws SqsError when the batch is refused as a whole. */
function queueOfBatch(
  entryName: string,
  queueUrl: string,
  entries: readonly { readonly Id: string }[],
  queues: readonly Queue[],
): Queue {
  const queue = queues.find(({ name }) => queueUrl.split('/').at(-1) === name);
  if (queue === undefined) {
    throw new SqsError('com.amazonaws.sqs#QueueDoesNotExist', 'The specified queue does not exist.');
  }
  if (entries.length === 0) {
    throw new SqsError(
      'com.amazonaws.sqs#EmptyBatchRequest',
      `There should be at least one ${entryName} in the request.`,
    );
  }
  if (entries.length > MAX_ENTRIES) {
    throw new SqsError(
      'com.amazonaws.sqs#TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are ${MAX_ENTRIES}. You have sent ${entries.length}.`,
    );
  }
  if (new Set(entries.map(({ Id }) => Id)).size < entries.length) {
    throw new SqsError('com.amazonaws.sqs#BatchEntryIdsNotDistinct', 'Two entries have the same Id.');
  }
  return queue;
}

function reply(status: number, body: object): LoopbackReply {
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body: JSON.stringify(body),
  };
}
