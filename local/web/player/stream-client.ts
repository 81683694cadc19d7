/**
 * A client of the stream with the surface of the GameLift Streams Web SDK, which is not on npm: a bound object
 * makes no second offer, the offer is not held up for candidates, an answer must name `webSdkProtocolUrl`. One
 * thing is left out on purpose: the SDK loads that URL as a script, and this page loads nothing from elsewhere.
 */

import { rewriteAsWebSdk, signalRequestText } from 'game-lift-streams-local/web-sdk-offer';
import type { ClientEvent, StreamClient } from 'reconnection-client';
import * as z from 'zod';

const answerSchema = z.object({ type: z.literal('answer'), sdp: z.string(), webSdkProtocolUrl: z.string() });

const messageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('game'), elapsedMs: z.number(), inputs: z.number() }),
  z.object({ type: z.literal('serverDisconnect'), reason: z.string() }),
]);

export interface GameView {
  readonly elapsedMs: number;
  readonly inputs: number;
}

export interface PeerClientOptions {
  readonly onStream: (stream: MediaStream) => void;
  readonly onGame: (game: GameView) => void;
}

export class PeerClient implements StreamClient {
  readonly #options: PeerClientOptions;
  readonly #connection = new RTCPeerConnection();
  readonly #input: RTCDataChannel;
  #isBound = false;
  #isClosed = false;
  #listener: (event: ClientEvent) => void = () => {};

  constructor(options: PeerClientOptions) {
    this.#options = options;
    this.#input = this.#connection.createDataChannel('inputChannel', { ordered: false, maxRetransmits: 0 });
    const messages = this.#connection.createDataChannel('clientMessageChannel', { ordered: true });
    messages.onmessage = ({ data }) => this.#hear(data);
    this.#connection.addTransceiver('audio', { direction: 'recvonly' });
    this.#connection.addTransceiver('video', { direction: 'recvonly' });
    this.#connection.onconnectionstatechange = () => this.#tellState();
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

  async processSignalResponse(signalResponse: string): Promise<void> {
    const { sdp } = answerSchema.parse(JSON.parse(signalResponse));
    if (!this.#isClosed) await this.#connection.setRemoteDescription({ type: 'answer', sdp });
  }

  listen(listener: (event: ClientEvent) => void): void {
    this.#listener = listener;
    this.#tellState();
  }

  sendInput(): void {
    if (this.#input.readyState === 'open') this.#input.send(JSON.stringify({ type: 'input' }));
  }

  /** Without a word to anybody: neither the backend nor the service is told. */
  close(): void {
    this.#isClosed = true;
    this.#connection.close();
  }

  #tellState(): void {
    if (!this.#isClosed) this.#listener({ type: 'state', state: this.#connection.connectionState });
  }

  #hear(data: unknown): void {
    if (this.#isClosed) return;
    const message = messageSchema.parse(JSON.parse(String(data)));
    if (message.type === 'game') {
      this.#options.onGame(message);
      return;
    }
    this.#listener({ type: 'serverDisconnect', reason: message.reason });
  }
}
