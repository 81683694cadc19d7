import { type ChildProcess, fork, spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { forkPeers, PeerProcess } from '../src/peers/peer-process.ts';
import type { PeerListener } from '../src/peers/peers.ts';
import chromiumOffer from './chromium-offer.json' with { type: 'json' };

const NOBODY: PeerListener = { connected: () => {}, lost: () => {}, input: () => {} };

const here = import.meta.dirname;

function startPeers() {
  const processes: ChildProcess[] = [];
  const peers = new PeerProcess(() => {
    const child = forkPeers();
    processes.push(child);
    return child;
  });
  onTestFinished(() => peers.close());
  return { peers, processes };
}

const linesOf = (sdp = '', prefix: string) => sdp.split('\r\n').filter((line) => line.startsWith(prefix));

it('answers what a browser offers, with addresses of this machine only', async () => {
  const { peers } = startPeers();

  const peer = await peers.answer(chromiumOffer.sdp, NOBODY);

  expect(linesOf(peer?.sdp, 'm=').map((line) => line.split(' ', 1)[0])).toEqual([
    'm=audio',
    'm=video',
    'm=application',
  ]);
  const candidates = linesOf(peer?.sdp, 'a=candidate:').map((line) => line.split(' '));
  expect(new Set(candidates.map((fields) => fields[2]))).toEqual(new Set(['udp']));
  expect(candidates.map((fields) => fields[4])).toContain('127.0.0.1');
  expect(candidates.filter((fields) => !['127.0.0.1', '::1'].includes(fields[4] ?? ''))).toEqual([]);
  expect(new Set(linesOf(peer?.sdp, 'c='))).toEqual(new Set(['c=IN IP4 0.0.0.0']));
  expect(linesOf(peer?.sdp, 'a=fingerprint:')).not.toEqual([]);
});

it('has no peer for an offer that cannot be answered, and goes on', async () => {
  const { peers, processes } = startPeers();

  expect(await peers.answer('v=0\r\na=fingerprint:sha-256 00\r\n', NOBODY)).toBeUndefined();
  expect(await peers.answer(chromiumOffer.sdp, NOBODY)).toBeDefined();

  expect(processes).toHaveLength(1);
});

it('answers nothing, and keeps nobody waiting, where the process cannot run', async () => {
  const withoutLibrary = new PeerProcess(() => fork(join(here, 'no-such-file.ts'), [], { silent: true }));
  const withoutNode = new PeerProcess(() =>
    spawn('/no/such/node', { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] }),
  );

  expect(await withoutLibrary.answer(chromiumOffer.sdp, NOBODY)).toBeUndefined();
  expect(await withoutNode.answer(chromiumOffer.sdp, NOBODY)).toBeUndefined();

  await withoutLibrary.close();
  await withoutNode.close();
});

it('has lost every client when the process crashes, and starts another one for the next', async () => {
  const { peers, processes } = startPeers();
  const lost = Promise.withResolvers<void>();
  const peer = await peers.answer(chromiumOffer.sdp, { ...NOBODY, lost: () => lost.resolve() });

  expect(peer).toBeDefined();
  processes[0]?.kill('SIGSEGV');
  await lost.promise;
  peer?.show({ elapsedMs: 0, inputs: 0 });
  peer?.close();
  const next = await peers.answer(chromiumOffer.sdp, NOBODY);

  expect(next?.sdp).toContain('a=candidate:');
  expect(processes).toHaveLength(2);
});

it('leaves no process behind', async () => {
  const { peers, processes } = startPeers();
  await peers.answer(chromiumOffer.sdp, NOBODY);

  await peers.close();

  expect(processes.map(({ signalCode }) => signalCode)).toEqual(['SIGKILL']);
});
