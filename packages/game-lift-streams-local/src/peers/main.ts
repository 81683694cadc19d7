/**
 * The process of the peers. It is one of its own because the library's native code may crash: it does at the
 * end of a process that has had a peer (measured with 0.10.0 on Node 24). So this process never ends by itself;
 * it is killed, and a crash costs the clients, as a stream server's does, and not the stack.
 */
import { type FromPeers, toPeersSchema } from './messages.ts';
import { StreamPeer } from './stream-peer.ts';

const [closeNoticeMs] = process.argv.slice(2).map(Number);
const peers = new Map<number, StreamPeer>();

function tell(message: FromPeers): void {
  process.send?.(message);
}

async function answer(peerId: number, offerSdp: string): Promise<void> {
  const listener = {
    connected: () => tell({ kind: 'connected', peerId }),
    input: () => tell({ kind: 'input', peerId }),
    lost: () => {
      peers.delete(peerId);
      tell({ kind: 'lost', peerId });
    },
  };
  const peer = new StreamPeer(listener, closeNoticeMs);
  peers.set(peerId, peer);
  try {
    tell({ kind: 'answered', peerId, sdp: await peer.answer(offerSdp) });
  } catch {
    // Without the reason: it may quote the offer.
    peers.delete(peerId);
    peer.close();
    tell({ kind: 'unanswerable', peerId });
  }
}

process.on('message', (raw) => {
  const message = toPeersSchema.parse(raw);
  const { peerId } = message;
  switch (message.kind) {
    case 'answer':
      void answer(peerId, message.offerSdp);
      return;
    case 'show':
      peers.get(peerId)?.show(message.game);
      return;
    case 'close':
      peers.get(peerId)?.close(message.reason);
      peers.delete(peerId);
  }
});

process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// Ctrl-C goes to the whole group; the stack decides when its parts end.
process.on('SIGINT', () => {});
