import { connect, type Socket } from 'node:net';

export interface RawRequest {
  readonly method: string;
  readonly target: string;
  /** Sent as they are; Host and Content-Length come by themselves unless they are here. */
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string | Buffer;
}

export interface RawReply {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** What a client that checks nothing sends, on a connection of its own. Undefined when it was cut without a reply. */
export async function sendRaw(port: number, request: RawRequest): Promise<RawReply | undefined> {
  const { method, target, headers = [], body = '' } = request;
  const bytes = Buffer.from(body);
  const has = (name: string) => headers.some(([other]) => other.toLowerCase() === name);
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...(has('host') ? [] : [`Host: 127.0.0.1:${port}`]),
    ...(has('content-length') ? [] : [`Content-Length: ${bytes.length}`]),
    'Connection: close',
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ];
  return exchange(port, (socket) => {
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    socket.write(bytes);
  });
}

/** Any bytes at all, and then nothing more: a server cuts a connection that is half closed while it is at work. */
export function sendBytes(port: number, bytes: Buffer): Promise<RawReply | undefined> {
  return exchange(port, (socket) => socket.end(bytes));
}

function exchange(port: number, send: (socket: Socket) => void): Promise<RawReply | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1');
    socket.on('data', (chunk) => chunks.push(chunk));
    // The server may stop reading, and cut, as soon as it knows enough.
    socket.on('error', () => {});
    socket.on('close', () => resolve(replyIn(Buffer.concat(chunks).toString('utf8'))));
    send(socket);
  });
}

function replyIn(text: string): RawReply | undefined {
  const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
  if (status === undefined) return undefined;
  const end = text.indexOf('\r\n\r\n');
  return { status: Number(status), head: text.slice(0, end), body: text.slice(end + 4) };
}
