/**
 * Event patterns as the EventBridge User Guide documents them ("Amazon EventBridge event patterns"). Written
 * here because no kept matcher is on npm: AWS publishes Event Ruler for Java only.
 *
 * A pattern matches when every field it names matches; a field matches when any entry of its list matches;
 * a list in the event matches when any of its elements does. Fields of one pattern object must match within
 * one element of a list of objects.
 */
import { InvalidEventPatternException, isObject } from './invalid-pattern.ts';
import { compileOperator, type FieldTest } from './operators.ts';

/** Whether an event matches. */
export type EventPattern = (event: unknown) => boolean;

/**
 * @param path names the pattern in errors.
 * @throws InvalidEventPatternException for whatever EventBridge or this matcher does not know: an unknown
 *   operator that quietly never matched would be a lie.
 */
export function compilePattern(pattern: unknown, path: string): EventPattern {
  if (!isObject(pattern)) throw new InvalidEventPatternException(path, 'Filter is not an object');
  const fields = Object.entries(pattern);
  if (fields.length === 0) throw new InvalidEventPatternException(path, 'Empty objects are not allowed');
  const tests = fields.map(([name, value]) =>
    name === '$or' ? compileOr(value, `${path}.$or`) : compileField(name, value, `${path}.${name}`),
  );
  return (event) => objectsOf(event).some((object) => tests.every((test) => test(object)));
}

type ObjectTest = (object: Record<string, unknown>) => boolean;

function compileOr(value: unknown, path: string): ObjectTest {
  if (!Array.isArray(value) || value.length < 2) {
    throw new InvalidEventPatternException(path, '$or must be an array of at least two patterns');
  }
  const patterns = value.map((pattern, index) => compilePattern(pattern, `${path}.${index}`));
  return (object) => patterns.some((matches) => matches(object));
}

function compileField(name: string, value: unknown, path: string): ObjectTest {
  if (isObject(value)) {
    const matches = compilePattern(value, path);
    return (object) => matches(member(object, name));
  }
  if (!Array.isArray(value)) {
    throw new InvalidEventPatternException(path, `"${name}" must be an object or an array`);
  }
  if (value.length === 0) throw new InvalidEventPatternException(path, 'Empty arrays are not allowed');
  const tests: FieldTest[] = value.map((entry, index) => compileOperator(entry, `${path}.${index}`));
  return (object) => {
    const leaves = leavesOf(member(object, name));
    return tests.some((test) => test(leaves));
  };
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
