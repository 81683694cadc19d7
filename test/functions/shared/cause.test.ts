import { StreamSessionStatusReason } from '@aws-sdk/client-gameliftstreams';
import { describe, expect, it } from 'vitest';
import { causeOf, isNoLoss } from '../../../functions/shared/window/cause.ts';

const TERMINATED = { outcome: 'TERMINATED' } as const;

describe('the cause of an outcome', () => {
  it.each(['RECONNECTED', 'NOT_DISCONNECTED'] as const)('is the outcome itself: %s', (outcome) => {
    expect(causeOf({ outcome, statusReason: 'apiTerminated', endedBy: 'LEFT' })).toBe(outcome);
  });

  it.each(Object.values(StreamSessionStatusReason))(
    'is known for the reason %s, unless somebody called the API',
    (reason) => {
      expect(causeOf({ ...TERMINATED, statusReason: reason }) === 'UNKNOWN').toBe(reason === 'apiTerminated');
    },
  );

  it.each([
    ['connectionTimeout', 'TIMED_OUT'],
    ['reconnectionTimeout', 'TIMED_OUT'],
    ['applicationExit', 'APPLICATION'],
    ['maxSessionLengthTimeout', 'SERVICE'],
    ['a reason of next year', 'UNKNOWN'],
    [null, 'UNKNOWN'],
  ])('of TERMINATED follows from the reason %s', (statusReason, cause) => {
    expect(causeOf({ ...TERMINATED, statusReason })).toBe(cause);
  });

  it.each(['apiTerminated', 'reconnectionTimeout', 'connectionTimeout', 'a reason of next year', null])(
    'is who marked the session as ended, with the reason %s',
    (statusReason) => {
      expect(causeOf({ ...TERMINATED, statusReason, endedBy: 'LEFT' })).toBe('LEFT');
      expect(causeOf({ ...TERMINATED, statusReason, endedBy: 'OPERATOR', isAbandoned: true })).toBe(
        'OPERATOR',
      );
    },
  );

  it.each([
    ['applicationExit', 'APPLICATION'],
    ['maxSessionLengthTimeout', 'SERVICE'],
  ])('is not who marked it where the service says better: %s', (statusReason, cause) => {
    expect(causeOf({ ...TERMINATED, statusReason, endedBy: 'LEFT' })).toBe(cause);
  });

  it('is a timeout where this window ended a session that nobody came back to', () => {
    expect(causeOf({ ...TERMINATED, statusReason: 'apiTerminated', isAbandoned: true })).toBe('TIMED_OUT');
  });

  it.each(['internalError', 'invalidSignalRequest', 'reconnectionTimeout', null])(
    'of ERRORED is the service, with the reason %s',
    (statusReason) => {
      expect(causeOf({ outcome: 'ERRORED', statusReason, endedBy: 'LEFT' })).toBe('SERVICE');
    },
  );
});

it.each([
  ['RECONNECTED', false],
  ['TIMED_OUT', false],
  ['LEFT', true],
  ['OPERATOR', true],
  ['NOT_DISCONNECTED', true],
  ['UNKNOWN', false],
] as const)('%s is no loss: %s', (cause, is) => {
  expect(isNoLoss(cause)).toBe(is);
});
