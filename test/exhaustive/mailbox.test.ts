import { describe } from 'vitest';
import { recordOutcome } from '../../functions/record-outcome/record-outcome.ts';
import { registerTaskToken, signalWindow, wakeWindow } from '../../functions/shared/window/mailbox.ts';
import { readWindow } from '../../functions/shared/window/window-item.ts';
import { withCondition, withoutCall, withoutUpdates } from './bugs.ts';
import { itFindsTheBugs, itHoldsInEveryHistory } from './exhaustive.ts';
import { type MailboxOptions, mailboxScenario, REAL_CODE } from './mailbox-scenario.ts';

const CONNECTED = { id: 'connected', connection: { createdAtMs: 5000, attempts: 2 } };
const DROPPED = { id: 'dropped' };
const OTHER = { id: 'other' };

describe('a mailbox loses no signal and counts none twice, in every history of', () => {
  itHoldsInEveryHistory<MailboxOptions>(
    [
      { name: 'three signals', options: { signals: [CONNECTED, DROPPED, OTHER] } },
      {
        name: 'two signals and a wait that times out',
        options: { signals: [CONNECTED, DROPPED], timeouts: 1 },
      },
      {
        name: 'a signal and a better deadline, and a registration that comes late',
        options: { signals: [CONNECTED], correcting: true, retries: 1 },
      },
      {
        // With two signals, and an outcome at the end, below.
        name: 'a signal, and any process dying and invoked again',
        budget: { deaths: 1 },
        options: { signals: [CONNECTED], repeats: 1 },
      },
      {
        name: 'a signal whose sender dies for good, and a wait that times out',
        budget: { deaths: 1 },
        options: { signals: [CONNECTED], timeouts: 1 },
      },
      {
        name: 'a signal and any call failing before or after its effect',
        budget: { failures: 1 },
        options: { signals: [CONNECTED], repeats: 1, timeouts: 1 },
      },
      {
        name: 'three signals, a late registration, and a wait that times out',
        options: { signals: [CONNECTED, DROPPED, OTHER], timeouts: 1, retries: 1 },
        large: true,
      },
      {
        name: 'two signals, any process dying, and a wait that times out',
        budget: { deaths: 1 },
        options: { signals: [CONNECTED, DROPPED], repeats: 1, timeouts: 1 },
        large: true,
      },
      {
        name: 'a signal, two deaths, a failed call and a wait that times out',
        budget: { deaths: 2, failures: 1 },
        options: { signals: [CONNECTED], repeats: 2, timeouts: 1 },
        large: true,
      },
    ],
    mailboxScenario,
  );
});

describe('an outcome is recorded once, and after every signal that its window took, in every history of', () => {
  itHoldsInEveryHistory<MailboxOptions>(
    [
      { name: 'three signals', options: { signals: [CONNECTED, DROPPED, OTHER], recording: true } },
      {
        name: 'two signals and any process dying',
        budget: { deaths: 1 },
        options: { signals: [CONNECTED, DROPPED], repeats: 1, recording: true },
      },
      {
        name: 'two signals and any call failing before or after its effect',
        budget: { failures: 1 },
        options: { signals: [CONNECTED, DROPPED], repeats: 1, recording: true },
      },
      {
        name: 'a false alarm, a signal, and the late notice of the service',
        options: { signals: [CONNECTED], recording: true, noticedLate: true },
      },
      {
        name: 'a false alarm, a signal, the late notice of the service, and any process dying',
        budget: { deaths: 1 },
        options: { signals: [CONNECTED], repeats: 1, recording: true, noticedLate: true },
      },
      {
        name: 'three signals, a death, and a wait that times out',
        budget: { deaths: 1 },
        options: { signals: [CONNECTED, DROPPED, OTHER], repeats: 1, timeouts: 1, recording: true },
        large: true,
      },
    ],
    mailboxScenario,
  );
});

describe('the look at every history of a mailbox', () => {
  itFindsTheBugs(
    REAL_CODE,
    [
      {
        name: 'a signal is written and not sent',
        code: {
          signalWindow: (session, signal, dependencies) =>
            signalWindow(session, signal, withoutCall(dependencies, 'SendTaskSuccessCommand')),
        },
        shows: /the execution waits, with \d of \d signals heard/,
      },
      {
        name: 'a signal goes to whoever waited before it was written',
        code: {
          signalWindow: async (session, signal, dependencies) => {
            const before = await readWindow(dependencies.table, session);
            await signalWindow(session, signal, withoutCall(dependencies, 'SendTaskSuccessCommand'));
            if (before !== undefined) await wakeWindow(before, dependencies);
            return before;
          },
        },
        shows: /the execution waits, with \d of \d signals heard/,
      },
      {
        name: 'a registration does not look for earlier signals',
        code: {
          registerTaskToken: (session, registration, dependencies) =>
            registerTaskToken(session, registration, withoutCall(dependencies, 'SendTaskSuccessCommand')),
        },
        shows: /the execution waits, with \d of \d signals heard/,
      },
      {
        name: 'the repeat of a signal is not sent',
        code: {
          signalWindow: async (session, signal, dependencies) => {
            const before = await readWindow(dependencies.table, session);
            if (before?.signalIds?.has(signal.id)) return undefined;
            return signalWindow(session, signal, dependencies);
          },
        },
        shows: /the execution waits, with \d of \d signals heard/,
      },
      {
        name: 'the repeat of a signal counts again',
        code: {
          signalWindow: (session, signal, dependencies) =>
            signalWindow(
              session,
              signal,
              withCondition(
                dependencies,
                'NOT contains(signalIds, :id)',
                '(NOT contains(signalIds, :id) OR contains(signalIds, :id))',
              ),
            ),
        },
        shows: /seq is \d after \d signals/,
      },
      {
        name: 'a late registration takes the place of a newer one',
        code: {
          registerTaskToken: (session, registration, dependencies) =>
            registerTaskToken(session, { ...registration, waitNumber: 0, retryCount: 0 }, dependencies),
        },
        shows: /the execution waits, with \d of \d signals heard/,
      },
    ],
    { deaths: 1 },
    (world, code) => mailboxScenario(world, { code, signals: [CONNECTED, DROPPED], repeats: 1, retries: 1 }),
  );

  itFindsTheBugs(
    REAL_CODE,
    [
      {
        name: 'an outcome is recorded over a signal that nobody has seen',
        code: {
          recordOutcome: (input, dependencies) =>
            recordOutcome({ ...input, ackSeq: Number.MAX_SAFE_INTEGER }, dependencies),
        },
        shows: /closed with \d of \d signals heard/,
      },
      {
        name: 'an outcome is published before it is written',
        code: { recordOutcome: (input, dependencies) => recordOutcome(input, withoutUpdates(dependencies)) },
        shows: /recorded, and the window is AWAITING_RECONNECTION/,
      },
    ],
    {},
    (world, code) => mailboxScenario(world, { code, signals: [CONNECTED, DROPPED], recording: true }),
  );
  itFindsTheBugs(
    REAL_CODE,
    [
      {
        name: 'NOT_DISCONNECTED is recorded over the late notice of the service',
        code: {
          recordOutcome: (input, dependencies) =>
            recordOutcome(
              input,
              withCondition(dependencies, ' AND attribute_not_exists(seenWaitingAtMs)', ''),
            ),
        },
        shows: /though the watcher saw it wait/,
      },
    ],
    {},
    (world, code) =>
      mailboxScenario(world, { code, signals: [CONNECTED], recording: true, noticedLate: true }),
  );
});
