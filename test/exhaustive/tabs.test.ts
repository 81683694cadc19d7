import { describe } from 'vitest';
import { createConnection } from '../../functions/create-connection/create-connection.ts';
import { awaitTurn } from '../../functions/request-connection/await-turn.ts';
import { exported, itFindsTheBugs, itHoldsInEveryHistory } from './exhaustive.ts';
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
  const file = 'functions/shared/quota/places.ts';
  itFindsTheBugs(
    'functions/create-connection/create-connection.ts',
    [
      {
        name: 'a place is left twice',
        file,
        find: "'latestOffer = :offer AND attribute_not_exists(isServed)'",
        replace: "'(latestOffer = :offer OR attribute_exists(pk))'",
        shows: /numbers were served of/,
      },
    ],
    (mutant) => ({ ...REAL_CODE, createConnection: exported(mutant, createConnection) }),
    {},
    (world, code) => tabsScenario(world, { code, tabs: 2 }),
  );
  itFindsTheBugs(
    'functions/request-connection/await-turn.ts',
    [
      {
        name: 'a place remembers no offer but the latest one',
        file,
        find: "recentOffers: [...names.slice(-(RECENT_OFFERS - 1)), nameOf(offerId)].join('')",
        replace: 'recentOffers: nameOf(offerId)',
        shows: /the offer of tab-\d was forgotten/,
      },
    ],
    (mutant) => ({ ...REAL_CODE, awaitTurn: exported(mutant, awaitTurn) }),
    {},
    (world, code) => tabsScenario(world, { code, tabs: 2 }),
  );
});
