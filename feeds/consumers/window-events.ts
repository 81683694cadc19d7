/**
 * What the consumers of this folder share: how to read the two events of a window, in which order they count, and how to
 * follow the local stack's event bus. In the cloud a rule of the bus invokes a Lambda function with each event.
 */

/** A player was lost, and the session waits until the deadline; or the deadline has changed. */
export interface WindowOpened {
  readonly kind: 'opened';
  readonly session: string;
  readonly generation: number;
  readonly sequence: number;
  readonly deadline: Date;
}

/** How it ended. `cause` says whose doing it was, such as TIMED_OUT or LEFT. */
export interface WindowEnded {
  readonly kind: 'ended';
  readonly session: string;
  readonly generation: number;
  readonly outcome: string;
  readonly cause: string;
}

export type WindowEvent = WindowOpened | WindowEnded;

/** Reads an event as EventBridge delivers it. Returns undefined for any other event. */
export function windowEventOf(event: unknown): WindowEvent | undefined {
  const envelope = membersOf(event);
  const detail = membersOf(envelope['detail']);
  const { streamGroupId, streamSessionId, generation, sequence, deadline, outcome, cause } = detail;
  if (typeof streamGroupId !== 'string' || typeof streamSessionId !== 'string') return undefined;
  if (typeof generation !== 'number') return undefined;
  const session = `${streamGroupId}/${streamSessionId}`;
  switch (envelope['detail-type']) {
    case 'Stream Session Reconnection Window Opened':
      if (typeof sequence !== 'number' || typeof deadline !== 'string') return undefined;
      return { kind: 'opened', session, generation, sequence, deadline: new Date(deadline) };
    case 'Stream Session Reconnection Outcome':
      if (typeof outcome !== 'string') return undefined;
      // Outcomes of earlier versions of the service have no cause.
      return {
        kind: 'ended',
        session,
        generation,
        outcome,
        cause: typeof cause === 'string' ? cause : 'UNKNOWN',
      };
    default:
      return undefined;
  }
}

function membersOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

const MAX_SESSIONS = 10_000;

/**
 * Tells news from repeats and from what comes late. Events come at least once and in any order: the higher generation
 * counts, within it the higher sequence, and after its end nothing.
 *
 * This one remembers in memory, which is enough for one process. Several processes keep the same three values in a
 * database, and compare them in the condition of the write.
 */
export class LatestWindows {
  readonly #known = new Map<string, { readonly generation: number; readonly sequence: number }>();

  /** Acts on an event that is news. An event whose act fails stays news, because EventBridge or Lambda delivers it again. */
  async ifNews(event: WindowEvent, act: () => void | Promise<void>): Promise<void> {
    const { session, generation } = event;
    const sequence = event.kind === 'ended' ? Number.POSITIVE_INFINITY : event.sequence;
    const before = this.#known.get(session);
    if (before !== undefined) {
      if (generation < before.generation) return;
      if (generation === before.generation && sequence <= before.sequence) return;
    }
    const present = { generation, sequence };
    // The session that has had no event for the longest time goes first.
    this.#known.delete(session);
    this.#known.set(session, present);
    if (this.#known.size > MAX_SESSIONS) this.#known.delete(this.#known.keys().next().value ?? '');
    try {
      await act();
    } catch (error) {
      // A later event that came during the act still counts.
      if (this.#known.get(session) === present) {
        if (before === undefined) this.#known.delete(session);
        else this.#known.set(session, before);
      }
      throw error;
    }
  }
}

/** Returns the latest events of the local stack's bus, in the form in which EventBridge delivers events. */
export async function readLocalBus(busUrl: string): Promise<readonly Record<string, unknown>[]> {
  const response = await fetch(new URL('/_local/events?limit=1000', busUrl));
  const { events } = membersOf(await response.json());
  if (!Array.isArray(events)) return [];
  return events.map((event) => {
    const record = membersOf(event);
    return { id: record['id'], 'detail-type': record['detailType'], detail: record['detail'] };
  });
}

/** Hands each event of the local stack's bus to a consumer, from now on and until the process ends. */
export async function followLocalBus(
  busUrl: string,
  consume: (event: unknown) => Promise<void>,
): Promise<never> {
  let seen = new Set((await readLocalBus(busUrl)).map(({ id }) => id));
  for (;;) {
    const events = await readLocalBus(busUrl);
    for (const event of events) if (!seen.has(event['id'])) await consume(event);
    seen = new Set(events.map(({ id }) => id));
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
