import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Given } from '../../../functions/shared/runtime/definition.ts';
import * as errors from '../../../functions/shared/runtime/errors.ts';
import { defineTask, taskInputShape } from '../../../functions/shared/runtime/task.ts';
import { captureOutput, lambdaContext } from '../../helpers/lambda.ts';
import { tableAt } from '../../helpers/table.ts';

const SECRET = 'a=ice-pwd:SECRET';
const INPUT = {
  streamGroupId: 'sg-1',
  streamSessionId: 'session',
  executionName: 'session-1',
  generation: 1,
};
const schema = z.object({ ...taskInputShape, generation: z.int() });
type Input = z.infer<typeof schema>;

const { documents } = tableAt('http://127.0.0.1:1');
const environment = { TABLE_NAME: 'the-table', READS_PER_SECOND: '20' };

function prepare(decide: (input: Input, dependencies: Given<never, 'READS_PER_SECOND'>) => Promise<unknown>) {
  const output = captureOutput();
  const task = defineTask({ settings: ['READS_PER_SECOND'], input: schema, decide });
  const handler = task.handler({ documents }, { environment });
  return {
    output,
    /** As Lambda calls it: the input is whatever the state machine sent. */
    invoke: (input: unknown) => Reflect.apply(handler, undefined, [input, lambdaContext()]),
    failureOf: async (input: unknown): Promise<Error> => {
      const failure: unknown = await Promise.resolve(
        Reflect.apply(handler, undefined, [input, lambdaContext()]),
      ).then(
        () => new Error('The task succeeded.'),
        (error: unknown) => error,
      );
      if (failure instanceof Error) return failure;
      throw new Error('What was thrown is no error.');
    },
  };
}

/** What Lambda reports of a thrown error: to the state machine, and, with every enumerable member, to the log. */
const reported = (error: Error) =>
  JSON.stringify({ name: error.name, message: error.message, stack: error.stack }) +
  JSON.stringify(error, (_key, value: unknown) =>
    value instanceof Error ? { ...value, message: value.message, stack: value.stack } : value,
  );

describe('a task', () => {
  it('gets its input as its schema has it, its table and its settings', async () => {
    const { invoke } = prepare(async (input, { table, settings }) => ({
      input,
      table: table.name,
      reads: settings.READS_PER_SECOND,
    }));

    expect(await invoke({ ...INPUT, unknownMember: SECRET })).toEqual({
      input: INPUT,
      table: 'the-table',
      reads: 20,
    });
  });

  it('writes lines that carry the session and the execution', async () => {
    const { invoke, output } = prepare(async (_, { log }) => {
      log.info('SessionChecked', { overdue: false });
      log.with({ generation: 1 }).warn('CallThrottled');
    });

    await invoke(INPUT);

    const keys = { streamGroupId: 'sg-1', streamSessionId: 'session', executionName: 'session-1' };
    expect(output.lines()).toMatchObject([
      { ...keys, level: 'INFO', message: 'SessionChecked', overdue: false },
      { ...keys, level: 'WARN', message: 'CallThrottled', generation: 1 },
    ]);
    expect(output.lines()[0]).not.toHaveProperty('generation');
  });

  it('keeps the lines of two sessions apart that it works for at once', async () => {
    const { invoke, output } = prepare(async (_, { log }) => {
      await new Promise((resolve) => setImmediate(resolve));
      log.info('SessionChecked');
    });

    await Promise.all(['a', 'b'].map((streamSessionId) => invoke({ ...INPUT, streamSessionId })));

    expect(output.lines().map(({ streamSessionId }) => streamSessionId)).toEqual(['a', 'b']);
  });
});

describe('an input that no state machine builds', () => {
  it.each<[string, unknown]>([
    ['a member of another type', { ...INPUT, generation: SECRET }],
    ['a member missing', { ...INPUT, executionName: undefined }],
    ['a session that is no id', { ...INPUT, streamSessionId: SECRET }],
    ['text', SECRET],
    ['null', null],
    ['nothing', undefined],
  ])('is refused for good, without being quoted: %s', async (_, input) => {
    const { failureOf, output } = prepare(() => Promise.reject(new Error('It must not come to this.')));

    const failure = await failureOf(input);

    expect(failure).toMatchObject({
      name: 'InvalidTaskInputError',
      message: 'The input of the task is not of its schema.',
    });
    expect(reported(failure)).not.toContain('SECRET');
    expect(output.text()).not.toContain('SECRET');
    expect(output.lines()).toMatchObject([
      { level: 'ERROR', message: 'TaskFailed', errorName: 'InvalidTaskInputError', causes: ['ParseError'] },
    ]);
  });
});

describe('what a decision throws', () => {
  const known = Object.values(errors).filter(
    (member): member is typeof errors.UnexpectedError => member !== errors.isKnownError,
  );

  it('can be each of the errors that Retry and Catch know', () => {
    expect(known.map((KnownError) => new KnownError().name)).toEqual([
      'ThrottlingException',
      'ConflictException',
      'SessionAnsweredException',
      'InternalServerException',
      'StreamSessionAccessNotReadyException',
      'PermitNotAvailableException',
      'DependencyUnavailableException',
      'ContentionException',
      'ServiceAccessDeniedException',
      'WindowNotOpenError',
      'InvalidTaskInputError',
      'UnexpectedError',
    ]);
  });

  it.each(known)('says in fixed words what it is: $name', (KnownError) => {
    expect(new KnownError().message).toMatch(/^[A-Z].+\.$/);
  });

  it.each(known.map((KnownError) => new KnownError({ cause: new TypeError(SECRET) })))(
    'leaves as it is when it is known: %s',
    async (error) => {
      const { failureOf, output } = prepare(() => Promise.reject(error));

      const failure = await failureOf(INPUT);

      expect(failure).toBe(error);
      expect(reported(failure)).not.toContain('SECRET');
      expect(output.text()).not.toContain('SECRET');
      expect(output.lines()).toMatchObject([
        {
          message: 'TaskFailed',
          streamSessionId: 'session',
          executionName: 'session-1',
          errorName: error.name,
          errorMessage: error.message,
          causes: ['TypeError'],
        },
      ]);
    },
  );

  it.each<[string, unknown, string]>([
    ['one that quotes its input', new SyntaxError(`Unexpected token in ${SECRET}`), 'SyntaxError'],
    ['one whose message looks like a stack', new Error(`failed\n    at ${SECRET} (a.js:1:1)`), 'Error'],
    ['one with members', Object.assign(new Error('failed'), { input: SECRET }), 'Error'],
    [
      'one with a known name',
      Object.assign(new Error(SECRET), { name: 'ThrottlingException' }),
      'ThrottlingException',
    ],
    ['something that is no error', { message: SECRET }, 'object'],
    ['text', SECRET, 'string'],
    ['nothing', undefined, 'undefined'],
  ])('leaves as UnexpectedError with fixed words when it is %s', async (_, thrown, errorName) => {
    const { failureOf, output } = prepare(() => Promise.reject(thrown));

    const failure = await failureOf(INPUT);

    expect(failure).toBeInstanceOf(errors.UnexpectedError);
    expect(failure).toMatchObject({ message: 'The task failed in a way it does not know.', cause: thrown });
    expect(reported(failure)).not.toContain('SECRET');
    expect(output.text()).not.toContain('SECRET');
    expect(output.lines()).toMatchObject([
      {
        level: 'ERROR',
        message: 'TaskFailed',
        streamGroupId: 'sg-1',
        streamSessionId: 'session',
        executionName: 'session-1',
        errorName,
      },
    ]);
  });

  it('can be found by its stack, though its message is not told', async () => {
    const { failureOf, output } = prepare(() => Promise.reject(new Error(SECRET)));

    await failureOf(INPUT);

    const frames: unknown = output.lines()[0]?.['frames'];
    expect(frames).toEqual(expect.arrayContaining([expect.stringContaining('task.test.ts')]));
  });
});
