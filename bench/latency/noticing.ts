import type { Service } from '../../local/service/service.ts';
import { startSimulation } from '../../local/simulation/simulation.ts';

const BETWEEN_MS = 400;

/**
 * How late the watcher's look alone makes it: from a drop at a random moment to the window, in virtual time, where
 * the functions and the network take none.
 *
 * @returns milliseconds, one for each session.
 */
export async function measureLooks(service: Service, count: number, seed: number): Promise<number[]> {
  const openedAtMs = new Map<string, number>();
  const stack = await startSimulation({
    service,
    adapter: 'loopback',
    seed,
    watching: true,
    before: (functionKey, payload) => {
      // The window's execution begins to wait: the window is there, and runs.
      if (functionKey !== 'registerTaskToken' || typeof payload !== 'object' || payload === null) return;
      if (!('streamSessionId' in payload)) return;
      const id = String(payload.streamSessionId);
      if (!openedAtMs.has(id)) openedAtMs.set(id, stack.clock.nowMs());
    },
  });
  const { clock, control, random } = stack;
  try {
    const sessions = await control.startSessions({ count, connectionTimeoutSeconds: 3600 });
    const droppedAtMs = new Map<string, number>();
    for (const { streamSessionId } of sessions) {
      await clock.advance(Math.round(random() * 2 * BETWEEN_MS));
      await control.clientDrops(streamSessionId);
      droppedAtMs.set(streamSessionId, clock.nowMs());
    }
    await clock.advance(30_000);
    return [...droppedAtMs].map(([id, atMs]) => (openedAtMs.get(id) ?? Number.POSITIVE_INFINITY) - atMs);
  } finally {
    await stack.close();
  }
}
