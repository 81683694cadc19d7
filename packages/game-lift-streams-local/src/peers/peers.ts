/** Real WebRTC peers for the stand-in: what answers a browser's offer, and what it tells of its client. */

/** What the streamed game shows. It is the session's, not the connection's: it goes on while nobody looks. */
export interface GameState {
  /** Since the application was ready, in milliseconds. */
  readonly elapsedMs: number;
  /** What the player has done so far, over all the connections of the session. */
  readonly inputs: number;
}

/** Why the Web SDK's `serverDisconnect` says that the server hangs up. */
export type DisconnectReason = 'idle' | 'terminated';

export interface PeerListener {
  /** The client has used the answer: media and data flow. */
  connected(): void;
  /** The client is gone, or never came. Nothing follows. Not called after `close`. */
  lost(): void;
  /** The player did something. */
  input(): void;
}

/** One end of one WebRTC connection. */
export interface Peer {
  /** The answer, with all its candidates. */
  readonly sdp: string;
  show(game: GameState): void;
  /** With a reason the client is told before. Closing twice is harmless. */
  close(reason?: DisconnectReason): void;
}

export interface Peers {
  /** @returns undefined for an offer that no peer can answer */
  answer(offerSdp: string, listener: PeerListener): Promise<Peer | undefined>;
  /** Closes every peer, without a word to the clients. */
  close(): Promise<void>;
}
