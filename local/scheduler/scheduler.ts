import type { Clock, InvokeLambda } from 'local-server-kit';
import { AsynchronousInvocations } from '../lambda/asynchronous-invocations.ts';
import type { Schedule } from '../service/service.ts';
import { randomUuid } from '../shared/random-uuid.ts';

export interface SchedulerOptions {
  readonly clock: Clock;
  /** 0 ≤ random() < 1. */
  readonly random: () => number;
  readonly region: string;
  readonly account: string;
  readonly schedules: readonly Schedule[];
  readonly invokeLambda: InvokeLambda;
}

export interface Scheduler {
  close(): Promise<void>;
}

/**
 * Fires the service's schedules, as EventBridge's rules with a rate do, with the event that they send. The first
 * time is now: EventBridge counts from the rule's creation, and nobody waits a minute for a stack on a laptop.
 */
export function startScheduler(options: SchedulerOptions): Scheduler {
  const { clock, schedules, invokeLambda } = options;
  const invocations = new AsynchronousInvocations(clock, invokeLambda);
  const cancels = new Map<string, () => void>();
  const fire = (schedule: Schedule) => {
    cancels.set(
      schedule.name,
      clock.setTimer(schedule.everySeconds * 1000, () => fire(schedule)),
    );
    invocations.start({
      functionName: schedule.functionName,
      payload: scheduledEvent(schedule, options),
      maximumRetryAttempts: schedule.maximumRetryAttempts,
      // What a function says of its failure is in its log; the next time is the repeat.
      onGivenUp: () => {},
    });
  };
  for (const schedule of schedules) fire(schedule);
  return {
    close: async () => {
      for (const cancel of cancels.values()) cancel();
      invocations.close();
    },
  };
}

/** EventBridge User Guide, "Creating a rule that runs on a schedule": the event that the target gets. */
function scheduledEvent({ name }: Schedule, { clock, random, region, account }: SchedulerOptions) {
  return {
    version: '0',
    id: randomUuid(random),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account,
    time: `${new Date(clock.nowMs()).toISOString().slice(0, 19)}Z`,
    region,
    resources: [`arn:aws:events:${region}:${account}:rule/${name}`],
    detail: {},
  };
}
