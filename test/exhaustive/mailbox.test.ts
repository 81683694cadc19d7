import { describe } from 'vitest';
import { recordOutcome } from '../../functions/record-outcome/record-outcome.ts';
import { registerTaskToken, signalWindow, wakeWindow } from '../../functions/shared/window/mailbox.ts';
import { exported, itFindsTheBugs, itHoldsInEveryHistory } from './exhaustive.ts';
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
        name: 'two signals, and any process dying and invoked again',
        budget: { deaths: 1 },
        options: { signals: [CONNECTED, DROPPED], repeats: 1 },
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
  const file = 'functions/shared/window/mailbox.ts';
  const mailboxOf = (mutant: Readonly<Record<string, unknown>>) => ({
    ...REAL_CODE,
    signalWindow: exported(mutant, signalWindow),
    registerTaskToken: exported(mutant, registerTaskToken),
    wakeWindow: exported(mutant, wakeWindow),
  });
  itFindsTheBugs(
    file,
    [
      {
        name: 'a signal is written and not sent',
        file,
        find: 'if (window.taskToken !== undefined) await deliver(window.taskToken, window, dependencies);',
        replace: '',
        shows: /the execution waits, with \d of \d signals heard/,
      },
      {
        name: 'a signal goes to whoever waited before it was written',
        file,
        find: 'const window = await addSignal(session, signal, dependencies);',
        replace:
          'const window = await openWindowOf(session, dependencies); await addSignal(session, signal, dependencies);',
        shows: /the execution waits, with \d of \d signals heard/,
      },
      {
        name: 'a registration does not look for earlier signals',
        file,
        find: 'if (window.seq > ackSeq) await deliver(taskToken, window, dependencies);',
        replace: '',
        shows: /the execution waits, with \d of \d signals heard/,
      },
      {
        name: 'the repeat of a signal is not sent',
        file,
        find: 'isRepeat(window, signal)) return window;',
        replace: 'isRepeat(window, signal)) return undefined;',
        shows: /the execution waits, with \d of \d signals heard/,
      },
      {
        name: 'the repeat of a signal counts again',
        file,
        find: "'NOT contains(signalIds, :id) AND",
        replace: "'(NOT contains(signalIds, :id) OR contains(signalIds, :id)) AND",
        shows: /seq is \d after \d signals/,
      },
      {
        name: 'a late registration takes the place of a newer one',
        file,
        find: ' AND (attribute_not_exists(waitOrder) OR waitOrder <= :waitOrder)',
        replace: '',
        shows: /the execution waits, with \d of \d signals heard/,
      },
    ],
    mailboxOf,
    { deaths: 1 },
    (world, code) => mailboxScenario(world, { code, signals: [CONNECTED, DROPPED], repeats: 1, retries: 1 }),
  );

  const recording = 'functions/record-outcome/record-outcome.ts';
  itFindsTheBugs(
    recording,
    [
      {
        name: 'an outcome is recorded over a signal that nobody has seen',
        file: 'functions/shared/window/close-window.ts',
        find: "outcome === 'RECONNECTED'\n      ? ' AND seq <= :ackSeq'",
        replace: "outcome === 'RECONNECTED'\n      ? ' AND (seq <= :ackSeq OR seq > :ackSeq)'",
        shows: /closed with \d of \d signals heard/,
      },
      {
        name: 'an outcome is published before it is written',
        file: recording,
        find: 'const closed = await closeWindow(table, input, closing);',
        replace:
          'const closed = { recorded: true, seq: input.ackSeq, connectionCreatedAtMs: 0, connectionAttempts: 0 };',
        shows: /recorded, and the window is AWAITING_RECONNECTION/,
      },
    ],
    (mutant) => ({ ...REAL_CODE, recordOutcome: exported(mutant, recordOutcome) }),
    {},
    (world, code) => mailboxScenario(world, { code, signals: [CONNECTED, DROPPED], recording: true }),
  );
  itFindsTheBugs(
    recording,
    [
      {
        name: 'NOT_DISCONNECTED is recorded over the late notice of the service',
        file: 'functions/shared/window/close-window.ts',
        find: ' AND seq <= :ackSeq AND attribute_not_exists(seenWaitingAtMs)',
        replace: ' AND seq <= :ackSeq',
        shows: /though the watcher saw it wait/,
      },
    ],
    (mutant) => ({ ...REAL_CODE, recordOutcome: exported(mutant, recordOutcome) }),
    {},
    (world, code) =>
      mailboxScenario(world, { code, signals: [CONNECTED], recording: true, noticedLate: true }),
  );
});
