import {
  GetExecutionHistoryCommand,
  type HistoryEvent,
  ListExecutionsCommand,
  type SFNClient,
} from '@aws-sdk/client-sfn';

export interface Step {
  /** Seconds since the execution started. */
  readonly atSeconds: number;
  readonly state: string;
  /** How the state ended, where that says more than its successor does. */
  readonly note?: string;
}

export interface Story {
  readonly executionName: string;
  readonly status: string;
  readonly steps: readonly Step[];
}

/** Reads what the Step Functions console would show of a session's windows, the first window first. */
export async function readStories(
  client: SFNClient,
  stateMachineArn: string,
  streamSessionId: string,
): Promise<Story[]> {
  const { executions = [] } = await client.send(new ListExecutionsCommand({ stateMachineArn }));
  const ofSession = executions.filter(({ name }) => name?.startsWith(`${streamSessionId}-`));
  const stories = ofSession.map(async ({ name = '', status = '', executionArn }) => {
    const { events = [] } = await client.send(
      new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }),
    );
    return { executionName: name, status, steps: stepsOf(events) };
  });
  return (await Promise.all(stories)).reverse();
}

function stepsOf(events: readonly HistoryEvent[]): Step[] {
  const startMs = events[0]?.timestamp?.getTime() ?? 0;
  const steps: Step[] = [];
  for (const event of events) {
    const state = event.stateEnteredEventDetails?.name;
    const last = steps.at(-1);
    const note = noteOf(event);
    if (state !== undefined) {
      steps.push({ atSeconds: ((event.timestamp?.getTime() ?? 0) - startMs) / 1000, state });
    } else if (note !== undefined && last !== undefined) {
      steps[steps.length - 1] = { ...last, note };
    }
  }
  return steps;
}

/** Only ids, times and statuses are in a window's history, so all of it may be shown. */
function noteOf({
  taskTimedOutEventDetails,
  taskSucceededEventDetails,
  taskFailedEventDetails,
}: HistoryEvent) {
  if (taskTimedOutEventDetails !== undefined) return 'no signal';
  if (taskFailedEventDetails !== undefined) return taskFailedEventDetails.error;
  const isCallback = taskSucceededEventDetails?.resource?.endsWith('.waitForTaskToken');
  return isCallback === true ? 'signalled' : undefined;
}
