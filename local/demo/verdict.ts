import { isDeepStrictEqual } from 'node:util';
import {
  OUTCOME_DETAIL_TYPE,
  type OutcomeDetail,
  outcomeDetailSchema,
} from '../../functions/shared/contracts/index.ts';
import { listEvents } from '../event-bus/local-client.ts';
import type { Stack } from '../stack.ts';
import type { Player } from './player.ts';
import type { Scenario } from './scenarios.ts';
import type { Story } from './story.ts';

export interface Verdict {
  readonly outcome: OutcomeDetail | undefined;
  /** What is wrong; empty when everything is as it must be. */
  readonly problems: readonly string[];
}

/** The service's status that each outcome must agree with. */
const STATUS_OF = {
  RECONNECTED: 'CONNECTED',
  NOT_DISCONNECTED: 'CONNECTED',
  TERMINATED: 'TERMINATED',
  ERRORED: 'ERROR',
} as const;

/** Holds what was recorded against the scenario, the API and the service itself. */
export async function judge(
  scenario: Scenario,
  player: Player,
  stories: readonly Story[],
  { control, endpoints }: Stack,
): Promise<Verdict> {
  const { streamSessionId } = player.session;
  const problems: string[] = [];
  const expect = (what: string, actual: unknown, expected: unknown) => {
    if (!isDeepStrictEqual(actual, expected)) {
      problems.push(`${what}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(actual)}`);
    }
  };
  const outcomes = (await listEvents(endpoints.eventBus))
    .filter(({ detailType, detail }) => {
      return detailType === OUTCOME_DETAIL_TYPE && detail['streamSessionId'] === streamSessionId;
    })
    .map(({ detail }) => outcomeDetailSchema.parse(detail));
  expect('outcome events', outcomes.length, 1);
  expect('windows', stories.length, 1);
  expect('executions that ended green', stories.filter(({ status }) => status === 'SUCCEEDED').length, 1);
  const [outcome] = outcomes;
  if (outcome !== undefined) {
    const { outcome: name, statusReason, cause, connectionAttempts } = outcome;
    expect(
      'the outcome event',
      { outcome: name, statusReason, cause, connectionAttempts },
      scenario.expected,
    );
    expect("the service's own status", (await control.session(streamSessionId)).status, STATUS_OF[name]);
  }
  const window = await player.window();
  expect('GET …/window, phase', window?.phase, 'CLOSED');
  expect('GET …/window, outcome', window?.outcome, scenario.expected.outcome);
  return { outcome, problems };
}
