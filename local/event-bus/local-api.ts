import { describeIssues, type LoopbackReply, type LoopbackRequest } from 'local-server-kit';
import type { Bus } from './bus.ts';
import { disturbanceSchema } from './disturbances.ts';

export const LOCAL_PATH = '/_local/';

const DEFAULT_LIMIT = 100;

/** What the stand-in shows and takes beside EventBridge's own API. README.md lists it. */
export function answerLocal(bus: Bus, { method, target, headers, body }: LoopbackRequest): LoopbackReply {
  const url = new URL(target, 'http://127.0.0.1');
  const [resource = '', name, ...rest] = url.pathname.slice(LOCAL_PATH.length).split('/');
  const route = `${method} ${resource}${name === undefined ? '' : '/name'}`;
  if (rest.length === 0) {
    switch (route) {
      case 'GET events':
        return listEvents(bus, url.searchParams.get('limit'));
      case 'GET dead-letters':
        return json(200, { deadLetters: bus.deadLetters() });
      case 'GET queues/name':
        return listMessages(bus, name ?? '');
      case 'POST disturbances':
        return disturb(bus, headers['content-type'], body);
    }
  }
  return json(404, { message: 'There is nothing with this method and path.' });
}

function listEvents(bus: Bus, limitText: string | null): LoopbackReply {
  const limit = limitText === null ? DEFAULT_LIMIT : Number(limitText);
  if (!Number.isInteger(limit) || limit < 1) return json(400, { message: 'limit must be 1 or more.' });
  return json(200, { events: bus.events(limit) });
}

function listMessages(bus: Bus, encodedName: string): LoopbackReply {
  const messages = bus.messages(decode(encodedName));
  if (messages === undefined) return json(404, { message: 'No rule has a queue of that name.' });
  return json(200, { messages });
}

function disturb(bus: Bus, contentType: string | undefined, body: Buffer): LoopbackReply {
  // A web page can send text without asking, but not JSON.
  if (contentType?.split(';')[0] !== 'application/json') {
    return json(415, { message: 'The content-type must be application/json.' });
  }
  const parsed = disturbanceSchema.safeParse(parse(body));
  if (!parsed.success) return json(400, { message: describeIssues(parsed.error) });
  bus.disturb(parsed.data);
  return json(200, {});
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function json(status: number, body: object): LoopbackReply {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
