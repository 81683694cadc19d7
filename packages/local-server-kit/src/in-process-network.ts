import {
  HANG_UP,
  type LoopbackReply,
  type LoopbackRequest,
  type LoopbackServer,
  type LoopbackServerOptions,
  type StartServer,
} from './loopback-server.ts';

/** As the SDK's clients make it. */
interface SdkRequest {
  readonly method: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface Sent {
  readonly port: number;
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly abortSignal: AbortSignal | undefined;
}

/** Stands around each request at the server that it goes to. */
export type Serve = (
  request: LoopbackRequest,
  handle: LoopbackServerOptions['handle'],
) => ReturnType<LoopbackServerOptions['handle']>;

/**
 * Servers and clients of one process, without sockets between them: what happens between two timers is promises
 * alone, so the same choices make the same history, whatever else the machine does.
 */
export class InProcessNetwork {
  readonly #handlers = new Map<number, LoopbackServerOptions['handle']>();
  readonly #serve: Serve;
  #lastPort = 0;

  constructor(serve: Serve = (request, handle) => handle(request)) {
    this.#serve = serve;
  }

  readonly startServer: StartServer = async ({ handle }): Promise<LoopbackServer> => {
    const port = ++this.#lastPort;
    this.#handlers.set(port, (request) => this.#serve(request, handle));
    return {
      port,
      url: `http://127.0.0.1:${port}`,
      close: async () => {
        this.#handlers.delete(port);
      },
    };
  };

  /** For the SDK's clients. */
  readonly requestHandler = {
    handle: async (
      { method, port = 0, path, query = {}, headers, body }: SdkRequest,
      { abortSignal }: { readonly abortSignal?: AbortSignal } = {},
    ) => {
      const search = new URLSearchParams();
      for (const [name, value] of Object.entries(query)) {
        for (const one of [value].flat()) search.append(name, one ?? '');
      }
      const target = search.size > 0 ? `${path}?${search}` : path;
      const reply = await this.#send({ port, method, target, headers, body: textOf(body), abortSignal });
      const response = {
        statusCode: reply.status,
        headers: textHeaders(reply),
        body: Buffer.from(reply.body ?? ''),
      };
      return { response };
    },
    destroy: () => {},
    updateHttpClientConfig: () => {},
    httpHandlerConfigs: () => ({}),
  };

  readonly fetch: typeof fetch = async (input, init = {}) => {
    const { port, pathname, search } = new URL(String(input));
    const reply = await this.#send({
      port: Number(port),
      method: init.method ?? 'GET',
      target: `${pathname}${search}`,
      headers: Object.fromEntries(new Headers(init.headers)),
      body: textOf(init.body),
      abortSignal: init.signal ?? undefined,
    });
    return new Response(reply.status === 204 ? null : textOf(reply.body), {
      status: reply.status,
      headers: textHeaders(reply),
    });
  };

  async #send({ port, method, target, headers, body, abortSignal }: Sent): Promise<LoopbackReply> {
    const handle = this.#handlers.get(port);
    if (handle === undefined) throw connectionError('ECONNREFUSED');
    const reply = await unlessAborted(
      handle({
        method,
        target,
        headers: { ...headers, host: `127.0.0.1:${port}` },
        rawHeaders: Object.entries(headers).flat(),
        body: Buffer.from(body),
        ...(abortSignal === undefined ? {} : { callerGone: abortSignal }),
      }),
      abortSignal,
    );
    if (reply === HANG_UP) throw connectionError('ECONNRESET');
    return reply;
  }
}

/** The caller hears nothing more, as on a socket that it has closed; what the server does, it does. */
function unlessAborted<Reply>(reply: Promise<Reply>, abortSignal: AbortSignal | undefined): Promise<Reply> {
  if (abortSignal === undefined) return reply;
  return new Promise((resolve, reject) => {
    const abort = () => reject(Object.assign(new Error('Request aborted'), { name: 'AbortError' }));
    if (abortSignal.aborted) abort();
    else abortSignal.addEventListener('abort', abort, { once: true });
    reply.then(resolve, reject).finally(() => abortSignal.removeEventListener('abort', abort));
  });
}

function textOf(body: unknown): string {
  if (body === undefined || body === null) return '';
  return body instanceof Uint8Array ? new TextDecoder().decode(body) : String(body);
}

function textHeaders({ headers = {} }: LoopbackReply): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name.toLowerCase(), [value].flat().join(', ')]],
    ),
  );
}

function connectionError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
