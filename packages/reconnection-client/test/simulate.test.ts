import { VirtualClock } from 'local-server-kit';
import { createReconnector, type StateName } from 'reconnection-client';
import { type Scenario, simulate } from 'reconnection-client/simulate';
import { describe, expect, it } from 'vitest';

const ASKED = ['connected', 'suspect', 'away'] as const;

const STATES: Readonly<Record<Scenario, readonly StateName[]>> = {
  'network-loss': [...ASKED, 'answering', 'back'],
  'short-interruption': ['connected', 'suspect', 'connected'],
  throttled: [...ASKED, 'waiting', 'away', 'waiting', 'away', 'answering', 'back'],
  'loss-not-noticed': [...ASKED, 'waiting', 'away', 'waiting', 'away', 'answering', 'back'],
  offline: [...ASKED, 'waiting', 'away', 'waiting', 'away', 'waiting', 'away', 'answering', 'back'],
  'proxy-page': [...ASKED, 'waiting', 'away', 'waiting', 'away', 'answering', 'back'],
  'switched-off': [...ASKED, 'waiting', 'away', 'answering', 'back'],
  'no-media': [...ASKED, 'answering', 'waiting', 'away', 'answering', 'back'],
  'offer-rejected': [...ASKED, 'waiting', 'away', 'answering', 'back'],
  'taken-over': [...ASKED, 'takenOver'],
  expired: [...ASKED, 'over'],
  'too-late': [...ASKED, 'over'],
  'ended-by-server': ['connected', 'over'],
  'not-allowed': [...ASKED, 'failed'],
};

async function play(scenario: Scenario) {
  const clock = new VirtualClock();
  const setTimer = (delayMs: number, act: () => void) => clock.setTimer(delayMs, act);
  const options = simulate(scenario, { setTimer });
  const reconnector = createReconnector({
    ...options,
    environment: { ...options.environment, now: () => clock.nowMs(), setTimer, random: () => 0.5 },
  });
  const states: StateName[] = [];
  reconnector.on('change', ({ name }) => states.push(name));
  await clock.advance(60_000);
  reconnector.stop();
  return states;
}

describe('a simulated scenario', () => {
  it.each(Object.entries(STATES))('plays its states without a service: %s', async (name, states) => {
    const scenario = Object.keys(STATES).find((each): each is Scenario => each === name);

    expect(await play(scenario ?? 'network-loss')).toEqual(states);
  });

  it('is there for every state of the reconnector', () => {
    const played = new Set(Object.values(STATES).flat());

    expect([...played].sort()).toEqual(
      ['answering', 'away', 'back', 'connected', 'failed', 'over', 'suspect', 'takenOver', 'waiting'].sort(),
    );
  });
});
