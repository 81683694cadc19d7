import { GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import type { Policy, Storm } from './policy.ts';
import type { Player } from './scenario.ts';

/** Game servers that call the service directly, each with an SDK client of its own, which all players share. */
const CLIENTS = 10;
/** When the SDK has given up, the player presses again. */
const PRESS_AGAIN_MS = 1000;

/**
 * The SDK's own retry strategy, the very object that a client of this configuration uses; its clock, timers and
 * randomness are the storm's (`onVirtualGlobals`).
 */
export function sdkPolicy(retryMode: 'standard' | 'adaptive'): Policy {
  return {
    name: `SDK, ${retryMode} mode`,
    prepare: async (storm) => {
      const clients = Array.from(
        { length: CLIENTS },
        () => new GameLiftStreamsClient({ region: 'us-west-2', retryMode }),
      );
      const strategies = await Promise.all(clients.map((client) => client.config.retryStrategy()));
      let next = 0;
      return async (player) => {
        const strategy = strategies[next++ % CLIENTS];
        if (strategy === undefined || !('acquireInitialRetryToken' in strategy)) {
          throw new Error('The SDK has another kind of retry strategy.');
        }
        return callUntilDeadline(storm, player, strategy);
      };
    },
  };
}

type Strategy = Extract<
  Awaited<ReturnType<GameLiftStreamsClient['config']['retryStrategy']>>,
  { acquireInitialRetryToken: unknown }
>;

async function callUntilDeadline(
  { clock, service }: Storm,
  { id, deadlineMs }: Player,
  strategy: Strategy,
): Promise<boolean> {
  while (clock.nowMs() < deadlineMs) {
    let token = await strategy.acquireInitialRetryToken('storm');
    for (;;) {
      const result = await service.connect(id);
      if (result === 'CREATED') {
        strategy.recordSuccess(token);
        return true;
      }
      if (result === 'CONFLICT') return false;
      try {
        token = await strategy.refreshRetryTokenForRetry(token, {
          errorType: result === 'THROTTLED' ? 'THROTTLING' : 'TRANSIENT',
        });
      } catch {
        break;
      }
    }
    await clock.sleep(PRESS_AGAIN_MS);
  }
  return false;
}

/** Runs `work` with the process's clock, timers and randomness replaced by the storm's. */
export async function onVirtualGlobals<Result>(
  { clock, random }: Pick<Storm, 'clock' | 'random'>,
  work: () => Promise<Result>,
): Promise<Result> {
  const replaced = [
    [Date, 'now', () => clock.nowMs()],
    [Math, 'random', random],
    [
      globalThis,
      'setTimeout',
      (callback: () => void, delayMs = 0) => {
        clock.setTimer(delayMs, callback);
      },
    ],
  ] as const;
  const originals = replaced.map(([target, name]) => Object.getOwnPropertyDescriptor(target, name));
  try {
    for (const [target, name, value] of replaced) {
      Object.defineProperty(target, name, { value, configurable: true, writable: true });
    }
    return await work();
  } finally {
    replaced.forEach(([target, name], index) => {
      const original = originals[index];
      if (original !== undefined) Object.defineProperty(target, name, original);
    });
  }
}
