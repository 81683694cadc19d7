import {
  CreateStreamSessionConnectionCommand,
  GameLiftStreamsClient,
  type GameLiftStreamsClientConfig,
  GameLiftStreamsServiceException,
  GetStreamSessionCommand,
  TerminateStreamSessionCommand,
  type TerminateStreamSessionCommandOutput,
} from '@aws-sdk/client-gameliftstreams';
import type { ReconnectionWindow, RefusalCode } from './api.ts';

export interface SessionOfUser {
  /** The id or ARN of the stream group. */
  readonly streamGroup: string;
  /** The id or ARN of the stream session. */
  readonly streamSession: string;
  /** Who asks, as the session's UserId says it, where the API checks that (`userIdCheck`). */
  readonly userId?: string | undefined;
}

export interface ReconnectionClient {
  /** The SDK's client of GameLift Streams on the reconnection API, for every other command. */
  readonly sdk: GameLiftStreamsClient;
  /**
   * Returns the answer to a player's offer.
   *
   * @param options.clientToken names the offer: the same for every repeat of it, 32 to 128 visible ASCII characters. A repeat
   *   with the same token gets the same answer, where the first one was lost on its way.
   * @throws the SDK's errors. `refusalOf` says what a refusal means.
   */
  reconnect(
    session: SessionOfUser,
    signalRequest: string,
    options?: { readonly abortSignal?: AbortSignal; readonly clientToken?: string | undefined },
  ): Promise<string>;
  /**
   * Ends the session on purpose: its window does not count as lost. Harmless when repeated.
   *
   * @param options.endedBy LEFT for its player, which is the default, or OPERATOR
   * @throws as `reconnect` does
   */
  end(session: SessionOfUser, options?: EndOptions): Promise<void>;
  /**
   * Says that the player's page goes away, perhaps for good. Unless a newer offer comes, the API ends the session after
   * `withinSeconds`. A reload looks the same, and its request to connect lifts this.
   *
   * @throws as `reconnect` does
   */
  sayPerhapsLeaving(session: SessionOfUser, leaving: Leaving): Promise<void>;
  /** Returns the session's latest window, or undefined before its first. @throws as `reconnect` does */
  window(session: SessionOfUser): Promise<ReconnectionWindow | undefined>;
  /** Closes the SDK client's connections. */
  destroy(): void;
}

export interface EndOptions {
  readonly endedBy?: 'LEFT' | 'OPERATOR';
}

export interface Leaving {
  /** The token of the connection that goes away. */
  readonly clientToken: string;
  /** 5 s at least, and at most the session's ConnectionTimeoutSeconds. */
  readonly withinSeconds: number;
}

/** Why the API refused a request. */
export interface Refusal {
  readonly status: number;
  /** A code that is not in the type comes from a newer API. */
  readonly code: RefusalCode | (string & {}) | undefined;
  /** The error's type, such as ConflictException. */
  readonly type: string;
  /** When to send the same request again. */
  readonly retryAfterSeconds: number | undefined;
  /** How the session ended, with the code SESSION_ENDED. */
  readonly statusReason: string | undefined;
}

/**
 * Returns a client of the reconnection API: the SDK's own, which signs for `execute-api` as API Gateway wants it. It makes one
 * attempt for each call, because the browser repeats as the API says; give `maxAttempts` to a client without such a browser.
 *
 * @param endpoint the API with its stage, such as https://a1b2c3d4e5.execute-api.us-west-2.amazonaws.com/dev
 *
 * @example
 * const client = createReconnectionClient({ endpoint, region: 'us-west-2' });
 * const answer = await client.reconnect({ streamGroup, streamSession }, offer);
 */
export function createReconnectionClient({
  endpoint,
  ...config
}: GameLiftStreamsClientConfig & { readonly endpoint: string }): ReconnectionClient {
  const sdk = new GameLiftStreamsClient({
    maxAttempts: 1,
    ...config,
    endpoint,
    httpAuthSchemeProvider: (parameters) => [
      {
        schemeId: 'aws.auth#sigv4',
        // It must be `signingName`: `name`, which the SDK's own provider has, would have no effect here.
        signingProperties: { signingName: 'execute-api', signingRegion: parameters.region },
        propertiesExtractor: (clientConfig, context) => ({
          signingProperties: { config: clientConfig, context },
        }),
      },
    ],
  });
  return {
    sdk,
    async reconnect(
      { streamGroup, streamSession, userId },
      signalRequest,
      { abortSignal, clientToken } = {},
    ) {
      const command = new CreateStreamSessionConnectionCommand({
        Identifier: streamGroup,
        StreamSessionIdentifier: streamSession,
        SignalRequest: signalRequest,
        ...(clientToken === undefined ? {} : { ClientToken: clientToken }),
      });
      command.middlewareStack.add(onRequest(setHeader('x-user-id', userId)), BEFORE_SIGNING);
      const { SignalResponse: signalResponse } = await sdk.send(command, {
        ...(abortSignal === undefined ? {} : { abortSignal }),
      });
      // The SDK does not check the types of a reply.
      if (typeof signalResponse !== 'string' || signalResponse === '') {
        throw new Error('The API gave no answer.');
      }
      return signalResponse;
    },
    async end(session, { endedBy } = {}) {
      const command = terminate(session, (request) => {
        setHeader('x-ended-by', endedBy)(request);
      });
      expectNoContent(await sdk.send(command));
    },
    async sayPerhapsLeaving(session, leaving) {
      const body = JSON.stringify(leaving);
      const command = terminate(session, (request) => {
        request.method = 'POST';
        request.path += '/leaving';
        request.body = body;
        request.headers['content-type'] = 'application/json';
        request.headers['content-length'] = String(Buffer.byteLength(body));
      });
      expectNoContent(await sdk.send(command));
    },
    async window({ streamGroup, streamSession }) {
      const command = new GetStreamSessionCommand({
        Identifier: streamGroup,
        StreamSessionIdentifier: streamSession,
      });
      command.middlewareStack.add(
        onRequest((request) => {
          request.path += '/window';
        }),
        BEFORE_SIGNING,
      );
      let body = '';
      command.middlewareStack.add(
        keepBody((text) => {
          body = text;
        }),
        // Nearer to the wire than the SDK's own, whose priority is "normal".
        { step: 'deserialize', name: 'reconnectionReply', priority: 'low' },
      );
      try {
        await sdk.send(command);
      } catch (error) {
        if (refusalOf(error)?.code === 'WINDOW_NOT_FOUND') return undefined;
        throw error;
      }
      // The API's own schema has made it; a type of this package is generated from that schema.
      return JSON.parse(body);
    },
    destroy: () => sdk.destroy(),
  };
}

/** Returns why the API refused, or undefined when the error is no reply of it. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof GameLiftStreamsServiceException) || error.$response === undefined) return undefined;
  const { headers } = error.$response;
  const retryAfter = Number(headers['retry-after']);
  const statusReason: unknown = Reflect.get(error, 'StatusReason');
  return {
    status: error.$response.statusCode,
    code: headers['x-reconnection-code'],
    type: error.name,
    retryAfterSeconds: retryAfter > 0 ? retryAfter : undefined,
    statusReason: typeof statusReason === 'string' ? statusReason : undefined,
  };
}

/** TerminateStreamSession on this API, or with `change` a route whose path begins as its does and that replies 204 as well. */
function terminate(
  { streamGroup, streamSession, userId }: SessionOfUser,
  change: (request: HttpRequest) => void,
): TerminateStreamSessionCommand {
  const command = new TerminateStreamSessionCommand({
    Identifier: streamGroup,
    StreamSessionIdentifier: streamSession,
  });
  command.middlewareStack.add(
    onRequest((request) => {
      setHeader('x-user-id', userId)(request);
      change(request);
    }),
    BEFORE_SIGNING,
  );
  return command;
}

/** A proxy's page is a 200, and would pass for the end of a session that goes on. */
function expectNoContent({ $metadata }: TerminateStreamSessionCommandOutput): void {
  if ($metadata.httpStatusCode !== 204) throw new Error('The reply is not the API’s.');
}

const setHeader =
  (name: string, value: string | undefined) =>
  ({ headers }: HttpRequest): void => {
    if (value !== undefined) headers[name] = value;
  };

const BEFORE_SIGNING = { step: 'build', name: 'reconnectionRequest' } as const;

interface HttpRequest {
  method: string;
  path: string;
  body?: unknown;
  readonly headers: Record<string, string>;
}

interface StreamedReply {
  readonly statusCode: number;
  body: unknown;
}

/** Changes each attempt's request. */
function onRequest(change: (request: HttpRequest) => void) {
  return <Args extends { readonly request: unknown }, Result>(next: (args: Args) => Promise<Result>) =>
    (args: Args): Promise<Result> => {
      if (isHttpRequest(args.request)) change(args.request);
      return next(args);
    };
}

/** Keeps the text of a good reply: the SDK drops members that its model of another operation does not have. */
function keepBody(keep: (text: string) => void) {
  return <Args, Result extends { readonly response: unknown }>(next: (args: Args) => Promise<Result>) =>
    async (args: Args): Promise<Result> => {
      const result = await next(args);
      const { response } = result;
      if (isReply(response) && response.statusCode === 200 && isStream(response.body)) {
        const chunks: Uint8Array[] = [];
        for await (const chunk of response.body) chunks.push(chunk);
        keep(Buffer.concat(chunks).toString('utf8'));
        // A body is read once; the SDK reads this one.
        response.body = new Uint8Array(Buffer.from('{}'));
      }
      return result;
    };
}

function isHttpRequest(request: unknown): request is HttpRequest {
  return (
    typeof request === 'object' &&
    request !== null &&
    'method' in request &&
    'path' in request &&
    'headers' in request
  );
}

function isReply(response: unknown): response is StreamedReply {
  return typeof response === 'object' && response !== null && 'statusCode' in response && 'body' in response;
}

function isStream(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}
