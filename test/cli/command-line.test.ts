import { describe, expect, it } from 'vitest';
import { parseCommandLine, parseWholeNumber, UsageError } from '../../cli/command-line.ts';

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
