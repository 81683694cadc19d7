/**
 * What the deployed stack was given, and what a new deployment would forget of it. Parameters are the framework's, so
 * CloudFormation remembers none: each template lists those that it was given in its outputs.
 */
import { z } from 'zod';
import type { Parameters } from './parameters.ts';
import type { Output } from './template.ts';

/** CloudFormation's documentation names no limit for an output's value; 1,024 bytes are the limit of its description. */
const OUTPUT_CHARACTERS = 1000;
const OUTPUT_NAME = /^Parameters(\d+)$/;

/** Open windows need the old value of each of these, so a change must be accepted by name. */
const REPLACING: Readonly<Record<string, string>> = {
  rolePath: 'gives every role a new ARN, and versions that open windows run keep the old one',
  tableName: 'moves the service to another table, and open windows stay in the old one',
};

/** Outputs `Parameters1`, `Parameters2`, …: one JSON object with sorted names, cut where an output is full. */
export function outputsOfParameters(given: Parameters): Record<string, Output> {
  const sorted = Object.entries(given).sort(([a], [b]) => (a < b ? -1 : 1));
  const json = JSON.stringify(Object.fromEntries(sorted));
  const count = Math.ceil(json.length / OUTPUT_CHARACTERS);
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `Parameters${index + 1}`,
      {
        Description: `Parameters that this deployment was given, as JSON (${index + 1} of ${count})`,
        Value: json.slice(index * OUTPUT_CHARACTERS, (index + 1) * OUTPUT_CHARACTERS),
      },
    ]),
  );
}

/**
 * The parameters that a stack lists in its outputs. Returns undefined when it lists none, as stacks do that an earlier
 * version deployed.
 *
 * @throws Error when the outputs are there and are not what `outputsOfParameters` makes.
 */
export function parametersOfOutputs(outputs: ReadonlyMap<string, unknown>): Parameters | undefined {
  const parts = [...outputs]
    .map(([name, value]) => ({ number: Number(OUTPUT_NAME.exec(name)?.[1]), value: String(value) }))
    .filter(({ number }) => number > 0)
    .sort((a, b) => a.number - b.number);
  if (parts.length === 0) return undefined;
  try {
    const json: unknown = JSON.parse(parts.map(({ value }) => value).join(''));
    return z.record(z.string(), z.string()).parse(json);
  } catch (cause) {
    const names = parts.map(({ number }) => `Parameters${number}`).join(', ');
    throw new Error(`The stack's outputs ${names} are not a list of parameters.`, { cause });
  }
}

export interface Deployments {
  /** What the deployed stack was given; undefined when there is no stack, or none that says so. */
  readonly deployed: Parameters | undefined;
  /** What the new deployment is given. */
  readonly given: Parameters;
  readonly defaults: Parameters;
  /** Names after `--accept`. */
  readonly accepted: readonly string[];
}

/**
 * Why a deployment must not go on: parameters that it would drop, or change though windows may be open. A parameter
 * that is given now is not dropped, whatever its value; one whose default is the deployed value loses nothing.
 */
export function problemsOfChanges({ deployed, given, defaults, accepted }: Deployments): string[] {
  if (deployed === undefined) return [];
  const names = [...new Set([...Object.keys(deployed), ...Object.keys(given)])].sort();
  return names.flatMap((name) => {
    if (accepted.includes(name)) return [];
    const before = valueIn(deployed, name) ?? valueIn(defaults, name);
    const now = valueIn(given, name) ?? valueIn(defaults, name);
    if (before === now) return [];
    if (valueIn(given, name) === undefined) {
      const instead =
        now === undefined ? 'this version has no such parameter' : `it would be "${now}", the default`;
      return [`${name}, "${before}": not given any more; ${instead}`];
    }
    const consequence = valueIn(REPLACING, name);
    return consequence === undefined ? [] : [`${name}, "${before}" → "${now}": ${consequence}`];
  });
}

/** `name: before → now` for each parameter that changes, so that a deployment says what it does. */
export function changesOf({ deployed, given, defaults }: Omit<Deployments, 'accepted'>): string[] {
  if (deployed === undefined) return [];
  const names = [...new Set([...Object.keys(deployed), ...Object.keys(given)])].sort();
  return names.flatMap((name) => {
    const before = valueIn(deployed, name) ?? valueIn(defaults, name) ?? '';
    const now = valueIn(given, name) ?? valueIn(defaults, name) ?? '';
    return before === now ? [] : [`${name}: "${before}" → "${now}"`];
  });
}

/** Not by index: `constructor` is no parameter, and every object has one. */
function valueIn(values: Parameters, name: string): string | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}
