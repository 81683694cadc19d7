import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';

/** Wrong arguments. The message says in one line what is wrong or what is right. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const USAGE_EXIT_CODE = 2;

/** What a command says before it exits with `USAGE_EXIT_CODE`. */
export function explainUsageError({ message }: UsageError): string {
  return `${message}\n--help shows the usage.\n`;
}

/**
 * Returns the text with every control character but the line feed written out, such as `\x1b`. A command prints
 * text of others (an error's message, the reason of a switch, a window's fields), and a terminal obeys C0 and C1 controls in it.
 * Marks that turn the direction of text make it read as something else.
 */
export function printable(text: string): string {
  return text.replace(/(?!\n)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`;
  });
}

/** Returns JSON in printable ASCII: the same value, with no character that a terminal obeys, and nothing for `printable` to change. */
export function asciiJson(value: object, indent = 0): string {
  return JSON.stringify(value, null, indent).replace(
    /[\x7f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const HELP = { help: { type: 'boolean', short: 'h', default: false } } as const;

/**
 * Parses arguments as `parseArgs` of Node does, with the option `--help` added.
 *
 * @throws UsageError for an unknown option, a missing or empty value, or an unexpected argument.
 */
export function parseCommandLine<const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
  { allowPositionals = false } = {},
) {
  try {
    const parsed = parseArgs({ args: [...args], options: { ...options, ...HELP }, allowPositionals });
    const given = Object.entries(parsed.values);
    const empty = given.find(([, value]) => [value].flat().includes(''));
    if (empty !== undefined) throw new UsageError(`Option '--${empty[0]} <value>' argument missing.`);
    return { ...parsed, isHelp: given.some(([name, value]) => name === 'help' && value === true) };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(firstSentence(error.message), { cause: error });
  }
}

/** Leaves out the advice about dashes that follows. It is longer than the message. */
function firstSentence(message: string): string {
  const [sentence = ''] = message.split(/\.?\n|\. |\.$/);
  // Node says so when the next argument is an option, too.
  return `${sentence.replace(/^Option '(.+)' argument is ambiguous$/, "Option '$1 <value>' argument missing")}.`;
}

/** @throws UsageError for what is not a whole number from `least`. */
export function parseWholeNumber(text: string, option: string, least = 1): number {
  if (/^\d{1,15}$/.test(text) && Number(text) >= least) return Number(text);
  throw new UsageError(`${option} takes a whole number from ${least}.`);
}
