import type { LoopbackReply, LoopbackRequest } from 'local-server-kit';
import type { Endpoints } from '../stack.ts';

/**
 * What a page may call, and where it goes: the public APIs that its data would come from on AWS. The path after
 * the prefix is passed on as it came.
 */
interface Passage {
  readonly prefix: string;
  readonly endpoint: keyof Endpoints;
  readonly allows: (request: LoopbackRequest, path: string) => boolean;
}

/** The operations that the Step Functions console itself calls. */
const CONSOLE_OPERATIONS = new Set([
  'ListStateMachines',
  'DescribeStateMachine',
  'ListExecutions',
  'DescribeExecution',
  'GetExecutionHistory',
  'StopExecution',
]);

const PASSAGES: readonly Passage[] = [
  {
    prefix: '/step-functions',
    endpoint: 'stepFunctions',
    allows: ({ method, headers }) => {
      const [service, operation = ''] = String(headers['x-amz-target']).split('.');
      return method === 'POST' && service === 'AWSStepFunctions' && CONSOLE_OPERATIONS.has(operation);
    },
  },
  {
    prefix: '/api',
    endpoint: 'api',
    allows: ({ method }, path) => method === 'GET' && path.split('?', 1)[0]?.endsWith('/window') === true,
  },
];

const REQUEST_HEADERS = ['content-type', 'x-amz-target'];
const REPLY_HEADERS = [
  'content-type',
  'x-amzn-errortype',
  'x-reconnection-code',
  'x-amzn-requestid',
  'retry-after',
];

/** @returns the endpoint's reply, or undefined when the request is for none of them. */
export async function passOn(
  request: LoopbackRequest,
  endpoints: Endpoints,
): Promise<LoopbackReply | undefined> {
  const passage = PASSAGES.find(
    ({ prefix }) => request.target === prefix || request.target.startsWith(`${prefix}/`),
  );
  if (passage === undefined) return undefined;
  const path = request.target.slice(passage.prefix.length) || '/';
  if (!passage.allows(request, path)) {
    return { status: 403, headers: { 'content-type': 'text/plain' }, body: 'No page calls this.' };
  }
  try {
    const reply = await fetch(`${endpoints[passage.endpoint]}${path}`, {
      method: request.method,
      headers: REQUEST_HEADERS.flatMap((name): [string, string][] => {
        const value = request.headers[name];
        return typeof value === 'string' ? [[name, value]] : [];
      }),
      // A GET has none; `fetch` refuses one that comes with it.
      ...(request.method === 'GET' ? {} : { body: new Uint8Array(request.body) }),
    });
    return {
      status: reply.status,
      headers: Object.fromEntries(
        REPLY_HEADERS.flatMap((name) => {
          const value = reply.headers.get(name);
          return value === null ? [] : [[name, value]];
        }),
      ),
      body: Buffer.from(await reply.arrayBuffer()),
    };
  } catch {
    const body = `The local stack does not answer at ${endpoints[passage.endpoint]}.`;
    return { status: 502, headers: { 'content-type': 'text/plain' }, body };
  }
}
