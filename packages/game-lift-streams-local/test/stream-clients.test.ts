import { expect, it } from 'vitest';
import type { DisconnectReason, GameState, PeerListener, Peers } from '../src/peers/peers.ts';
import { idIn, start } from './harness.ts';

/** A peer that does what the test says instead of a network. */
class ScriptedPeer {
  readonly sdp: string;
  readonly client: PeerListener;
  readonly shown: GameState[] = [];
  closed: DisconnectReason | 'without a word' | undefined;

  constructor(sdp: string, client: PeerListener) {
    this.sdp = sdp;
    this.client = client;
  }

  show(game: GameState): void {
    this.shown.push(game);
  }

  close(reason?: DisconnectReason): void {
    this.closed ??= reason ?? 'without a word';
  }
}

class ScriptedPeers implements Peers {
  readonly all: ScriptedPeer[] = [];
  canAnswer = true;
  isClosed = false;

  async answer(_offerSdp: string, client: PeerListener): Promise<ScriptedPeer | undefined> {
    if (!this.canAnswer) return undefined;
    const peer = new ScriptedPeer(`v=0\r\ns=peer ${this.all.length}\r\n`, client);
    this.all.push(peer);
    return peer;
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  /** The peer of the nth answer, the first being 0. */
  at(index: number): ScriptedPeer {
    const peer = this.all[index];
    if (peer === undefined) throw new Error(`There are ${this.all.length} peers, and none at ${index}.`);
    return peer;
  }
}

let offers = 0;

/** An offer with a fingerprint, as a browser's has. */
function aBrowserOffer(): string {
  return JSON.stringify({ type: 'offer', sdp: `v=0\r\ns=${++offers}\r\na=fingerprint:sha-256 00\r\n` });
}

/** A session that a browser has started, and whose game is ready. */
async function aStartedSession() {
  const peers = new ScriptedPeers();
  const world = await start({ peers, connectionMs: 0 });
  const { Arn } = await world.startSession({ SignalRequest: aBrowserOffer(), ConnectionTimeoutSeconds: 60 });
  const id = idIn(Arn);
  await world.clock.advance(3_000);
  await world.get(id);
  return { ...world, peers, id, statusOf: async () => (await world.get(id)).Status };
}

it('gives the answer of a peer to an offer from a browser, and is CONNECTED when the peer is', async () => {
  const { peers, id, get, statusOf } = await aStartedSession();
  expect((await get(id)).SignalResponse).toContain('s=peer 0');
  expect(await statusOf()).toBe('ACTIVE');

  peers.at(0).client.connected();

  expect(await statusOf()).toBe('CONNECTED');
});

it('waits for a client when the peer loses it', async () => {
  const { peers, statusOf } = await aStartedSession();
  peers.at(0).client.connected();

  peers.at(0).client.lost();

  expect(await statusOf()).toBe('PENDING_CLIENT_RECONNECTION');
});

it('stays ACTIVE when a client is lost before it ever connected', async () => {
  const { peers, statusOf } = await aStartedSession();

  peers.at(0).client.lost();

  expect(await statusOf()).toBe('ACTIVE');
});

it('lets the game of a session go on while nobody is connected, for the next peer to show', async () => {
  const { clock, peers, id, beginConnection } = await aStartedSession();
  peers.at(0).client.connected();
  peers.at(0).client.input();
  peers.at(0).client.input();
  await clock.advance(7_000);
  peers.at(0).client.lost();
  await clock.advance(20_000);

  await beginConnection(id, aBrowserOffer());

  expect(peers.at(1).shown.at(-1)).toEqual({ elapsedMs: 27_000, inputs: 2 });
});

it('lets only the client with the latest answer in', async () => {
  const { peers, id, beginConnection, statusOf } = await aStartedSession();
  await beginConnection(id, aBrowserOffer());

  peers.at(0).client.connected();
  expect(await statusOf()).toBe('ACTIVE');
  peers.at(1).client.connected();

  expect(await statusOf()).toBe('CONNECTED');
  expect(peers.at(0).closed).toBe('without a word');
});

it('hears nothing more of a client that has lost its session to a newer one', async () => {
  const { peers, id, beginConnection, statusOf } = await aStartedSession();
  await beginConnection(id, aBrowserOffer());
  peers.at(1).client.connected();

  peers.at(0).client.lost();
  peers.at(0).client.input();

  expect(await statusOf()).toBe('CONNECTED');
});

it('makes one peer for a call that is repeated with its ClientToken', async () => {
  const { peers, id, beginConnection } = await aStartedSession();
  const offer = aBrowserOffer();
  const token = 'repeated'.padEnd(32, '-');

  const first = await beginConnection(id, offer, token);
  const second = await beginConnection(id, offer, token);

  expect(second.SignalResponse).toBe(first.SignalResponse);
  expect(peers.at(1).closed).toBeUndefined();
  // The one that was asked in vain has been let go.
  expect(peers.at(2).closed).toBe('without a word');
});

it('lets the peer go whose call is refused', async () => {
  const { peers, id, beginConnection } = await aStartedSession();
  peers.at(0).client.connected();

  await expect(beginConnection(id, aBrowserOffer())).rejects.toThrow('CONNECTED');

  expect(peers.at(1).closed).toBe('without a word');
  expect(peers.at(0).closed).toBeUndefined();
});

it.each([
  ['terminated', 'by the API', async (s: Awaited<ReturnType<typeof aStartedSession>>) => s.terminate(s.id)],
  [
    'terminated',
    'by its application',
    async (s: Awaited<ReturnType<typeof aStartedSession>>) => s.control.applicationExits(s.id),
  ],
  [
    'idle',
    'after an hour without input',
    async (s: Awaited<ReturnType<typeof aStartedSession>>) => {
      await s.clock.advance(60 * 60_000);
      await s.get(s.id);
    },
  ],
] as const)('tells the client "%s" when the session is ended %s', async (reason, _how, end) => {
  const session = await aStartedSession();
  session.peers.at(0).client.connected();

  await end(session);

  expect(session.peers.at(0).closed).toBe(reason);
});

it('takes input for a reason to stay awake', async () => {
  const { clock, peers, statusOf } = await aStartedSession();
  peers.at(0).client.connected();
  await clock.advance(59 * 60_000);

  peers.at(0).client.input();
  await clock.advance(2 * 60_000);

  expect(await statusOf()).toBe('CONNECTED');
});

it('cuts the client off when the control API says that it has dropped', async () => {
  const { peers, id, control, statusOf } = await aStartedSession();
  peers.at(0).client.connected();

  await control.clientDrops(id);

  expect(peers.at(0).closed).toBe('without a word');
  expect(await statusOf()).toBe('PENDING_CLIENT_RECONNECTION');
});

it('answers without a peer when an offer is no browser’s, and when no peer can answer it', async () => {
  const { peers, id, beginConnection } = await aStartedSession();
  peers.canAnswer = false;

  const { SignalResponse } = await beginConnection(id, aBrowserOffer());
  const simulated = await beginConnection(id);

  expect(SignalResponse).toContain('"type":"answer"');
  expect(simulated.SignalResponse).toContain('"type":"answer"');
  expect(peers.all).toHaveLength(1);
});

it('holds 32 peers at most, and has room again when sessions end', async () => {
  const peers = new ScriptedPeers();
  const world = await start({ peers, quotas: { StartStreamSession: 1000 } });
  const sessions = await Promise.all(
    Array.from({ length: 33 }, () => world.startSession({ SignalRequest: aBrowserOffer() })),
  );
  expect(peers.all).toHaveLength(32);

  await world.control.applicationExits(idIn(sessions[0]?.Arn));
  await world.startSession({ SignalRequest: aBrowserOffer() });

  expect(peers.all).toHaveLength(33);
});

it('closes its peers on a reset, and with itself', async () => {
  const { peers, control, server } = await aStartedSession();

  await control.reset();
  expect(peers.at(0).closed).toBe('without a word');
  await server.close();

  expect(peers.isClosed).toBe(true);
});
