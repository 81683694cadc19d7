import { setTimeout as sleep } from 'node:timers/promises';
import { type BuiltStack, until } from './built-stack.ts';

const BETWEEN_MS = 1000;

/**
 * From drop to open window on the built bundles, in real time: the watcher's look, the event's way over the bus
 * and the function that opens the window.
 *
 * @returns milliseconds, one for each session.
 */
export async function measureDrops(
  { stack, openedAtMs }: BuiltStack,
  count: number,
  random: () => number,
): Promise<number[]> {
  const sessions = await stack.control.startSessions({ count, connectionTimeoutSeconds: 3600 });
  const droppedAtMs = new Map<string, number>();
  for (const { streamSessionId } of sessions) {
    await sleep(random() * 2 * BETWEEN_MS);
    const [dropped] = await stack.control.clientDrops(streamSessionId);
    droppedAtMs.set(streamSessionId, dropped?.history.at(-1)?.atMs ?? Date.now());
  }
  await until('every window is open', () => [...droppedAtMs.keys()].every((id) => openedAtMs.has(id)));
  return [...droppedAtMs].map(([id, atMs]) => (openedAtMs.get(id) ?? Number.NaN) - atMs);
}
