import { describe, expect, it } from 'vitest';
import { DependencyUnavailableException } from '../../../functions/shared/runtime/errors.ts';
import { describeError, nameToTell } from '../../../functions/shared/runtime/logging.ts';

const named = (name: string, cause?: unknown) => Object.assign(new Error('a message', { cause }), { name });
const withStack = (stack: string | undefined, message = 'a message') =>
  Object.assign(new Error(message), { stack });

describe('the name of an error', () => {
  it.each(['Error', 'Lambda.Unknown', 'E4', 'x'.repeat(100)])('is told where it is one: %s', (name) => {
    expect(nameToTell(named(name))).toBe(name);
  });

  it.each(['', '4E', ' Error', 'Error SECRET', 'Error\n', 'a=ice-pwd:SECRET', 'x'.repeat(101)])(
    'is not where a service has sent something else: %j',
    (name) => {
      expect(nameToTell(named(name))).toBe('Error');
    },
  );
});

describe('what is said of an error', () => {
  it('has the names of its causes, five at most, and no member where it has none', () => {
    let error = named('Root');
    for (const name of ['E6', 'E5', 'E4', 'E3', 'E2', 'E1']) error = named(name, error);

    expect(describeError(named('Outer', error)).causes).toEqual(['E1', 'E2', 'E3', 'E4', 'E5']);
    expect(describeError(named('Alone'))).not.toHaveProperty('causes');
  });

  it('has its message only where that is one of ours', () => {
    expect(describeError(new DependencyUnavailableException()).errorMessage).toBe(
      'A service that the workflow is built on did not answer.',
    );
    expect(describeError(named('DependencyUnavailableException'))).not.toHaveProperty('errorMessage');
  });

  it('has the frames that follow its message, trimmed, and no more than eight', () => {
    const frames = Array.from({ length: 9 }, (_, index) => `at f${index} (a.js:${index}:1)`);
    const stack = ['Error: a message', 'no frame', ...frames.map((frame) => `    ${frame}  `)].join('\n');

    expect(describeError(withStack(stack)).frames).toEqual(frames.slice(0, 8));
  });

  it('has a frame at its start only: text that has one in its middle is none', () => {
    expect(describeError(withStack('Error: a message\nSECRET at f (a.js:1:1)')).frames).toEqual([]);
  });

  it.each([
    ['without a stack', undefined],
    ['whose stack does not have its message', 'Error: another\n    at SECRET (a.js:1:1)'],
  ])('has no frames %s', (_, stack) => {
    expect(describeError(withStack(stack)).frames).toEqual([]);
  });

  it('has the frames of a stack that begins with its message', () => {
    expect(describeError(withStack('a message\n    at f (a.js:1:1)')).frames).toEqual(['at f (a.js:1:1)']);
  });

  it('is its type where it is no error', () => {
    expect(describeError('SECRET')).toEqual({ errorName: 'string' });
  });
});
