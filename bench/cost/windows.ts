import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import {
  GetExecutionHistoryCommand,
  type HistoryEvent,
  ListExecutionsCommand,
  SFNClient,
} from '@aws-sdk/client-sfn';
import { anOffer } from 'game-lift-streams-local';
import { LOCAL_CREDENTIALS } from 'local-server-kit';
import { reportDisconnect } from '../../feeds/backend/report-disconnect.ts';
import { resolveEnvironment } from '../../local/service/read-service.ts';
import type { Service } from '../../local/service/service.ts';
import { startVirtualStack, type VirtualStackOptions } from '../shared/virtual-stack.ts';

export interface WindowCost {
  readonly windowSeconds: number;
  /** Who has told of the disconnect: a backend knows the session's timeout, the watcher does not. */
  readonly foundBy: 'backend' | 'watcher';
  readonly ends: 'expires' | 'reconnects';
  readonly outcome: string;
  readonly stateTransitions: number;
  readonly reads: number;
}

const AFTER_MS = 60_000;

/** One window on the deployed state machines, from its first report to its outcome. */
export async function measureWindow(
  service: Service,
  windowSeconds: number,
  foundBy: WindowCost['foundBy'],
  ends: WindowCost['ends'],
  observed: Partial<VirtualStackOptions> = {},
): Promise<WindowCost> {
  const stack = await startVirtualStack({ service, seed: 1, watching: true, ...observed });
  const { clock, control, endpoints } = stack;
  try {
    await clock.advance(2000);
    const session = await control.startSession({ connectionTimeoutSeconds: windowSeconds });
    const { streamGroupId, streamSessionId } = session;
    await control.clientDrops(streamSessionId);
    if (foundBy === 'backend') {
      const { EVENT_BUS_NAME = '' } = resolveEnvironment(service, 'onStatusChange');
      const eventBridge = new EventBridgeClient({
        endpoint: endpoints.eventBus,
        region: service.region,
        credentials: LOCAL_CREDENTIALS,
      });
      const disconnectedAt = new Date(clock.nowMs());
      const lost = {
        streamGroupId,
        streamSessionId,
        disconnectedAt,
        connectionTimeoutSeconds: windowSeconds,
      };
      await clock.track(() => reportDisconnect(eventBridge, EVENT_BUS_NAME, lost));
      eventBridge.destroy();
    }
    // Half of the window passes; the watcher has opened it by then.
    await clock.advance(windowSeconds * 500);
    if (ends === 'reconnects') {
      const path = `streamgroups/${streamGroupId}/streamsessions/${streamSessionId}/connections`;
      let answer: string | undefined;
      const call = fetch(`${endpoints.api}/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ SignalRequest: anOffer() }),
      }).then(async (response) => {
        answer = await response.text();
        if (!response.ok) throw new Error(`The reconnection was refused: ${response.status}`);
      });
      while (answer === undefined) await clock.advance(10);
      await call;
      // The client needs a second to use its answer.
      await clock.advance(1000);
      await control.clientConnects(streamSessionId);
    }
    await clock.advance(windowSeconds * 500 + AFTER_MS);
    const events = await historyOf(service, endpoints.stepFunctions);
    const output = events.findLast(({ type }) => type === 'ExecutionSucceeded');
    return {
      windowSeconds,
      foundBy,
      ends,
      outcome: String(JSON.parse(output?.executionSucceededEventDetails?.output ?? '{}').outcome),
      stateTransitions: events.filter(({ stateEnteredEventDetails: entered }) => entered !== undefined)
        .length,
      reads: (await control.counters()).GetStreamSession?.calls ?? 0,
    };
  } finally {
    await stack.close();
  }
}

async function historyOf(service: Service, endpoint: string): Promise<HistoryEvent[]> {
  const client = new SFNClient({ endpoint, region: service.region, credentials: LOCAL_CREDENTIALS });
  try {
    const stateMachineArn = service.stateMachines.find(({ type }) => type === 'STANDARD')?.arn;
    const { executions = [] } = await client.send(new ListExecutionsCommand({ stateMachineArn }));
    if (executions.length !== 1) throw new Error(`${executions.length} windows where one was measured.`);
    const { events = [] } = await client.send(
      new GetExecutionHistoryCommand({ executionArn: executions[0]?.executionArn, maxResults: 1000 }),
    );
    return events;
  } finally {
    client.destroy();
  }
}
