/**
 * The backend of the player page, as a game has one: it holds the AWS credentials, which a browser never may, and
 * it knows whose session is whose. It starts sessions at Amazon GameLift Streams and reconnects through the
 * service's API, with the client and the handler of `reconnection-client/backend`.
 */
import {
  type GameLiftStreamsClient,
  GetStreamSessionCommand,
  type GetStreamSessionCommandOutput,
  StartStreamSessionCommand,
} from '@aws-sdk/client-gameliftstreams';
import type { ReconnectionClient, ReconnectionWindow, SessionOfUser } from 'reconnection-client/backend';
import type { StartedSession, WatchedSession } from './messages.ts';

/** The application of the stand-in, which takes any name. */
const APPLICATION = 'a-local0001';
/** Longer than a reload of the page takes, and short enough to be watched. */
const LEAVING_WITHIN_SECONDS = 15;
/** The API takes no fewer. */
const LEAST_LEAVING_SECONDS = 5;

export interface GameBackendOptions {
  /** Amazon GameLift Streams itself. */
  readonly gameLiftStreams: GameLiftStreamsClient;
  /** The service's API. */
  readonly api: ReconnectionClient;
  readonly streamGroupId: string;
}

/** The session is another player's, or nobody's that this backend knows. */
export class NotYourSessionError extends Error {
  override readonly name = 'NotYourSessionError';
}

export class GameBackend {
  readonly #options: GameBackendOptions;
  /** What never changes of a session, so it is asked once. */
  readonly #known = new Map<
    string,
    Pick<GetStreamSessionCommandOutput, 'UserId' | 'ConnectionTimeoutSeconds'>
  >();

  constructor(options: GameBackendOptions) {
    this.#options = options;
  }

  get api(): ReconnectionClient {
    return this.#options.api;
  }

  /** @throws the service's errors by name, as the SDK does */
  async start(
    userId: string,
    signalRequest: string,
    connectionTimeoutSeconds: number,
  ): Promise<StartedSession> {
    const { gameLiftStreams, streamGroupId } = this.#options;
    const { Arn: arn } = await gameLiftStreams.send(
      new StartStreamSessionCommand({
        Identifier: streamGroupId,
        Protocol: 'WebRTC',
        SignalRequest: signalRequest,
        ApplicationIdentifier: APPLICATION,
        UserId: userId,
        ConnectionTimeoutSeconds: connectionTimeoutSeconds,
      }),
    );
    const streamSessionId = arn?.split('/').at(-1);
    if (streamSessionId === undefined) throw new Error('The service has started a session without an ARN.');
    return { streamGroupId, streamSessionId };
  }

  /** @throws NotYourSessionError, and the service's errors by name */
  async session(userId: string, streamSessionId: string): Promise<WatchedSession> {
    const session = await this.#read(streamSessionId);
    const { UserId, ConnectionTimeoutSeconds } = session;
    this.#known.set(streamSessionId, { UserId, ConnectionTimeoutSeconds });
    if (UserId !== userId) throw new NotYourSessionError('The session is another player’s.');
    return {
      status: session.Status ?? 'UNKNOWN',
      ...(session.StatusReason === undefined ? {} : { statusReason: session.StatusReason }),
      // The answer to the player's own first offer; whoever comes later must bring an offer.
      ...(session.Status === 'ACTIVE' && session.SignalResponse !== undefined
        ? { signalResponse: session.SignalResponse }
        : {}),
    };
  }

  /** Returns the session as the API names it. @throws NotYourSessionError */
  async sessionOf(userId: string, streamSessionId: string): Promise<SessionOfUser> {
    await this.#refuseStranger(userId, streamSessionId);
    return { streamGroup: this.#options.streamGroupId, streamSession: streamSessionId, userId };
  }

  /** Returns within how many seconds a closed page must come back: the API takes no more than the session's own timeout. */
  async leavingWithinSeconds(streamSessionId: string): Promise<number> {
    const { ConnectionTimeoutSeconds = LEAVING_WITHIN_SECONDS } = await this.#knownOf(streamSessionId);
    return Math.max(LEAST_LEAVING_SECONDS, Math.min(LEAVING_WITHIN_SECONDS, ConnectionTimeoutSeconds));
  }

  /** Returns undefined before the session's first window. @throws NotYourSessionError */
  async window(userId: string, streamSessionId: string): Promise<ReconnectionWindow | undefined> {
    return this.#options.api.window(await this.sessionOf(userId, streamSessionId));
  }

  close(): void {
    this.#options.gameLiftStreams.destroy();
    this.#options.api.destroy();
  }

  async #refuseStranger(userId: string, streamSessionId: string): Promise<void> {
    const { UserId } = await this.#knownOf(streamSessionId);
    if (UserId !== userId) throw new NotYourSessionError('The session is another player’s.');
  }

  async #knownOf(streamSessionId: string) {
    const known = this.#known.get(streamSessionId);
    if (known !== undefined) return known;
    const { UserId, ConnectionTimeoutSeconds } = await this.#read(streamSessionId);
    const read = { UserId, ConnectionTimeoutSeconds };
    this.#known.set(streamSessionId, read);
    return read;
  }

  #read(streamSessionId: string) {
    return this.#options.gameLiftStreams.send(
      new GetStreamSessionCommand({
        Identifier: this.#options.streamGroupId,
        StreamSessionIdentifier: streamSessionId,
      }),
    );
  }
}
