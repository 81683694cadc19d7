import { describe, expect, it } from 'vitest';
import { parseJson } from '../../../functions/shared/runtime/text.ts';

describe('text that may be JSON', () => {
  it('is its value, where it is', () => {
    expect(parseJson('{"a":[1,null]}')).toEqual({ a: [1, null] });
  });

  it.each(['', '{', 'v=0', undefined])('is undefined where it is not: %j', (text) => {
    expect(parseJson(text)).toBeUndefined();
  });
});
