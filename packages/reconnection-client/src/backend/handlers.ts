import { type ReconnectionClient, refusalOf, type SessionOfUser } from './client.ts';

export interface HandlerOptions<Request> {
  readonly client: ReconnectionClient;
  /**
   * The game's own check of who asks. Returns the session that the signed-in player may come back to, or undefined when there
   * is none: then the request is refused with NOT_THE_USERS_SESSION.
   */
  readonly authorize: (request: Request) => Promise<SessionOfUser | null | undefined>;
  /**
   * Within how many seconds a page that was closed, and did not come back, ends its session: 5 to the session's
   * ConnectionTimeoutSeconds. Without it the session waits for its player for as long as after any loss.
   */
  readonly leavingWithinSeconds?: number | undefined;
  /**
   * Called when `authorize` has failed or the API was not reached, for the game's own log. The browser sees
   * REQUEST_FAILED and nothing of the error. What it throws is dropped: a log that fails must not end the backend.
   */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** What Express gives and takes, as far as it is used. */
export interface ExpressRequest extends AsyncIterable<Uint8Array | string> {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Set where `express.json()` has read the body. */
  readonly body?: unknown;
}

export interface ExpressResponse {
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown;
  end(body: string): unknown;
}

/** The API takes an offer of 64 KiB. JSON text escapes its quotes and line ends. */
const MAX_BODY_CHARACTERS = 2 * 65_536;
/**
 * Node resets a connection whose request is not read to its end, and the browser sees no reply then. So much more is read and
 * dropped, whatever comes; what is longer is not the offer of a browser.
 */
const MAX_DROPPED_BYTES = 4 * 1_048_576;
/** The API replies within 29 s. */
const REPLY_MS = 33_000;
/** As the service takes them. */
const CLIENT_TOKEN = /^[\x21-\x7e]{32,128}$/;
/** The quota of terminations is shared, so an end may be told to wait; the player is gone and does not repeat it. */
const MAX_END_TRIES = 4;
const MAX_END_WAIT_SECONDS = 5;

interface Reply {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Returns a handler for servers in the style of `fetch`: Hono, Next.js route handlers, Deno. It stands between the browser, which has no
 * AWS credentials, and the API. It never rejects because of what the caller sends.
 *
 * @example
 * app.post('/api/sessions/:id/connections', (context) => connections(context.req.raw));
 */
export function fetchHandler(options: HandlerOptions<Request>): (request: Request) => Promise<Response> {
  return async (request) => {
    const { headers, body } = await replyTo(request, request.headers.get('content-type'), options, () =>
      readText(request.body ?? [], 0),
    );
    return new Response(body, { headers });
  };
}

/**
 * Returns a handler for Express, and for every server whose requests are Node's own.
 *
 * @example
 * app.post('/api/sessions/:id/connections', expressHandler({ client, authorize }));
 */
export function expressHandler<Request extends ExpressRequest>(
  options: HandlerOptions<Request>,
): (request: Request, response: ExpressResponse) => Promise<void> {
  return async (request, response) => {
    const { headers, body } = await replyTo(
      request,
      String(request.headers['content-type']),
      options,
      async () =>
        request.body === undefined ? readText(request, MAX_DROPPED_BYTES) : JSON.stringify(request.body),
    );
    response.writeHead(200, headers);
    response.end(body);
  };
}

async function replyTo<Request>(
  request: Request,
  contentType: string | null,
  options: HandlerOptions<Request>,
  readBody: () => Promise<string | undefined>,
): Promise<Reply> {
  const { authorize, onError } = options;
  try {
    // A page of another site cannot send this type without asking first.
    if (!contentType?.startsWith('application/json')) return refused(400, 'INVALID_REQUEST');
    const text = await readBody();
    if (text === undefined || text.length > MAX_BODY_CHARACTERS) return refused(413, 'HTTP_413');
    const asked = askedIn(text);
    if (asked === undefined) return refused(400, 'INVALID_REQUEST');
    const session = await authorize(request);
    // A backend in JavaScript may return null.
    if (!session) return refused(403, 'NOT_THE_USERS_SESSION');
    return { headers: HEADERS, body: JSON.stringify(await askApi(asked, session, options)) };
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) {
      // An async log rejects later, and Node ends a process at a rejection without a handler.
      (async () => onError?.(error))().catch(() => {});
      // Without Retry-After: it may be all players that fail, and each browser backs off with jitter then.
      return refused(502, 'REQUEST_FAILED');
    }
    const { status, code = `HTTP_${status}`, ...more } = refusal;
    return refused(status, code, more);
  }
}

/** Answers are for the one who asked. */
const HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' };

/**
 * A refusal is a 200, because a browser writes every 4xx and 5xx to its console, and proxies replace their bodies.
 */
function refused(
  status: number,
  code: string,
  more: {
    readonly type?: string;
    readonly retryAfterSeconds?: number | undefined;
    readonly statusReason?: string | undefined;
  } = {},
): Reply {
  const { retryAfterSeconds } = more;
  return {
    headers: {
      ...HEADERS,
      'x-reconnection-code': code,
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    },
    body: JSON.stringify({ status, code, ...more }),
  };
}

/** What the browser wants of its session. */
type Asked =
  | { readonly kind: 'connect'; readonly signalRequest: string; readonly clientToken: string | undefined }
  | { readonly kind: 'end' }
  | { readonly kind: 'leaving'; readonly clientToken: string };

/** Returns the reply's body. @throws as the client does */
async function askApi(
  asked: Asked,
  session: SessionOfUser,
  { client, leavingWithinSeconds }: Pick<HandlerOptions<never>, 'client' | 'leavingWithinSeconds'>,
): Promise<object> {
  switch (asked.kind) {
    case 'connect': {
      const { signalRequest, clientToken } = asked;
      const abortSignal = AbortSignal.timeout(REPLY_MS);
      return { SignalResponse: await client.reconnect(session, signalRequest, { abortSignal, clientToken }) };
    }
    case 'end':
      await endWithRepeats(client, session);
      return { Ended: true };
    case 'leaving': {
      const { clientToken } = asked;
      const isOffered = leavingWithinSeconds !== undefined;
      if (isOffered) {
        await client.sayPerhapsLeaving(session, { clientToken, withinSeconds: leavingWithinSeconds });
      }
      return { Leaving: isOffered };
    }
  }
}

/** Repeats an end as the API says. @throws as the client does, at the last try */
async function endWithRepeats(client: ReconnectionClient, session: SessionOfUser): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await client.end(session);
    } catch (error) {
      const seconds = refusalOf(error)?.retryAfterSeconds;
      if (seconds === undefined || seconds > MAX_END_WAIT_SECONDS || tries === MAX_END_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000 * (1 + Math.random())));
    }
  }
}

function askedIn(text: string): Asked | undefined {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== 'object' || body === null) return undefined;
    const { SignalRequest: signalRequest, ClientToken: token, End: end, Leaving: leaving } = membersOf(body);
    const clientToken = typeof token === 'string' && CLIENT_TOKEN.test(token) ? token : undefined;
    if (token !== undefined && clientToken === undefined) return undefined;
    if (typeof signalRequest === 'string' && signalRequest !== '') {
      return { kind: 'connect', signalRequest, clientToken };
    }
    if (end === true) return { kind: 'end' };
    return leaving === true && clientToken !== undefined ? { kind: 'leaving', clientToken } : undefined;
  } catch {
    return undefined;
  }
}

function membersOf(body: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(body));
}

/**
 * Returns the body, or undefined when it is too long.
 *
 * @param maxDropped how much of a longer body is read all the same, in bytes.
 */
async function readText(
  body: Iterable<never> | AsyncIterable<Uint8Array | string>,
  maxDropped: number,
): Promise<string | undefined> {
  let text = '';
  let dropped = 0;
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    if (text.length <= MAX_BODY_CHARACTERS) {
      text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    } else {
      dropped += chunk.length;
    }
    if (text.length > MAX_BODY_CHARACTERS && dropped >= maxDropped) return undefined;
  }
  return text + decoder.decode();
}
