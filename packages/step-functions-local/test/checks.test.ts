import { describe, expect, it } from 'vitest';
import { readDefinition } from '../src/definition/check.ts';
import { checkDefinition } from '../src/index.ts';
import { callback, machine, pass, task } from '../src/testing/index.ts';
import { broken, good } from './definition-tables.ts';

describe('checking a definition', () => {
  it.each(broken)('finds %s', async (_what, definition, expected) => {
    const errors = await checkDefinition(definition, 'STANDARD');
    expect(errors.map(({ path }) => path)).toEqual(expected.map((line) => line.slice(0, line.indexOf(': '))));
    for (const [index, line] of expected.entries()) {
      expect(errors[index]?.message).toContain(line.slice(line.indexOf(': ') + 2));
    }
  });

  it.each(good)('takes %s', async (_what, definition) => {
    expect(await checkDefinition(definition, 'STANDARD')).toEqual([]);
  });

  it('gives every error at once, whatever their kind', async () => {
    const definition = machine({
      A: task({ HeartbeatSeconds: 5, TimeoutSeconds: undefined, Output: '{% $nowhere %}', Next: 'Z' }),
      B: { Type: 'Map' },
    });
    const errors = await checkDefinition(definition, 'STANDARD');
    expect(errors.map(({ path }) => path)).toEqual([
      '/States/A/TimeoutSeconds',
      '/States/A/HeartbeatSeconds',
      '/States/B/Type',
      '/States/A/Next',
      '/States/B',
      '/States',
      '/States/A/Output',
    ]);
  });

  it('refuses a callback in an Express machine only', async () => {
    const definition = machine({ A: callback() });
    expect(await checkDefinition(definition, 'STANDARD')).toEqual([]);
    expect(await checkDefinition(definition, 'EXPRESS')).toEqual([
      {
        path: '/States/A/Resource',
        message: "Express state machine does not support '.waitForTaskToken' service integration",
      },
    ]);
  });

  it.each([
    ['asl-validator', JSON.stringify(machine({ 'A\nB': pass() }))],
    [
      'amazon-states-language-service',
      JSON.stringify(machine({ A: pass({ Comment: 'a' }) })).replace('"a"', '"a","Comment":"b"'),
    ],
  ])('listens to %s where our own check finds nothing', async (checker, text) => {
    const read = await readDefinition(text, 'STANDARD');
    expect(read).toEqual({
      ok: false,
      errors: [{ path: expect.any(String), message: expect.stringContaining(`(${checker})`) }],
    });
  });

  it('loses no field for its name', async () => {
    const text = JSON.stringify(machine({ A: pass({ Retries: 1 }), B: pass() }, { Timeout: 1 }));
    const definition: unknown = JSON.parse(text.replaceAll(/"(Retries|B|Timeout)"/g, '"__proto__"'));
    const errors = await checkDefinition(definition, 'STANDARD');
    expect(errors.map(({ path }) => path)).toEqual([
      '/States/A/__proto__',
      '/__proto__',
      '/States/__proto__',
    ]);
  });

  it('leaves the definition as it was', async () => {
    const definition = machine({ A: pass({ Output: 'plain' }) });
    const before = structuredClone(definition);
    await checkDefinition(definition, 'STANDARD');
    expect(definition).toEqual(before);
  });
});
