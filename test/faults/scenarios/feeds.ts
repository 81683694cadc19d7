import { SECOND } from '../world.ts';
import { hasFailedBefore, openUnstarted } from './left-behind.ts';
import { closed, type Scenario } from './scenario.ts';

const WRONG_GROUP = 'sg-another';

export const FEEDS: readonly Scenario[] = [
  {
    name: 'a feed that confuses stream groups has taken the name of a window',
    play: async (world) => {
      const session = await world.dropped();
      await world.report({ ...session, streamGroupId: WRONG_GROUP });
      await world.report(session);
      await world.clock.advance(SECOND);
      await world.control.clientConnects(session.streamSessionId, await world.ask(session));
      return closed(session);
    },
  },
  {
    name: 'a feed that confuses stream groups has taken every name that a window may have',
    play: async (world) => {
      const session = await world.dropped();
      await world.report({ ...session, streamGroupId: WRONG_GROUP });
      await openUnstarted(world, session);
      await hasFailedBefore(world, session, 3);
      await world.report(session);
      // What delays the wrong report leaves the name to the right one.
      return { session, outcomes: [0, 1], phases: ['FAILED', 'CLOSED'] };
    },
  },
  {
    name: 'a feed names a session that the service does not know',
    play: async (world) => {
      const known = await world.session();
      const session = { ...known, streamSessionId: `No${known.streamSessionId}` };
      await world.report(session, { connectionTimeoutSeconds: 10 });
      return { session, outcomes: 0, phases: ['FAILED'], redEnds: 2 };
    },
  },
  {
    name: 'a feed sends what fits no contract',
    play: async (world) => {
      const session = await world.session();
      const rejections = async () =>
        (await world.events()).filter(({ detailType }) => detailType.endsWith('Rejected')).length;
      const before = await rejections();
      await world.publish({ version: '1', streamSessionId: session.streamSessionId });
      return {
        session,
        outcomes: 0,
        phases: [undefined],
        also: async () => ((await rejections()) > before ? [] : ['the rejection was not published']),
      };
    },
  },
];
