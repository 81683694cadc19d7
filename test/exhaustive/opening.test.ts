import { describe } from 'vitest';
import { onStatusChange } from '../../functions/on-status-change/on-status-change.ts';
import { readWindow } from '../../functions/shared/window/window-item.ts';
import { mendWindow } from '../../functions/watch-sessions/reconcile-windows.ts';
import { withCondition, withoutCall } from './bugs.ts';
import { itFindsTheBugs, itHoldsInEveryHistory } from './exhaustive.ts';
import { type OpeningOptions, openingScenario, REAL_CODE, SESSION } from './opening-scenario.ts';

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
    REAL_CODE,
    [
      {
        name: 'only who opens the window starts its execution',
        code: {
          onStatusChange: async (event, dependencies) => {
            const window = await readWindow(dependencies.table, SESSION);
            return onStatusChange(
              event,
              window === undefined ? dependencies : withoutCall(dependencies, 'StartExecutionCommand'),
            );
          },
        },
        shows: /nobody has started its execution/,
      },
      {
        name: 'a window is opened without a look whether there is one',
        code: {
          onStatusChange: (event, dependencies) =>
            onStatusChange(
              event,
              withCondition(dependencies, 'attribute_not_exists(pk)', 'attribute_not_exists(nothing)'),
            ),
        },
        shows: /a window is open after its outcome|two outcomes|2 windows for one disconnect/,
      },
    ],
    { deaths: 1 },
    (world, code) => openingScenario(world, { code, reports: 2, repeats: 1 }),
  );
  itFindsTheBugs(
    REAL_CODE,
    [
      {
        name: 'the watcher takes every execution for dead',
        code: {
          mendWindow: (session, window, dependencies) =>
            mendWindow(
              session,
              window,
              withoutCall(dependencies, 'DescribeExecutionCommand', { status: 'ABORTED' }),
            ),
        },
        shows: /run at once|windows for one disconnect/,
      },
      {
        name: 'a dead window is replaced without a look whether it is still there',
        code: {
          mendWindow: (session, window, dependencies) =>
            mendWindow(
              session,
              window,
              withCondition(
                dependencies,
                'generation = :generation AND phase = :phase AND seq = :seq',
                'generation = :generation AND phase = :phase AND seq = :seq OR attribute_exists(pk)',
              ),
            ),
        },
        shows: /a window is open after its outcome/,
      },
    ],
    {},
    (world, code) => openingScenario(world, { code, reports: 1, looks: 2, stops: 1 }),
  );
});
