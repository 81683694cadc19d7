import type { SessionRecord } from 'game-lift-streams-local';
import { describe, expect, it } from 'vitest';
import { fateOf } from '../../bench/soak/fates.ts';
import { RecordedOutcomes } from '../../bench/soak/round.ts';
import { truthOf } from '../../bench/soak/truth.ts';

type Status = SessionRecord['history'][number]['status'];

const historyOf = (...statuses: Status[]) => ({
  history: statuses.map((status, index) => ({ status, atMs: index * 1000 })),
});

describe('what must have been recorded of a session', () => {
  it('is nothing before its client is lost', () => {
    expect(truthOf(historyOf('ACTIVATING', 'ACTIVE', 'CONNECTED'))).toEqual({ outcomes: [], waiting: false });
  });

  it('is one outcome for each disconnect, in their order', () => {
    const history = historyOf(
      'CONNECTED',
      'PENDING_CLIENT_RECONNECTION',
      'RECONNECTING',
      'ACTIVE',
      'CONNECTED',
      'PENDING_CLIENT_RECONNECTION',
      'TERMINATING',
      'TERMINATED',
    );

    expect(truthOf(history)).toEqual({ outcomes: ['RECONNECTED', 'TERMINATED'], waiting: false });
  });

  it('is one outcome of a disconnect whose first answer came to nothing', () => {
    const history = historyOf(
      'CONNECTED',
      'PENDING_CLIENT_RECONNECTION',
      'ACTIVE',
      'PENDING_CLIENT_RECONNECTION',
      'ERROR',
    );

    expect(truthOf(history)).toEqual({ outcomes: ['ERRORED'], waiting: false });
  });

  it('is not known while the session waits', () => {
    expect(truthOf(historyOf('CONNECTED', 'PENDING_CLIENT_RECONNECTION'))).toEqual({
      outcomes: [],
      waiting: true,
    });
  });

  it('is nothing of a session that ends while it is connected', () => {
    expect(truthOf(historyOf('CONNECTED', 'TERMINATING', 'TERMINATED')).outcomes).toEqual([]);
  });
});

describe('what has been recorded of a session', () => {
  const line = (generation: number) =>
    JSON.stringify({
      message: 'OutcomeRecorded',
      streamSessionId: 'one',
      generation,
      outcome: 'RECONNECTED',
    });

  it('is read from the log, a second record of the same window too', () => {
    const outcomes = new RecordedOutcomes();

    for (const generation of [1, 2, 2]) outcomes.read(line(generation));

    expect(outcomes.of('one').map(({ generation }) => generation)).toEqual([1, 2, 2]);
  });

  it('is nothing for any other line', () => {
    const outcomes = new RecordedOutcomes();

    outcomes.read('{"message":"OutcomePostponed","streamSessionId":"one"}');

    expect(outcomes.of('one')).toEqual([]);
  });
});

it('gives every twenty sessions every fate', () => {
  const fates = new Set(Array.from({ length: 20 }, (_, index) => fateOf(index)));

  expect([...fates].sort()).toEqual([
    'applicationExits',
    'comesBack',
    'comesBackTwice',
    'comesBackUnseen',
    'neverComesBack',
    'sessionFails',
  ]);
});
