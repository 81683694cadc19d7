import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Worker } from 'node:worker_threads';
import { z } from 'zod';

export interface Reading {
  /** What the objects of the functions' workers take, without those that nobody holds any more. */
  readonly functionsMegabytes: number;
  /** The same of the stand-ins and the players. */
  readonly standInsMegabytes: number;
  /** Of the process, with whatever the heaps have not given back. */
  readonly residentMegabytes: number;
  readonly handles: Readonly<Record<string, number>>;
}

/** Idle sockets are closed after a few seconds by either side; by then nothing but the stack itself is open. */
const AT_REST_MS = 15_000;

/** The functions' workers, from the first look at this module on. */
const workers = new Set<Worker>();
process.on('worker', (worker) => {
  workers.add(worker);
  worker.once('exit', () => workers.delete(worker));
});

/** A full collection, which a heap does by itself only when it is about to grow. */
const collectGarbage = (() => {
  setFlagsFromString('--expose-gc');
  return z.custom<() => void>((value) => typeof value === 'function').parse(runInNewContext('gc'));
})();

/**
 * What this process holds when nothing happens: the functions' workers and every stand-in are in it. How much memory
 * the process has says little: fifteen heaps grow as long as the machine has more.
 */
export async function readAtRest(): Promise<Reading> {
  await sleep(AT_REST_MS);
  const functionsBytes = await Promise.all([...workers].map(heldBy));
  collectGarbage();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  const handles: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1;
  return {
    functionsMegabytes: megabytes(functionsBytes.reduce((sum, bytes) => sum + bytes, 0)),
    standInsMegabytes: megabytes(heapUsed + arrayBuffers),
    residentMegabytes: megabytes(rss),
    handles,
  };
}

/** A snapshot begins with a full collection. */
async function heldBy(worker: Worker): Promise<number> {
  const snapshot = await worker.getHeapSnapshot();
  await finished(snapshot.resume());
  return (await worker.getHeapStatistics()).used_heap_size;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}

/** The timers are the stand-ins' own and come and go; sockets, servers and workers are what leaks. */
export function openHandles({ handles }: Reading): number {
  return Object.entries(handles)
    .filter(([kind]) => !['Timeout', 'Immediate'].includes(kind))
    .reduce((sum, [, count]) => sum + count, 0);
}
