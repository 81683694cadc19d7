import { describe } from 'vitest';
import { onStatusChange } from '../../functions/on-status-change/on-status-change.ts';
import { mendWindow } from '../../functions/watch-sessions/mend-window.ts';
import { exported, itFindsTheBugs, itHoldsInEveryHistory } from './exhaustive.ts';
import { type OpeningOptions, openingScenario, REAL_CODE } from './opening-scenario.ts';

describe('one disconnect has one window, one execution at a time and one outcome, in every history of', () => {
  itHoldsInEveryHistory<OpeningOptions>(
    [
      { name: 'two reports', options: { reports: 2 } },
      { name: 'three reports', options: { reports: 3 } },
      {
        name: 'a report, any process dying and invoked again',
        budget: { deaths: 1 },
        options: { reports: 1, repeats: 1 },
      },
      {
        name: 'two reports, any process dying and invoked again',
        budget: { deaths: 1 },
        options: { reports: 2, repeats: 1 },
      },
      {
        name: 'a report and any call failing before or after its effect',
        budget: { failures: 1 },
        options: { reports: 1, repeats: 1, looks: 1 },
      },
      { name: 'a report and two looks of the watcher', options: { reports: 1, looks: 2 } },
      {
        name: 'a report, an execution that is stopped, and a look of the watcher',
        options: { reports: 1, looks: 1, stops: 1 },
      },
      { name: 'two reports and an execution that is stopped', options: { reports: 2, stops: 1 } },
      { name: 'a report and two executions that are stopped', options: { reports: 1, stops: 2 } },
      {
        name: 'two reports, an execution that is stopped, and a look of the watcher',
        options: { reports: 2, looks: 1, stops: 1 },
        large: true,
      },
      {
        name: 'a report, a death, an execution that is stopped, and a look of the watcher',
        budget: { deaths: 1 },
        options: { reports: 1, repeats: 1, looks: 1, stops: 1 },
        large: true,
      },
    ],
    openingScenario,
  );
});

describe('the look at every history of an opening', () => {
  itFindsTheBugs(
    'functions/on-status-change/on-status-change.ts',
    [
      {
        name: 'only who opens the window starts its execution',
        file: 'functions/on-status-change/on-status-change.ts',
        find: "await ensureOwner(session, window, { ...dependencies, log });\n  if (kind === 'OPENED') return",
        replace:
          "if (kind === 'OPENED') await ensureOwner(session, window, { ...dependencies, log });\n  if (kind === 'OPENED') return",
        shows: /nobody has started its execution/,
      },
      {
        name: 'a window is opened without a look whether there is one',
        file: 'functions/shared/window/open-window.ts',
        find: "'attribute_not_exists(pk)'",
        replace: "'attribute_not_exists(nothing)'",
        shows: /a window is open after its outcome|two outcomes|2 windows for one disconnect/,
      },
    ],
    (mutant) => ({ ...REAL_CODE, onStatusChange: exported(mutant, onStatusChange) }),
    { deaths: 1 },
    (world, code) => openingScenario(world, { code, reports: 2, repeats: 1 }),
  );
  itFindsTheBugs(
    'functions/watch-sessions/mend-window.ts',
    [
      {
        name: 'the watcher takes every execution for dead',
        file: 'functions/watch-sessions/mend-window.ts',
        find: "return described.ok && described.result.status === 'RUNNING';",
        replace: 'return false;',
        shows: /run at once|windows for one disconnect/,
      },
      {
        name: 'a dead window is replaced without a look whether it is still there',
        file: 'functions/shared/window/open-window.ts',
        find: "'generation = :generation AND phase = :phase AND seq = :seq'",
        replace: "'generation = :generation AND phase = :phase AND seq = :seq OR attribute_exists(pk)'",
        shows: /a window is open after its outcome/,
      },
    ],
    (mutant) => ({ ...REAL_CODE, mendWindow: exported(mutant, mendWindow) }),
    {},
    (world, code) => openingScenario(world, { code, reports: 1, looks: 2, stops: 1 }),
  );
});
