import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { statusReasonSchema, toStatusReason } from '../../../functions/shared/contracts/fields.ts';

describe('a StatusReason of the service', () => {
  it.each<[string, unknown, string | null]>([
    ['is kept when it is one that we know', 'reconnectionTimeout', 'reconnectionTimeout'],
    ['is kept when it is new to us', 'Some new reason: 42 %', 'Some new reason: 42 %'],
    ['is kept up to its longest', 'a'.repeat(256), 'a'.repeat(256)],
    ['is cut when it is longer', 'a'.repeat(1000), 'a'.repeat(256)],
    ['is not cut through a character', `${'a'.repeat(255)}🎮`, 'a'.repeat(255)],
    ['is none when it is empty', '', null],
    ['is none when it is blank', ' \t\r\n\u2028', null],
    ['is none when it is missing', undefined, null],
    ['is none when it is no text', 7, null],
    ['keeps one space for what cannot be printed', 'lost\u0000\u001b\r\nclient\u202e', 'lost client'],
    ['has no half characters', 'a\ud800b', 'a\ufffdb'],
  ])('%s', (_, given, expected) => {
    expect(toStatusReason(given)).toBe(expected);
  });

  it('fits the contract, or is none, whatever it was, and is the same when brought into form again', () => {
    const anyText = fc.string({
      unit: fc.nat({ max: 0xffff }).map((code) => String.fromCharCode(code)),
      maxLength: 600,
    });
    fc.assert(
      fc.property(fc.oneof(anyText, fc.anything()), (given) => {
        const reason = toStatusReason(given);

        expect(statusReasonSchema.nullable().safeParse(reason).success).toBe(true);
        expect(toStatusReason(reason)).toBe(reason);
        expect(reason?.isWellFormed() ?? true).toBe(true);
      }),
    );
  });
});
