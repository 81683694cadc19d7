import { END, START, type Transition } from './transitions.ts';
import type { Visit, VisitStatus } from './visits.ts';
import { retriesOf } from './visits.ts';

/** What the graph shows of a state: how its last visit stands, and what there was in all of them. */
export interface StateProgress {
  readonly status: VisitStatus;
  readonly visits: number;
  readonly retries: number;
}

export function progressOf(visits: readonly Visit[]): ReadonlyMap<string, StateProgress> {
  const progress = new Map<string, StateProgress>();
  for (const visit of visits) {
    const before = progress.get(visit.state);
    progress.set(visit.state, {
      status: visit.status,
      visits: (before?.visits ?? 0) + 1,
      retries: (before?.retries ?? 0) + retriesOf(visit),
    });
  }
  return progress;
}

/** Names a way in the graph. */
export function wayKey({ from, to, kind }: Pick<Transition, 'from' | 'to' | 'kind'>): string {
  return `${kind} ${from} ${to}`;
}

/** How often each way of the graph was taken, by its key. */
export function waysTaken(visits: readonly Visit[]): ReadonlyMap<string, number> {
  const taken = new Map<string, number>();
  const take = (from: string, to: string, kind: Transition['kind']) => {
    const key = wayKey({ from, to, kind });
    taken.set(key, (taken.get(key) ?? 0) + 1);
  };
  visits.forEach((visit, index) => {
    const before = visits[index - 1];
    take(before?.state ?? START, visit.state, before?.status === 'caught' ? 'catch' : 'flow');
  });
  const last = visits.at(-1);
  const hasEnded = last !== undefined && (last.type === 'Fail' || last.type === 'Succeed');
  if (hasEnded && last.leftAtMs !== undefined) take(last.state, END, 'flow');
  return taken;
}
