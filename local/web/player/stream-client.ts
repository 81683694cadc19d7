/**
 * A client of the stream with the surface of the GameLift Streams Web SDK, which is not on npm: a bound object
 * makes no second offer, the offer is not held up for candidates, an answer must name `webSdkProtocolUrl`. One
 * thing is left out on purpose: the SDK loads that URL as a script, and this page loads nothing from elsewhere.
 */
import * as z from 'zod';
import { rewriteAsWebSdk, signalRequestText } from '../../../scripts/web-sdk-offer.ts';
import type { ReconnectingClient } from './come-back.ts';

/** Media comes within milliseconds on one machine; a player on the other side of a bad network waits as long. */
const CONNECT_TIMEOUT_MS = 8_000;
/** `disconnected` may heal. */
const DISCONNECTED_GRACE_MS = 2_000;

const answerSchema = z.object({ type: z.literal('answer'), sdp: z.string(), webSdkProtocolUrl: z.string() });

const messageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('game'), elapsedMs: z.number(), inputs: z.number() }),
  z.object({ type: z.literal('serverDisconnect'), reason: z.string() }),
]);

export interface GameView {
  readonly elapsedMs: number;
  readonly inputs: number;
}

export interface StreamClientOptions {
  readonly onStream: (stream: MediaStream) => void;
  readonly onGame: (game: GameView) => void;
  /** The server has hung up: "terminated" or "idle". There is nothing to come back to. */
  readonly onServerDisconnect: (reason: string) => void;
  /** The connection is gone, and not by `close`. */
  readonly onLost: () => void;
}

export class StreamClient implements ReconnectingClient {
  readonly #options: StreamClientOptions;
  readonly #connection = new RTCPeerConnection();
  readonly #input: RTCDataChannel;
  #isBound = false;
  #isClosed = false;
  #isConnected = false;

  constructor(options: StreamClientOptions) {
    this.#options = options;
    this.#input = this.#connection.createDataChannel('inputChannel', { ordered: false, maxRetransmits: 0 });
    const messages = this.#connection.createDataChannel('clientMessageChannel', { ordered: true });
    messages.onmessage = ({ data }) => this.#hear(data);
    this.#connection.addTransceiver('audio', { direction: 'recvonly' });
    this.#connection.addTransceiver('video', { direction: 'recvonly' });
    this.#connection.ontrack = ({ track }) => {
      if (track.kind === 'video') options.onStream(new MediaStream([track]));
    };
  }

  async generateSignalRequest(): Promise<string> {
    if (this.#isBound) throw new Error('Already bound to a stream: close it and create a new instance.');
    this.#isBound = true;
    const { sdp = '' } = await this.#connection.createOffer();
    const rewritten = rewriteAsWebSdk(sdp);
    await this.#connection.setLocalDescription({ type: 'offer', sdp: rewritten });
    return signalRequestText(rewritten);
  }

  async connect(signalResponse: string): Promise<boolean> {
    const { sdp } = answerSchema.parse(JSON.parse(signalResponse));
    if (this.#isClosed) return false;
    const connected = new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), CONNECT_TIMEOUT_MS);
      this.#connection.onconnectionstatechange = () => {
        const { connectionState } = this.#connection;
        if (connectionState === 'connecting') return;
        clearTimeout(timer);
        resolve(connectionState === 'connected');
      };
    });
    await this.#connection.setRemoteDescription({ type: 'answer', sdp });
    this.#isConnected = await connected;
    this.#connection.onconnectionstatechange = () => this.#watch();
    if (this.#isConnected) this.#watch();
    return this.#isConnected;
  }

  sendInput(): void {
    if (this.#input.readyState === 'open') this.#input.send(JSON.stringify({ type: 'input' }));
  }

  /** Without a word to anybody: neither the backend nor the service is told. */
  close(): void {
    this.#isClosed = true;
    this.#connection.close();
  }

  #watch(): void {
    const { connectionState } = this.#connection;
    if (connectionState === 'failed') this.#lose();
    if (connectionState !== 'disconnected') return;
    setTimeout(() => {
      if (this.#connection.connectionState === 'disconnected') this.#lose();
    }, DISCONNECTED_GRACE_MS);
  }

  #lose(): void {
    if (this.#isClosed) return;
    this.close();
    this.#options.onLost();
  }

  #hear(data: unknown): void {
    if (this.#isClosed) return;
    const message = messageSchema.parse(JSON.parse(String(data)));
    if (message.type === 'game') {
      this.#options.onGame(message);
      return;
    }
    this.close();
    this.#options.onServerDisconnect(message.reason);
  }
}
