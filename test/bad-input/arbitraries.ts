import fc from 'fast-check';

/**
 * In every text that a property sends. It fits none of the patterns whose values may be repeated because they are
 * harmless by their form (ids, times, enums), so wherever it comes out again a value was echoed.
 */
export const MARKER = 'not_to_be_repeated';

/** Keys that reach a prototype where an object is built by assignment. As JSON text has them: own properties. */
const POLLUTION: readonly unknown[] = [
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"__proto__":null,"toString":null,"hasOwnProperty":1}',
].map((text) => JSON.parse(text));

const nested = (depth: number): unknown => {
  let value: unknown = MARKER;
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
};

const text = fc.oneof(
  fc.string({ maxLength: 40, unit: 'binary' }).map((around) => `${around}${MARKER}${around}`),
  fc.constantFrom(
    '',
    ' ',
    `\u0000${MARKER}`,
    `\ud800${MARKER}`,
    `${MARKER}\r\nx-injected: 1`,
    `../../${MARKER}`,
    `%00%2e%2e%2f${MARKER}`,
    `{% $states.input %}${MARKER}`,
    `arn:aws:gameliftstreams:us-west-2:123456789012:streamgroup/${MARKER}`,
    '+275760-09-13T00:00:00.000Z',
    '-271821-04-20T00:00:00.000Z',
    '9999-12-31T23:59:59.999Z',
    '2026-02-30T00:00:00Z',
    'NaN',
    '1e999',
    '__proto__',
    'constructor',
    MARKER.repeat(2_000),
    `${' '.repeat(20_000)}${MARKER}`,
    `${'a-'.repeat(20_000)}${MARKER}`,
    `${'/'.repeat(20_000)}${MARKER}`,
  ),
);

/** Text that is hostile by its length, its characters or its meaning. */
export const hostileText = text;

/** Any JSON value, near the limits of what programs expect of one. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: text },
  {
    weight: 3,
    arbitrary: fc.constantFrom<unknown>(
      null,
      true,
      false,
      0,
      -0,
      -1,
      0.5,
      1e21,
      -1e21,
      8.64e15,
      8.64e15 + 1,
      Number.MAX_SAFE_INTEGER,
      Number.MAX_VALUE,
      [],
      {},
      [[]],
      nested(3),
      nested(1_000),
      Array.from({ length: 5_000 }, () => 0),
      Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`${MARKER}${index}`, index])),
      ...POLLUTION,
    ),
  },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
);

type Path = readonly (string | number)[];

/** Every place in a JSON value, the value itself first. */
function placesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const members = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...members.flatMap(([key, member]) => placesOf(member, [...path, key]))];
}

interface Change {
  readonly place: Path;
  readonly kind: 'replace' | 'remove' | 'wrap' | 'add';
  readonly value: unknown;
  readonly key: string;
}

function changed(value: unknown, change: Change, depth = 0): unknown {
  const { place, kind, key } = change;
  if (depth === place.length) {
    switch (kind) {
      case 'wrap':
        return [value];
      case 'add':
        return typeof value === 'object' && value !== null && !Array.isArray(value)
          ? Object.fromEntries([...Object.entries(value), [key, change.value]])
          : change.value;
      default:
        return change.value;
    }
  }
  if (typeof value !== 'object' || value === null) return value;
  const step = place[depth];
  const isHere = (name: string | number) => String(name) === String(step);
  const isRemoved = (name: string | number) =>
    kind === 'remove' && depth === place.length - 1 && isHere(name);
  const next = (name: string | number, member: unknown) =>
    isHere(name) ? changed(member, change, depth + 1) : member;
  if (Array.isArray(value)) {
    return value.flatMap((member, index) => (isRemoved(index) ? [] : [next(index, member)]));
  }
  // Not by assignment: a key may be __proto__.
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) => (isRemoved(name) ? [] : [[name, next(name, member)]])),
  );
}

/** Values that are almost the sample: one to three places of it replaced, removed, wrapped or added to. */
export function nearly(sample: unknown, replacement: fc.Arbitrary<unknown> = hostileValue) {
  const change = fc.record({
    place: fc.constantFrom(...placesOf(sample)),
    kind: fc.constantFrom(
      'replace' as const,
      'replace' as const,
      'remove' as const,
      'wrap' as const,
      'add' as const,
    ),
    value: replacement,
    key: fc.constantFrom(MARKER, '__proto__', 'constructor', 'toString', 'length', ''),
  });
  return fc
    .array(change, { minLength: 1, maxLength: 3 })
    .map((changes) => changes.reduce<unknown>((value, one) => changed(value, one), sample));
}

/** JSON text that is almost the sample's, or deeper, longer or less JSON than a parser likes. */
export function nearlyText(sample: unknown): fc.Arbitrary<string> {
  const whole = JSON.stringify(sample);
  return fc.oneof(
    { weight: 6, arbitrary: nearly(sample).map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: fc.nat(whole.length).map((length) => whole.slice(0, length)) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '',
        'null',
        `"${MARKER}"`,
        `\ufeff${whole}`,
        `${whole}${MARKER}`,
        `${MARKER}${whole}`,
        `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
        `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`,
        '['.repeat(50_000),
        `{"a":${'9'.repeat(10_000)}}`,
        `{"__proto__":${whole}}`,
      ),
    },
  );
}
