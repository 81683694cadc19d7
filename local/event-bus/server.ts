import {
  type Clock,
  type InvokeLambda,
  type LoopbackReply,
  type LoopbackRequest,
  nameToTell,
  type StartServer,
  startLoopbackServer,
} from 'local-server-kit';
import type { Rule } from '../service/service.ts';
import { randomUuid } from '../shared/random-uuid.ts';
import type { Queue } from '../sqs/queue.ts';
import { Bus } from './bus.ts';
import type { Disturbance } from './disturbances.ts';
import { answerLocal, LOCAL_PATH } from './local-api.ts';
import { acceptEntries, envelopeOf } from './put-events.ts';
import { ServiceError } from './service-error.ts';

export type { DeadLetter, EventRecord, QueueMessage } from './bus.ts';
export type { Disturbance } from './disturbances.ts';
export { InvalidEventPatternException } from './pattern/invalid-pattern.ts';

const TARGET_PREFIX = 'AWSEvents.';
/** 256 KB of entries, every character of them escaped. */
const MAX_BODY_BYTES = 2 * 1024 * 1024;

export interface EventBusOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly rules: readonly Rule[];
  /** Those that the rules send to, and those that people look into. */
  readonly queues?: readonly Queue[];
  readonly invokeLambda: InvokeLambda;
  readonly account: string;
  readonly region: string;
  /** The default listens on loopback. */
  readonly startServer?: StartServer;
}

/** What a service of AWS sends to the account's default bus. Its source begins with `aws.`, so nobody else can. */
export interface ServiceEvent {
  readonly source: `aws.${string}`;
  readonly detailType: string;
  readonly resources: readonly string[];
  readonly detail: object;
}

export interface EventBusServer {
  readonly url: string;
  readonly port: number;
  publishServiceEvent(event: ServiceEvent): void;
  /** Deliveries to come are made twice, late or in reverse, as `POST /_local/disturbances` has it. */
  disturb(disturbance: Disturbance): void;
  /** Resolves when no invocation is under way; repeats that wait for their time do not count. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Amazon EventBridge's PutEvents on 127.0.0.1, with the rules of one service. README.md says what it promises.
 *
 * @throws InvalidEventPatternException that names the rule and path of a pattern it does not know whole.
 * @throws the system's error (EADDRINUSE, …) when the port cannot be had.
 */
export async function startEventBus(options: EventBusOptions): Promise<EventBusServer> {
  const { clock, random, rules, invokeLambda, account, region } = options;
  const { startServer = startLoopbackServer } = options;
  const bus = new Bus(rules, options.queues ?? [], clock, invokeLambda);
  const newId = () => randomUuid(random);

  const putEvents = (request: unknown): object => {
    const { results, accepted } = acceptEntries(request, { account, region, nowMs: clock.nowMs(), newId });
    for (const event of accepted) bus.publish(event);
    return { FailedEntryCount: results.length - accepted.length, Entries: results };
  };

  const server = await startServer({
    port: options.port,
    maxBodyBytes: MAX_BODY_BYTES,
    handle: async (request) =>
      request.target.startsWith(LOCAL_PATH)
        ? answerLocal(bus, request)
        : answerService(request, newId(), putEvents),
  });
  return {
    url: server.url,
    port: server.port,
    publishServiceEvent: ({ source, detailType, resources, detail }) =>
      bus.publishServiceEvent(
        envelopeOf(
          { source, detailType, resources, detail: { ...detail } },
          { account, region, nowMs: clock.nowMs(), newId },
        ),
      ),
    disturb: (disturbance) => bus.disturb(disturbance),
    idle: () => bus.idle(),
    close: () => {
      bus.close();
      return server.close();
    },
  };
}

/** AWS JSON 1.1: every operation is a POST to /, named by the x-amz-target header. */
function answerService(
  request: LoopbackRequest,
  requestId: string,
  putEvents: (request: unknown) => object,
): LoopbackReply {
  try {
    const operation = operationOf(request);
    if (operation !== 'PutEvents') {
      throw new ServiceError(
        'UnknownOperationException',
        `The local stand-in for EventBridge does not implement ${nameToTell(operation)}.`,
      );
    }
    return reply(200, requestId, putEvents(parseBody(request.body)));
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return reply(400, requestId, { __type: error.type, message: error.message });
  }
}

function operationOf({ method, headers }: LoopbackRequest): string {
  const target = headers['x-amz-target'];
  if (method !== 'POST' || typeof target !== 'string' || !target.startsWith(TARGET_PREFIX)) {
    throw new ServiceError(
      'UnknownOperationException',
      `EventBridge takes POST requests with an x-amz-target header that begins with ${TARGET_PREFIX}`,
    );
  }
  return target.slice(TARGET_PREFIX.length);
}

function parseBody(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new ServiceError('SerializationException', 'The request body is not JSON.');
  }
}

function reply(status: number, requestId: string, body: object): LoopbackReply {
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': requestId },
    body: JSON.stringify(body),
  };
}
