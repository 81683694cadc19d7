import { createHash } from 'node:crypto';
import jsonata from 'jsonata';
import { type Clock, parseJson } from 'local-server-kit';
import type { Bindings } from './template.ts';

const HASH_ALGORITHMS: Readonly<Record<string, string>> = {
  MD5: 'md5',
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};

/** Bounds what `$range` makes; AWS's own limit on the result is the payload size. */
const MAX_RANGE_ITEMS = 131_072;

/**
 * What every expression can call besides JSONata's own functions. JSONata's own that read the system clock or
 * Math.random are replaced, so that time and randomness are the ones passed in.
 */
export function jsonataFunctions(options: {
  clock: Clock;
  random: () => number;
  uniqueId: () => string;
}): Bindings {
  const { clock, random, uniqueId } = options;
  const format = jsonata('$fromMillis($millis, $picture, $timezone)');
  // $toMillis fills the parts that its picture leaves out from the time of the evaluation's environment.
  const toMillis = jsonata('($setTime(); $toMillis($timestamp, $picture))');
  toMillis.registerFunction('setTime', function (this: jsonata.Focus) {
    Object.assign(this.environment, { timestamp: new Date(clock.nowMs()) });
  });
  return {
    now: async (picture?: string, timezone?: string): Promise<unknown> =>
      picture === undefined && timezone === undefined
        ? new Date(clock.nowMs()).toISOString()
        : await format.evaluate(undefined, { millis: clock.nowMs(), picture, timezone }),
    millis: () => clock.nowMs(),
    toMillis: async (timestamp?: string, picture?: string): Promise<unknown> =>
      await toMillis.evaluate(undefined, { timestamp, picture }),
    random: (seed?: number) => (seed === undefined ? random() : seededRandom(seed)),
    shuffle: (array?: unknown) => (array === undefined ? undefined : shuffled(array, random)),
    uuid: uniqueId,
    parse,
    hash,
    partition,
    range,
    // AWS has no $eval.
    eval: undefined,
  };
}

/** One number for each seed, evenly spread (splitmix32). AWS does not say which one it gives. */
function seededRandom(seed: unknown): number {
  if (typeof seed !== 'number') throw new TypeError('Argument 1 of function "random" must be a number');
  let mixed = (seed + 0x9e3779b9) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
}

function shuffled(array: unknown, random: () => number): unknown[] {
  const items: unknown[] = Array.isArray(array) ? [...array] : [array];
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [items[last], items[other]] = [items[other], items[last]];
  }
  return items;
}

function parse(text: unknown): unknown {
  if (text === undefined) return undefined;
  if (typeof text !== 'string') throw new TypeError('Argument 1 of function "parse" must be a string');
  try {
    return parseJson(text);
  } catch {
    // JSON.parse's own message quotes the text, which may be a secret.
    throw new TypeError('Argument 1 of function "parse" is not valid JSON');
  }
}

function hash(content: unknown, algorithm: unknown): string | undefined {
  if (content === undefined) return undefined;
  if (typeof content !== 'string') throw new TypeError('Argument 1 of function "hash" must be a string');
  const name = typeof algorithm === 'string' ? HASH_ALGORITHMS[algorithm] : undefined;
  if (name === undefined) {
    throw new TypeError(
      `Argument 2 of function "hash" must be one of ${Object.keys(HASH_ALGORITHMS).join(', ')}`,
    );
  }
  return createHash(name).update(content).digest('hex');
}

function partition(array: unknown, size: unknown): unknown[][] | undefined {
  if (array === undefined) return undefined;
  if (!Array.isArray(array)) throw new TypeError('Argument 1 of function "partition" must be an array');
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 1) {
    throw new TypeError('Argument 2 of function "partition" must be a whole number of at least 1');
  }
  const count = Math.ceil(array.length / size);
  return Array.from({ length: count }, (_, index) => array.slice(index * size, (index + 1) * size));
}

/** Both ends included. */
function range(first: unknown, last: unknown, step: unknown): number[] {
  if (typeof first !== 'number' || typeof last !== 'number' || typeof step !== 'number' || step === 0) {
    throw new TypeError('Function "range" takes a first, a last, and a step that is not 0: three numbers');
  }
  const count = Math.max(0, Math.floor((last - first) / step) + 1);
  if (count > MAX_RANGE_ITEMS)
    throw new RangeError(`Function "range" makes at most ${MAX_RANGE_ITEMS} items`);
  return Array.from({ length: count }, (_, index) => first + index * step);
}
