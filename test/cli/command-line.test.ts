import { describe, expect, it } from 'vitest';
import { parseCommandLine, parseWholeNumber, printable, UsageError } from '../../cli/command-line.ts';

const OPTIONS = {
  runs: { type: 'string', default: '4' },
  json: { type: 'boolean', default: false },
} as const;

describe('a command line', () => {
  it.each([
    [['--tabel'], "Unknown option '--tabel'."],
    [['--runs'], "Option '--runs <value>' argument missing."],
    [['--runs='], "Option '--runs <value>' argument missing."],
    [['--runs', '--json'], "Option '--runs <value>' argument missing."],
    [['--json=yes'], "Option '--json' does not take an argument."],
    [['word'], "Unexpected argument 'word'."],
  ])('refuses %j in one sentence', (args, message) => {
    expect(() => parseCommandLine(args, OPTIONS)).toThrow(new UsageError(message));
  });

  it('refuses an unknown option in the same sentence where words are allowed', () => {
    expect(() => parseCommandLine(['--tabel'], OPTIONS, { allowPositionals: true })).toThrow(
      new UsageError("Unknown option '--tabel'."),
    );
  });

  it.each(['--help', '-h'])('asks for help with %s', (option) => {
    expect(parseCommandLine([option], OPTIONS).isHelp).toBe(true);
  });

  it('has its defaults without arguments', () => {
    const { values, isHelp } = parseCommandLine([], OPTIONS);

    expect(values).toMatchObject({ runs: '4', json: false });
    expect(isHelp).toBe(false);
  });

  it.each(['', '0', '-1', '1.5', '1e3', '0x10', ' 1', 'NaN', '9'.repeat(16)])(
    'refuses %j for a whole number from 1',
    (text) => {
      expect(() => parseWholeNumber(text, '--runs')).toThrow(
        new UsageError('--runs takes a whole number from 1.'),
      );
    },
  );
});

describe('what a command tells', () => {
  it('obeys no control character of what others wrote', () => {
    const text = 'a\x1b[2J\x9b2J\x07\b\r\x7f\u202e\u2028b';

    expect(printable(text)).toBe('a\\x1b[2J\\x9b2J\\x07\\x08\\x0d\\x7f\\u202e\\u2028b');
  });

  it('keeps lines, and letters of every language', () => {
    expect(printable('für\n日本語 😀\n')).toBe('für\n日本語 😀\n');
  });
});
