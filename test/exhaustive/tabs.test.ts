import { describe } from 'vitest';
import { createConnection } from '../../functions/create-connection/create-connection.ts';
import { awaitTurn } from '../../functions/request-connection/await-turn.ts';
import { withCondition, withValue } from './bugs.ts';
import { itFindsTheBugs, itHoldsInEveryHistory } from './exhaustive.ts';
import { REAL_CODE, type TabsOptions, tabsScenario } from './tabs-scenario.ts';

describe('who asked last gets the answer, and no number in line is served twice, in every history of', () => {
  itHoldsInEveryHistory<TabsOptions>(
    [
      { name: 'one tab, its process dying twice', budget: { deaths: 2 }, options: { tabs: 1, repeats: 2 } },
      { name: 'two tabs', options: { tabs: 2 } },
      {
        name: 'two tabs, any process dying and asked again',
        budget: { deaths: 1 },
        options: { tabs: 2, repeats: 1 },
        large: true,
      },
    ],
    tabsScenario,
  );
});

describe('the look at every history of two tabs', () => {
  itFindsTheBugs(
    REAL_CODE,
    [
      {
        name: 'a place is left twice',
        code: {
          createConnection: (input, dependencies) =>
            createConnection(
              input,
              withCondition(
                dependencies,
                'latestOffer = :offer AND attribute_not_exists(isServed)',
                '(latestOffer = :offer OR attribute_exists(pk))',
              ),
            ),
        },
        shows: /numbers were served of/,
      },
      {
        name: 'a place remembers no offer but the latest one',
        code: {
          awaitTurn: (session, offerId, dependencies) =>
            awaitTurn(
              session,
              offerId,
              withValue(dependencies, ':recentOffers', (names) => String(names).slice(-8)),
            ),
        },
        shows: /the offer of tab-\d was forgotten/,
      },
    ],
    {},
    (world, code) => tabsScenario(world, { code, tabs: 2 }),
  );
});
