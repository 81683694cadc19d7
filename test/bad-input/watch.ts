import { afterEach, beforeEach, expect } from 'vitest';
import { captureOutput } from '../helpers/lambda.ts';
import { MARKER } from './arbitraries.ts';

const PROTOTYPES: readonly object[] = [
  Object.prototype,
  Array.prototype,
  Function.prototype,
  String.prototype,
];
const keysOfPrototypes = () => PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype));

/** After each test of the file: no prototype has a key that it had not before. */
export function watchPrototypes(): void {
  let before: ReturnType<typeof keysOfPrototypes>;
  beforeEach(() => {
    before = keysOfPrototypes();
  });
  afterEach(() => {
    expect(keysOfPrototypes()).toEqual(before);
  });
}

/** What the process writes from now on must not repeat what was sent; looked at by the function returned. */
export function watchOutput(): () => void {
  const { text } = captureOutput();
  return () => expect(linesWithMarker(text())).toEqual([]);
}

function linesWithMarker(text: string): string[] {
  return text.split('\n').filter((line) => line.includes(MARKER));
}
