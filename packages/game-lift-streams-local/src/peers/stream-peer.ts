import wrtc, { type DataChannel, type RTCPeerConnection } from '@roamhq/wrtc';
import { z } from 'zod';
import { answerForThisMachine } from './answer-sdp.ts';
import type { DisconnectReason, GameState, PeerListener } from './peers.ts';
import { SCENE_HEIGHT, SCENE_WIDTH, Scene } from './scene.ts';

const FRAME_MS = 100;
/** How often the game's state goes over the data channel too, for whoever cannot see the video. */
const TELL_EVERY_FRAMES = 5;

/**
 * How long after a client closed its connection the service is taken to notice. How long it really takes is not
 * documented. ICE notices a client that is cut off after 5 s without a packet; one that closes its end in
 * order is noticed as late, so that a lost client looks the same however it was lost.
 */
const CLOSE_NOTICE_MS = 5_000;

/** What the player does, on the Web SDK's channel for input. */
const inputSchema = z.object({ type: z.literal('input') });

/** The server's end of one WebRTC connection: video of the game, and data channels. */
export class StreamPeer {
  readonly #connection: RTCPeerConnection = new wrtc.RTCPeerConnection();
  readonly #source = new wrtc.nonstandard.RTCVideoSource();
  readonly #track = this.#source.createTrack();
  readonly #scene = new Scene();
  readonly #frame = {
    width: SCENE_WIDTH,
    height: SCENE_HEIGHT,
    data: new Uint8ClampedArray((SCENE_WIDTH * SCENE_HEIGHT * 3) / 2),
  };
  readonly #channels: DataChannel[] = [];
  readonly #listener: PeerListener;
  readonly #closeNoticeMs: number;
  #game: GameState = { elapsedMs: 0, inputs: 0 };
  #gameAsOfMs = performance.now();
  #drawing: NodeJS.Timeout | undefined;
  #noticing: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(listener: PeerListener, closeNoticeMs = CLOSE_NOTICE_MS) {
    this.#listener = listener;
    this.#closeNoticeMs = closeNoticeMs;
    this.#connection.addTrack(this.#track);
    this.#connection.onconnectionstatechange = () => this.#connectionChanges();
    this.#connection.ondatachannel = ({ channel }) => this.#channelOpens(channel);
  }

  /** @throws whatever the library says of an offer that it cannot answer */
  async answer(offerSdp: string): Promise<string> {
    await this.#connection.setRemoteDescription({ type: 'offer', sdp: offerSdp });
    await this.#connection.setLocalDescription(await this.#connection.createAnswer());
    // There are no candidates to send later: the service's answer is complete, so ours is.
    if (this.#connection.iceGatheringState !== 'complete') {
      await new Promise<void>((resolve) => {
        this.#connection.onicegatheringstatechange = () => {
          if (this.#connection.iceGatheringState === 'complete') resolve();
        };
      });
    }
    return answerForThisMachine(this.#connection.localDescription?.sdp ?? '');
  }

  show(game: GameState): void {
    this.#game = game;
    this.#gameAsOfMs = performance.now();
  }

  close(reason?: DisconnectReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#drawing);
    clearTimeout(this.#noticing);
    if (reason !== undefined) this.#tell({ type: 'serverDisconnect', reason });
    this.#track.stop();
    // What was sent last needs a moment to leave.
    setTimeout(() => this.#connection.close(), reason === undefined ? 0 : 200);
  }

  #connectionChanges(): void {
    if (this.#isClosed) return;
    switch (this.#connection.connectionState) {
      case 'connected':
        // The state is told again when a client closes its end; that is no second connection.
        if (this.#drawing !== undefined) return;
        this.#startDrawing();
        this.#listener.connected();
        return;
      case 'disconnected':
      case 'failed':
      case 'closed':
        this.#lose();
    }
  }

  #channelOpens(channel: DataChannel): void {
    this.#channels.push(channel);
    channel.onmessage = ({ data }) => {
      if (inputSchema.safeParse(parseJson(data)).success) this.#listener.input();
    };
    channel.onclose = () => {
      if (this.#isClosed || this.#noticing !== undefined) return;
      this.#noticing = setTimeout(() => this.#lose(), this.#closeNoticeMs);
    };
  }

  #lose(): void {
    if (this.#isClosed) return;
    this.close();
    this.#listener.lost();
  }

  #startDrawing(): void {
    let frames = 0;
    this.#drawing = setInterval(() => {
      const game = this.#gameNow();
      this.#scene.draw(game);
      const { width, height } = this.#frame;
      wrtc.nonstandard.rgbaToI420({ width, height, data: this.#scene.pixels }, this.#frame);
      this.#source.onFrame(this.#frame);
      if (frames++ % TELL_EVERY_FRAMES === 0) this.#tell({ type: 'game', ...game });
    }, FRAME_MS);
  }

  #gameNow(): GameState {
    const { elapsedMs, inputs } = this.#game;
    return { elapsedMs: elapsedMs + performance.now() - this.#gameAsOfMs, inputs };
  }

  #tell(message: object): void {
    const channel = this.#channels.find(({ label }) => label === 'clientMessageChannel');
    if (channel?.readyState === 'open') channel.send(JSON.stringify(message));
  }
}

function parseJson(data: unknown): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    return undefined;
  }
}
