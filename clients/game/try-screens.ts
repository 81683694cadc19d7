import { createReconnector } from 'reconnection-client';
import { type Scenario, simulate } from 'reconnection-client/simulate';
import { showScreens } from './screens.ts';

/** Plays a scenario on this page, without a service. */
export function tryScreens(scenario: Scenario, overlay: HTMLElement): void {
  showScreens(createReconnector(simulate(scenario, { lossAfterSeconds: 1 })), overlay);
}
