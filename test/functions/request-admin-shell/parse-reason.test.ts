import { describe, expect, it } from 'vitest';
import { parseReason } from '../../../functions/request-admin-shell/request-admin-shell.ts';
import { adminShellReasonSchema, NO_REASON } from '../../../functions/shared/contracts/index.ts';

const parse = (...values: string[]) => parseReason(new Map([['x-reason', values]]));

describe('a reason', () => {
  it.each([['incident 4711'], ['!'], ['~ "quoted" \\ {"a":1}'], ['a'.repeat(256)]])(
    'is taken as it is: %s',
    (reason) => {
      expect(parse(reason)).toBe(reason);
    },
  );

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', ' \t=HYPERLINK("https://example.com")', `=${'1'.repeat(254)}`])(
    'that begins like a formula is recorded as text: %j',
    (reason) => {
      expect(parse(reason)).toBe(`'${reason.trim()}`);
    },
  );

  it('is taken without the space around it', () => {
    expect(parse('  incident 4711 ')).toBe('incident 4711');
  });

  it('that is not given has a default, which is a reason too', () => {
    expect(parseReason(new Map())).toBe(NO_REASON);
    expect(adminShellReasonSchema.safeParse(NO_REASON).success).toBe(true);
  });

  it.each([
    ['empty', ['']],
    ['blank', ['  ']],
    ['too long', ['a'.repeat(257)]],
    ['too long with its apostrophe', [`=${'a'.repeat(255)}`]],
    ['of two lines', ['SECRET\nwhy']],
    ['with a control character', ['SECRET\u0007']],
    ['beyond ASCII', ['für SECRET']],
    ['given twice', ['SECRET one', 'SECRET two']],
  ])('is refused by the name of the header, and not quoted, when it is %s', (_, values) => {
    const refused = () => parse(...values);

    expect(refused).toThrow(expect.objectContaining({ name: 'InvalidRequestError' }));
    expect(refused).toThrow(
      'Send x-reason at most once: 1 to 256 printable ASCII characters, or 255 if it begins with =, +, - or @.',
    );
  });
});
