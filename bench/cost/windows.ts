import { anOffer } from 'game-lift-streams-local';
import { reportDisconnect } from '../../feeds/backend/report-disconnect.ts';
import { resolveEnvironment } from '../../local/service/read-service.ts';
import type { Service } from '../../local/service/service.ts';
import { type SimulationOptions, startSimulation } from '../../local/simulation/simulation.ts';

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
  observed: Partial<SimulationOptions> = {},
): Promise<WindowCost> {
  const simulation = await startSimulation({ service, adapter: 'loopback', watching: true, ...observed });
  const { clock, control } = simulation;
  try {
    await clock.advance(2000);
    const session = await control.startSession({ connectionTimeoutSeconds: windowSeconds });
    const { streamGroupId, streamSessionId } = session;
    await control.clientDrops(streamSessionId);
    if (foundBy === 'backend') {
      const { EVENT_BUS_NAME = '' } = resolveEnvironment(service, 'onStatusChange');
      const disconnectedAt = new Date(clock.nowMs());
      const lost = {
        streamGroupId,
        streamSessionId,
        disconnectedAt,
        connectionTimeoutSeconds: windowSeconds,
      };
      await clock.track(() => reportDisconnect(simulation.eventBridge, EVENT_BUS_NAME, lost));
    }
    // Half of the window passes; the watcher has opened it by then.
    await clock.advance(windowSeconds * 500);
    if (ends === 'reconnects') {
      let answer: string | undefined;
      const call = simulation.connect(session, { SignalRequest: anOffer() }).then(async (response) => {
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
    const executions = await simulation.executions();
    if (executions.length !== 1) throw new Error(`${executions.length} windows where one was measured.`);
    const events = await simulation.history(executions[0]?.executionArn);
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
    await simulation.close();
  }
}
