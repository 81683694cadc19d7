import { setTimeout as sleep } from 'node:timers/promises';

export interface Reading {
  readonly residentMegabytes: number;
  readonly handles: Readonly<Record<string, number>>;
}

/** Idle sockets are closed after a few seconds by either side; by then nothing but the stack itself is open. */
const AT_REST_MS = 15_000;
const SAMPLES = 10;

/**
 * What this process holds when nothing happens: the functions' workers and every stand-in are in it. The least of
 * several readings, for a heap is largest just before it is collected.
 */
export async function readAtRest(): Promise<Reading> {
  const readings: Reading[] = [];
  for (let sample = 0; sample < SAMPLES; sample++) {
    await sleep(AT_REST_MS / SAMPLES);
    readings.push(readNow());
  }
  const handles = readings.at(-1)?.handles ?? {};
  return { residentMegabytes: Math.min(...readings.map((reading) => reading.residentMegabytes)), handles };
}

function readNow(): Reading {
  const handles: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1;
  return { residentMegabytes: Math.round(process.memoryUsage.rss() / 1024 / 1024), handles };
}

/** The timers are the stand-ins' own and come and go; sockets, servers and workers are what leaks. */
export function openHandles({ handles }: Reading): number {
  return Object.entries(handles)
    .filter(([kind]) => !['Timeout', 'Immediate'].includes(kind))
    .reduce((sum, [, count]) => sum + count, 0);
}
