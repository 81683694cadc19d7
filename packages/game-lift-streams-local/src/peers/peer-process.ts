import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fromPeersSchema, type ToPeers } from './messages.ts';
import type { Peer, PeerListener, Peers } from './peers.ts';

const MAIN = join(import.meta.dirname, 'main.ts');
/** An answer takes some milliseconds; the first waits for the process, which a busy machine starts in seconds. */
const ANSWER_TIMEOUT_MS = 15_000;

interface OpenPeer {
  readonly listener: PeerListener;
  /** Until there is an answer, or none. */
  answered?: (sdp: string | undefined) => void;
}

/** Peers in a process of their own, which starts with the first offer, and again after a crash. */
export class PeerProcess implements Peers {
  readonly #open = new Map<number, OpenPeer>();
  readonly #fork: () => ChildProcess;
  #process: ChildProcess | undefined;
  #serial = 0;

  /** @param forkProcess starts the process; a test keeps what it returns, to end it as a crash would */
  constructor(forkProcess = () => forkPeers()) {
    this.#fork = forkProcess;
  }

  async answer(offerSdp: string, listener: PeerListener): Promise<Peer | undefined> {
    const peerId = ++this.#serial;
    const sdp = await new Promise<string | undefined>((resolve) => {
      const timer = setTimeout(() => resolve(undefined), ANSWER_TIMEOUT_MS);
      const answered = (sdp: string | undefined) => {
        clearTimeout(timer);
        resolve(sdp);
      };
      this.#open.set(peerId, { listener, answered });
      this.#send({ kind: 'answer', peerId, offerSdp });
    });
    if (sdp === undefined) {
      this.#close(peerId);
      return undefined;
    }
    return {
      sdp,
      show: (game) => this.#send({ kind: 'show', peerId, game }),
      close: (reason) => this.#close(peerId, reason),
    };
  }

  async close(): Promise<void> {
    this.#open.clear();
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  #close(peerId: number, reason?: 'idle' | 'terminated'): void {
    if (!this.#open.delete(peerId)) return;
    this.#send({ kind: 'close', peerId, ...(reason === undefined ? {} : { reason }) });
  }

  #send(message: ToPeers): void {
    // Only an offer is worth a process: without one there is no peer that could be told anything.
    if (message.kind === 'answer') this.#process ??= this.#start();
    // A process that has just died takes no message; its exit tells of all its peers.
    if (this.#process?.connected) this.#process.send(message, () => {});
  }

  #start(): ChildProcess {
    const child = this.#fork();
    child.on('message', (raw) => this.#hear(raw));
    const end = () => {
      if (this.#process !== child) return;
      this.#process = undefined;
      this.#loseAll();
    };
    child.once('exit', end);
    // It could not be started, or not be killed.
    child.once('error', end);
    return child;
  }

  #hear(raw: unknown): void {
    const message = fromPeersSchema.parse(raw);
    const peer = this.#open.get(message.peerId);
    if (peer === undefined) return;
    switch (message.kind) {
      case 'answered':
        peer.answered?.(message.sdp);
        return;
      case 'unanswerable':
        peer.answered?.(undefined);
        return;
      case 'connected':
        peer.listener.connected();
        return;
      case 'input':
        peer.listener.input();
        return;
      case 'lost':
        this.#open.delete(message.peerId);
        peer.listener.lost();
    }
  }

  #loseAll(): void {
    const lost = [...this.#open.values()];
    this.#open.clear();
    for (const { listener, answered } of lost) {
      answered?.(undefined);
      listener.lost();
    }
  }
}

/** @param closeNoticeMs how long after a client closed its connection that is noticed; 5 s by default */
export function forkPeers(closeNoticeMs?: number): ChildProcess {
  // The parent's own options (a debugger's port, a test runner's loaders) are not the child's.
  return fork(MAIN, closeNoticeMs === undefined ? [] : [String(closeNoticeMs)], { execArgv: [] });
}
