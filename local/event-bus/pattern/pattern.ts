/**
 * Event patterns as the EventBridge User Guide documents them ("Amazon EventBridge event patterns"). Written
 * here because no kept matcher is on npm: AWS publishes Event Ruler for Java only.
 *
 * A pattern matches when every field it names matches; a field matches when any entry of its list matches;
 * a list in the event matches when any of its elements does. Fields of one pattern object must match within
 * one element of a list of objects.
 */
import { isObject } from 'local-server-kit';
import { InvalidEventPatternException } from './invalid-pattern.ts';
import { compileOperator, type FieldTest } from './operators.ts';

/**
 * Whether an event matches.
 *
 * @throws InvalidEventPatternException for `exists: false` on a field of a list of objects. Event Ruler looks for
 *   the field in the whole list, this matcher in one element at a time.
 */
export type EventPattern = (event: unknown) => boolean;

/**
 * @param path names the pattern in errors.
 * @throws InvalidEventPatternException for whatever EventBridge or this matcher does not know: an unknown
 *   operator that quietly never matched would be a lie.
 */
export function compilePattern(pattern: unknown, path: string): EventPattern {
  return compileObject(pattern, path).matches;
}

interface CompiledObject {
  readonly matches: EventPattern;
  /** Where `exists: false` stands on a field of this object, or deeper. */
  readonly absenceAt: string | undefined;
  /** The fields with a list of values, as paths from this object; those of `$or` too. */
  readonly leafPaths: readonly string[];
}

type ObjectTest = (object: Record<string, unknown>) => boolean;
type CompiledTest = Omit<CompiledObject, 'matches'> & { readonly test: ObjectTest };

function compileObject(pattern: unknown, path: string): CompiledObject {
  if (!isObject(pattern)) throw new InvalidEventPatternException(path, 'Filter is not an object');
  const { $or, ...fields } = pattern;
  if (Object.keys(pattern).length === 0) {
    throw new InvalidEventPatternException(path, 'Empty objects are not allowed');
  }
  const ofFields = Object.entries(fields).map(([name, value]) =>
    compileField(name, value, `${path}.${name}`),
  );
  const siblingPaths = ofFields.flatMap(({ leafPaths }) => leafPaths);
  const compiled = Object.hasOwn(pattern, '$or')
    ? [...ofFields, compileOr($or, `${path}.$or`, new Set(siblingPaths))]
    : ofFields;
  const absenceAt = compiled.find((one) => one.absenceAt !== undefined)?.absenceAt;
  return {
    matches: (event) => {
      const objects = objectsOf(event);
      if (absenceAt !== undefined && objects.length > 1) {
        throw unsupported(absenceAt, 'exists: false on a field of a list of objects');
      }
      return objects.some((object) => compiled.every(({ test }) => test(object)));
    },
    absenceAt,
    leafPaths: compiled.flatMap(({ leafPaths }) => leafPaths),
  };
}

function compileOr(value: unknown, path: string, siblingPaths: ReadonlySet<string>): CompiledTest {
  if (!Array.isArray(value) || value.length < 2) {
    throw new InvalidEventPatternException(path, '$or must be an array of at least two patterns');
  }
  const patterns = value.map((pattern, index) => {
    const compiled = compileObject(pattern, `${path}.${index}`);
    // Event Ruler keeps one condition for a field, the one that it read last.
    if (compiled.leafPaths.some((leafPath) => siblingPaths.has(leafPath))) {
      throw unsupported(`${path}.${index}`, 'a field both in $or and beside it');
    }
    return compiled;
  });
  return {
    test: (object) => patterns.some(({ matches }) => matches(object)),
    absenceAt: patterns.find(({ absenceAt }) => absenceAt !== undefined)?.absenceAt,
    leafPaths: patterns.flatMap(({ leafPaths }) => leafPaths),
  };
}

function compileField(name: string, value: unknown, path: string): CompiledTest {
  if (isObject(value)) {
    const { matches, absenceAt, leafPaths } = compileObject(value, path);
    return {
      test: (object) => matches(member(object, name)),
      absenceAt,
      leafPaths: leafPaths.map((leafPath) => `${JSON.stringify(name)}.${leafPath}`),
    };
  }
  if (!Array.isArray(value)) {
    throw new InvalidEventPatternException(path, `"${name}" must be an object or an array`);
  }
  if (value.length === 0) throw new InvalidEventPatternException(path, 'Empty arrays are not allowed');
  const tests: FieldTest[] = value.map((entry, index) => compileOperator(entry, `${path}.${index}`));
  const absence = value.findIndex((entry) => isObject(entry) && entry['exists'] === false);
  return {
    test: (object) => {
      const leaves = leavesOf(member(object, name));
      return tests.some((test) => test(leaves));
    },
    absenceAt: absence < 0 ? undefined : `${path}.${absence}.exists`,
    leafPaths: [JSON.stringify(name)],
  };
}

function unsupported(path: string, what: string): InvalidEventPatternException {
  return new InvalidEventPatternException(path, `${what} is not supported here`);
}

function member(object: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Where there is no object at all, there are no fields: `exists: false` still matches. */
function objectsOf(value: unknown): Record<string, unknown>[] {
  const elements = Array.isArray(value) ? value.flat(Number.POSITIVE_INFINITY) : [value];
  const objects = elements.filter(isObject);
  return objects.length > 0 ? objects : [{}];
}

/** A field's values: itself, or the elements of a list. An object is no value; its own fields are. */
function leavesOf(value: unknown): unknown[] {
  const elements = Array.isArray(value) ? value.flat(Number.POSITIVE_INFINITY) : [value];
  return elements.filter((element) => element !== undefined && !isObject(element));
}
