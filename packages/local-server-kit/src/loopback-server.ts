import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';

export interface LoopbackRequest {
  readonly method: string;
  /** Path and query as they came, still encoded: an ARN's slash must stay `%2F` until a route has matched. */
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
  /** Names and values in turn, as they came: repeated headers are not joined, names keep their case. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** Aborts when the caller gives up before there is a reply. */
  readonly callerGone?: AbortSignal;
}

export interface LoopbackReply {
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
}

/** What a handler returns to close the connection without a word, as a lost reply does. */
export const HANG_UP = Symbol('hang up');

export interface LoopbackServerOptions {
  /** 0 takes any free port. */
  readonly port: number;
  /** Larger bodies are answered 413 without being read. */
  readonly maxBodyBytes: number;
  /** The body and headers of that 413, where the protocol has a shape for it. */
  readonly tooLarge?: () => Pick<LoopbackReply, 'headers' | 'body'>;
  readonly handle: (request: LoopbackRequest) => Promise<LoopbackReply | typeof HANG_UP>;
}

export interface LoopbackServer {
  readonly port: number;
  readonly url: string;
  /** Closes at once: open connections are cut. */
  close(): Promise<void>;
}

export type StartServer = (options: LoopbackServerOptions) => Promise<LoopbackServer>;

/**
 * Starts an HTTP server for this machine only. It listens on 127.0.0.1. It refuses any Host header that is not
 * loopback, so that a web page cannot reach it through a name that resolves here (DNS rebinding), and any request that a page of
 * another site sends.
 *
 * @throws the system's error (EADDRINUSE, …) when the port cannot be had.
 */
export async function startLoopbackServer(options: LoopbackServerOptions): Promise<LoopbackServer> {
  const server = createServer((request, response) => {
    const callerGone = new AbortController();
    response.once('close', () => callerGone.abort());
    answer(request, options, callerGone.signal)
      .catch((): LoopbackReply => ({ status: 500, body: FAILED }))
      .then((reply) => {
        if (reply === HANG_UP) {
          request.socket.destroy();
          return;
        }
        write(reply, response);
      })
      // A reply that cannot be sent, such as one with a header of two lines, must not end the process.
      .catch((error: unknown) => {
        console.error(error);
        if (response.headersSent) response.destroy();
        else response.writeHead(500).end(FAILED);
      });
  });
  const port = await listen(server, options.port);
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const FAILED = 'The local server failed; its terminal says why.';

function write({ status, headers, body }: LoopbackReply, response: ServerResponse): void {
  response.writeHead(status, headers);
  response.end(body);
}

async function answer(
  request: IncomingMessage,
  options: LoopbackServerOptions,
  callerGone: AbortSignal,
): Promise<LoopbackReply | typeof HANG_UP> {
  if (!isLoopbackHost(request.headers.host)) {
    return { status: 421, body: 'This server answers to 127.0.0.1, localhost and [::1] only.' };
  }
  if (!isOwnOrigin(request.headers)) {
    return { status: 403, body: 'Only the pages of this server may call it.' };
  }
  const body = await readBody(request, options.maxBodyBytes);
  if (body === undefined) {
    const { headers, body: text = 'The request body is too large.' } = options.tooLarge?.() ?? {};
    return { status: 413, headers: { ...headers, connection: 'close' }, body: text };
  }
  const { method = 'GET', url: target = '/', headers, rawHeaders } = request;
  try {
    return await options.handle({ method, target, headers, rawHeaders, body, callerGone });
  } catch (error) {
    console.error(error);
    throw error;
  }
}

/** Whether a Host header names this machine only. */
export function isLoopbackHost(host: string | undefined): boolean {
  return host !== undefined && /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i.test(host);
}

/**
 * Whether no page of another site sent the request. A page can send simple requests to any server through its visitor's
 * browser, which then names the page's site in `Origin`; a program that is no browser sends none.
 */
export function isOwnOrigin({ host, origin }: IncomingMessage['headers']): boolean {
  return origin === undefined || origin === `http://${host}`;
}

async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    bytes += buffer.length;
    if (bytes > maxBytes) return undefined;
    chunks.push(buffer);
  }
  return Buffer.concat(chunks);
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      const address = server.address();
      if (address === null || typeof address === 'string') {
        reject(new Error('The server has no port: it does not listen on a network address.'));
        return;
      }
      resolve(address.port);
    });
  });
}
