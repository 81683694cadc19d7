import type { Queue as DescribedQueue } from '../service/service.ts';
import { Queue, type QueueOptions } from './queue.ts';

/** The service's queues by name, each with the dead-letter queue that its redrive policy names. */
export function queuesOf(
  described: readonly DescribedQueue[],
  shared: Pick<QueueOptions, 'clock' | 'newId'>,
): ReadonlyMap<string, Queue> {
  const queues = new Map<string, Queue>();
  const queueOf = (name: string): Queue => {
    const existing = queues.get(name);
    if (existing !== undefined) return existing;
    const description = described.find((candidate) => candidate.name === name);
    if (description === undefined) throw new Error(`There is no queue ${name}.`);
    const { redrive, logicalId: _, ...settings } = description;
    const queue = new Queue({
      ...settings,
      ...shared,
      redrive: redrive && { to: queueOf(redrive.queueName), maxReceiveCount: redrive.maxReceiveCount },
    });
    queues.set(name, queue);
    return queue;
  };
  for (const { name } of described) queueOf(name);
  return queues;
}
