import { describe, expect, it } from 'vitest';
import {
  changesOf,
  outputsOfParameters,
  parametersOfOutputs,
  problemsOfChanges,
} from '../../scripts/serverless/deployed.ts';
import type { Parameters } from '../../scripts/serverless/parameters.ts';

const defaults = { eventBus: '', rolePath: '', readsPerSecond: '20', streamGroups: '', tableName: '' };
const before: Parameters = { streamGroups: 'sg-a', readsPerSecond: '40' };
const problems = (given: Parameters, ...deployed: readonly (Parameters | undefined)[]) =>
  problemsOfChanges({ deployed: deployed.length > 0 ? deployed[0] : before, given, defaults, accepted: [] });

describe('the parameters in the outputs of a stack', () => {
  it.each([
    ['none', {}],
    ['a few', { streamGroups: 'sg-a,sg-b', eventBus: 'game "events"' }],
    [
      'more than one output holds',
      Object.fromEntries(Array.from({ length: 90 }, (_, i) => [`p${i}`, 'v'.repeat(60)])),
    ],
  ])('are read as they were written: %s', (_title, given) => {
    const outputs = outputsOfParameters(given);

    const values = Object.entries(outputs).map(([name, { Value }]) => [name, Value] as const);
    expect(parametersOfOutputs(new Map(values.toReversed()))).toEqual(given);
  });

  it('take 1,000 characters at most in each output', () => {
    const outputs = outputsOfParameters({ tags: 'x'.repeat(2_500) });

    const lengths = Object.values(outputs).map(({ Value }) => String(Value).length);
    expect(lengths).toEqual([1_000, 1_000, 511]);
  });

  it('are the same text in whatever order they were given', () => {
    expect(outputsOfParameters({ b: '2', a: '1' })).toEqual(outputsOfParameters({ a: '1', b: '2' }));
  });

  it('are undefined for a stack of a version that listed none', () => {
    expect(parametersOfOutputs(new Map([['TableName', 'table']]))).toBeUndefined();
  });

  it('are refused when they are no list of parameters', () => {
    expect(() => parametersOfOutputs(new Map([['Parameters1', '{"a":']]))).toThrow(
      "The stack's outputs Parameters1 are not a list of parameters.",
    );
  });
});

describe('a deployment after another', () => {
  it('needs nothing where there is no stack, or one that lists no parameters', () => {
    expect(problems({}, undefined)).toEqual([]);
  });

  it('goes on with the same parameters, more of them, or other values', () => {
    expect(problems(before)).toEqual([]);
    expect(problems({ ...before, eventBus: 'game' })).toEqual([]);
    expect(problems({ ...before, streamGroups: 'sg-b' })).toEqual([]);
  });

  it('is refused when it forgets a parameter that had another value than the default', () => {
    expect(problems({ streamGroups: 'sg-a' })).toEqual([
      'readsPerSecond, "40": not given any more; it would be "20", the default',
    ]);
    expect(problems({})).toHaveLength(2);
  });

  it('is refused when this version does not know a parameter that the stack was given', () => {
    expect(problems(before, { ...before, oldName: 'x' })).toEqual([
      'oldName, "x": not given any more; this version has no such parameter',
    ]);
  });

  it('may leave out a parameter that had its default', () => {
    expect(problems({ streamGroups: 'sg-a' }, { streamGroups: 'sg-a', readsPerSecond: '20' })).toEqual([]);
  });

  it('may set a parameter back to its default by giving it', () => {
    expect(problems({ streamGroups: '', readsPerSecond: '20' })).toEqual([]);
  });

  it('drops what it is told to drop, and nothing else', () => {
    const accepting = (accepted: readonly string[]) =>
      problemsOfChanges({ deployed: before, given: {}, defaults, accepted });

    expect(accepting(['readsPerSecond', 'streamGroups'])).toEqual([]);
    expect(accepting(['readsPerSecond'])).toEqual([expect.stringMatching(/^streamGroups, "sg-a"/)]);
  });

  it.each(['rolePath', 'tableName'])(
    'is refused when it changes %s, on which open windows depend',
    (name) => {
      expect(problems({ ...before, [name]: '/new/' })).toEqual([
        expect.stringMatching(`^${name}, "" → "/new/": `),
      ]);
    },
  );

  it('is not confused by a parameter of the name of what every object has', () => {
    expect(
      problems(before, JSON.parse('{"streamGroups":"sg-a","readsPerSecond":"40","constructor":"x"}')),
    ).toEqual(['constructor, "x": not given any more; this version has no such parameter']);
  });

  it('says what it changes', () => {
    const given = { streamGroups: 'sg-b', eventBus: 'game' };

    expect(changesOf({ deployed: before, given, defaults })).toEqual([
      'eventBus: "" → "game"',
      'readsPerSecond: "40" → "20"',
      'streamGroups: "sg-a" → "sg-b"',
    ]);
  });
});
