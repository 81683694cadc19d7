import type { DisconnectReason, Peer, Peers } from '../peers/peers.ts';
import { type Answer, browserOffer, WEB_SDK_PROTOCOL_URL } from './answers.ts';
import { mayBecome, noteInput } from './lifecycle.ts';
import type { StreamSession } from './stream-session.ts';
import type { World } from './world.ts';

/** A peer holds sockets and draws video. Beyond this many at once, answers come from nobody, as without peers. */
const MAX_PEERS = 32;

/** An answer from a real peer, which is kept or let go. */
export interface ClientAnswer {
  readonly answer: Extract<Answer, { kind: 'answer' }>;
  /** The session gives this answer: from now on its peer is the session's, and an earlier one is not. */
  keep(session: StreamSession): void;
  discardUnlessKept(): void;
}

/** A client that has, or may have, an answer from a peer. */
interface Client {
  /** As soon as there is an answer. */
  peer?: Peer;
  /** As soon as the answer is a session's. */
  session?: StreamSession;
  signalResponse?: string;
  isConnected: boolean;
}

/**
 * Connects real WebRTC peers with the sessions of one world. A session's status is its own: peers report, and a
 * report that does not fit the status changes nothing.
 */
export class StreamClients {
  readonly #world: World;
  readonly #peers: Peers;
  readonly #clients = new Set<Client>();
  /** The client with the latest answer, for each session that has one. */
  readonly #latest = new Map<StreamSession, Client>();

  constructor(world: World, peers: Peers) {
    this.#world = world;
    this.#peers = peers;
    world.onChange = (session) => this.#sessionChanges(session);
  }

  /** @returns undefined for a signal request that no browser made, and when there are too many at once */
  async answer(signalRequest: string): Promise<ClientAnswer | undefined> {
    const offer = browserOffer(signalRequest);
    if (offer === undefined || this.#clients.size >= MAX_PEERS) return undefined;
    const client: Client = { isConnected: false };
    this.#clients.add(client);
    const peer = await this.#peers.answer(offer.sdp, {
      connected: () => this.#connects(client),
      input: () => this.#plays(client),
      lost: () => this.#drops(client),
    });
    if (peer === undefined) {
      this.#clients.delete(client);
      return undefined;
    }
    const { sdp } = peer;
    const signalResponse = JSON.stringify({ type: 'answer', sdp, webSdkProtocolUrl: WEB_SDK_PROTOCOL_URL });
    client.peer = peer;
    client.signalResponse = signalResponse;
    let isKept = false;
    return {
      answer: { kind: 'answer', signalResponse },
      keep: (session) => {
        isKept = true;
        this.#keep(client, session);
      },
      discardUnlessKept: () => {
        if (!isKept) this.#hangUp(client);
      },
    };
  }

  hangUpAll(): void {
    for (const client of this.#clients) this.#hangUp(client);
  }

  #keep(client: Client, session: StreamSession): void {
    const earlier = this.#latest.get(session);
    if (earlier !== undefined) this.#hangUp(earlier);
    client.session = session;
    this.#latest.set(session, client);
    this.#show(client, session);
  }

  #connects(client: Client): void {
    const atMs = this.#world.settle();
    const { session } = client;
    const isWelcome =
      session !== undefined &&
      session.signalResponse === client.signalResponse &&
      mayBecome(session, 'CONNECTED');
    if (!isWelcome) {
      this.#hangUp(client);
      return;
    }
    client.isConnected = true;
    this.#world.become(session, { status: 'CONNECTED', atMs });
  }

  #drops(client: Client): void {
    const atMs = this.#world.settle();
    const { session, isConnected } = client;
    this.#hangUp(client);
    if (session !== undefined && isConnected && session.status === 'CONNECTED') {
      this.#world.become(session, { status: 'PENDING_CLIENT_RECONNECTION', atMs });
    }
  }

  #plays({ session, isConnected }: Client): void {
    const atMs = this.#world.settle();
    if (session?.status !== 'CONNECTED' || !isConnected) return;
    noteInput(session, atMs, this.#world.settingsOf(session));
    this.#world.watch(session);
  }

  /** Whatever changed the session: its time, its client, TerminateStreamSession or the control API. */
  #sessionChanges(session: StreamSession): void {
    const client = this.#latest.get(session);
    if (client === undefined) return;
    switch (session.status) {
      case 'TERMINATING':
      case 'TERMINATED':
      case 'ERROR':
        this.#hangUp(client, session.statusReason === 'idleTimeout' ? 'idle' : 'terminated');
        return;
      case 'PENDING_CLIENT_RECONNECTION':
        if (client.isConnected) this.#hangUp(client);
        return;
      case 'CONNECTED':
        // The control API has taken the client away, and the service has not noticed yet.
        if (session.lossNoticedAtMs === undefined) this.#show(client, session);
        else this.#hangUp(client);
        return;
      default:
        this.#show(client, session);
    }
  }

  /** Nothing that the peer tells from now on is heard. Hanging up twice is harmless. */
  #hangUp(client: Client, reason?: DisconnectReason): void {
    const { session, peer } = client;
    this.#clients.delete(client);
    if (session !== undefined && this.#latest.get(session) === client) this.#latest.delete(session);
    client.isConnected = false;
    delete client.session;
    peer?.close(reason);
  }

  #show({ peer }: Client, session: StreamSession): void {
    const ready = session.history.find(({ status }) => status === 'ACTIVE');
    if (ready === undefined) return;
    peer?.show({ elapsedMs: this.#world.nowMs() - ready.atMs, inputs: session.inputs });
  }
}
