/** DynamoDB's numbers: exact decimals of up to 38 digits, as text. A double has 15 to 17. */
import { MAX_NUMBER_DIGITS, MAX_NUMBER_EXPONENT, MIN_NUMBER_EXPONENT } from './limits.ts';

interface Decimal {
  /** Without trailing zeros. */
  readonly coefficient: bigint;
  /** The value is coefficient × 10^exponent. */
  readonly exponent: number;
}

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;
/** Doubles are exact for these, and nearly every number is one of them. */
const SMALL_INTEGER = /^-?\d{1,15}$/;

function withoutTrailingZeros(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === '0') end--;
  return digits.slice(0, end);
}

/** @throws Error for text that is no number. */
function decimalOf(text: string): Decimal {
  const [, sign, whole = '', fraction = '', power = '0'] = NUMBER.exec(text) ?? [];
  if (sign === undefined || whole + fraction === '') throw new Error('Not a number.');
  const digits = `${whole}${fraction}`;
  const trimmed = withoutTrailingZeros(digits);
  if (trimmed === '') return { coefficient: 0n, exponent: 0 };
  const exponent = Number(power) - fraction.length + (digits.length - trimmed.length);
  return { coefficient: BigInt(trimmed) * (sign === '-' ? -1n : 1n), exponent };
}

function textOf({ coefficient, exponent }: Decimal): string {
  const sign = coefficient < 0n ? '-' : '';
  const digits = String(coefficient < 0n ? -coefficient : coefficient);
  if (exponent >= 0) return `${sign}${digits}${'0'.repeat(exponent)}`;
  const padded = digits.padStart(1 - exponent, '0');
  const fraction = withoutTrailingZeros(padded.slice(exponent));
  return `${sign}${padded.slice(0, exponent)}${fraction === '' ? '' : `.${fraction}`}`;
}

/** The same number as DynamoDB writes it: without an exponent and without zeros that say nothing. */
export function normalNumber(text: string): string {
  return SMALL_INTEGER.test(text) ? String(Number(text)) : textOf(decimalOf(text));
}

/** Below zero, zero or above it, as the first number is smaller, equal or larger. */
export function compareNumbers(one: string, other: string): number {
  if (SMALL_INTEGER.test(one) && SMALL_INTEGER.test(other)) return Number(one) - Number(other);
  const difference = sumOf(decimalOf(one), decimalOf(other), -1n).coefficient;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** The exact sum, or the exact difference. */
export function addNumbers(one: string, other: string, sign: 1 | -1 = 1): string {
  if (SMALL_INTEGER.test(one) && SMALL_INTEGER.test(other)) return String(Number(one) + sign * Number(other));
  return textOf(sumOf(decimalOf(one), decimalOf(other), BigInt(sign)));
}

function sumOf(one: Decimal, other: Decimal, sign: bigint): Decimal {
  const exponent = Math.min(one.exponent, other.exponent);
  const scaled = (decimal: Decimal) => decimal.coefficient * 10n ** BigInt(decimal.exponent - exponent);
  return { coefficient: scaled(one) + sign * scaled(other), exponent };
}

/** Significant digits: what a number takes in storage, and what is limited. */
export function digitsOf(text: string): number {
  const { coefficient } = decimalOf(text);
  return coefficient === 0n ? 0 : String(coefficient < 0n ? -coefficient : coefficient).length;
}

/** Why DynamoDB refuses the number, in its words; undefined when it does not. */
export function numberRefusal(text: string): string | undefined {
  if (SMALL_INTEGER.test(text)) return undefined;
  const digits = digitsOf(text);
  const firstDigit = decimalOf(text).exponent + digits - 1;
  if (digits > 0 && firstDigit > MAX_NUMBER_EXPONENT) {
    return 'Number overflow. Attempting to store a number with magnitude larger than supported range';
  }
  if (digits > 0 && firstDigit < MIN_NUMBER_EXPONENT) {
    return 'Number underflow. Attempting to store a number with magnitude smaller than supported range';
  }
  return digits > MAX_NUMBER_DIGITS
    ? 'Attempting to store more than 38 significant digits in a Number'
    : undefined;
}
