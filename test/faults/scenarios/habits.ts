/** Habits and troubles of the services below, in their least convenient form. */
import { MINUTE, SECOND, startWorld } from '../world.ts';
import { closed, type Scenario } from './scenario.ts';

const CREATE = 'CreateStreamSessionConnection';

export const HABITS: readonly Scenario[] = [
  {
    name: 'a session takes ten minutes to end',
    play: async (world) => {
      const session = await world.dropped({
        connectionTimeoutSeconds: 10,
        settings: { terminationMs: 10 * MINUTE },
      });
      await world.report(session);
      return closed(session);
    },
  },
  {
    name: 'a session cannot be read for ten minutes, past its deadline, and nobody watches',
    play: async (world) => {
      const session = await world.dropped({ connectionTimeoutSeconds: 10 });
      const { streamSessionId } = session;
      await world.report(session);
      await world.control.injectFault({
        kind: 'internalServer',
        operation: 'GetStreamSession',
        streamSessionId,
        untilMs: world.clock.nowMs() + 10 * MINUTE,
      });
      return closed(session);
    },
  },
  {
    name: 'an answer takes nine seconds',
    play: async (world) => {
      const session = await world.dropped({ settings: { connectionMs: 9 * SECOND } });
      await world.report(session);
      await world.control.clientConnects(session.streamSessionId, await world.ask(session));
      await world.clock.advance(3 * SECOND);
      return closed(session);
    },
  },
  {
    name: 'the service refuses the first signatures of a function whose clock is wrong',
    play: async (world) => {
      const session = await world.dropped({ connectionTimeoutSeconds: 60 });
      const { streamSessionId } = session;
      await world.report(session);
      await world.control.injectFault({ kind: 'invalidSignature', operation: CREATE, streamSessionId });
      await world.control.injectFault({ kind: 'requestExpired', operation: CREATE, streamSessionId });
      const fault = { kind: 'invalidSignature', operation: 'GetStreamSession', streamSessionId } as const;
      await world.control.injectFault(fault);
      await world.ask(session);
      return closed(session);
    },
  },
  {
    name: 'two sessions drop at once, and the second execution is over the quota of starts',
    start: () => startWorld({ startQuotas: { standard: { bucket: 1, perSecond: 1 } } }),
    play: async (world) => {
      const other = await world.dropped();
      const session = await world.dropped();
      await Promise.all([world.report(other), world.report(session)]);
      await world.clock.advance(MINUTE);
      await world.control.clientConnects(session.streamSessionId, await world.ask(session));
      return closed(session);
    },
  },
];
