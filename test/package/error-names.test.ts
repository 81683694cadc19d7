import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import * as errors from '../../functions/shared/runtime/errors.ts';
import { allDefinitions, type Definition } from '../helpers/definitions.ts';
import { packagedService } from '../helpers/packaged-service.ts';

/** Errors that no retry and no catch of a machine names one by one, because nothing but a person can help. */
const FOR_STATES_ALL_ONLY = new Set([
  'ServiceAccessDeniedException',
  'WindowNotOpenError',
  'InvalidTaskInputError',
  'UnexpectedError',
]);

const { bundles: built } = await packagedService();
const bundles = new Map(
  await Promise.all(built.map(async ({ name, path }) => [name, await readFile(path, 'utf8')] as const)),
);

const definitions = allDefinitions();

/** The project's own names in a machine's Retry and Catch: those that are neither AWS's nor Lambda's. */
function ownErrorNames(definition: Definition): Set<string> {
  const rules = Object.values(definition.States).flatMap(({ Retry = [], Catch = [] }) => [
    ...Retry,
    ...Catch,
  ]);
  return new Set(
    rules
      .flatMap(({ ErrorEquals }) => ErrorEquals)
      .filter((name) => !/^(States|Lambda|Sandbox|Runtime)\./.test(name)),
  );
}

/** The functions that a state invokes, by folder. */
function functionsOf(definition: Definition): string[] {
  const keys = JSON.stringify(definition).matchAll(/"Fn::GetAtt":\["(\w+)","Arn"\]/g);
  return [
    ...new Set(
      [...keys].map(([, key = '']) => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)),
    ),
  ];
}

const thrownErrors = Object.values(errors)
  .map((value): unknown => (value === errors.isKnownError ? undefined : Reflect.construct(value, [])))
  .filter((error) => error instanceof Error);
const thrownNames = thrownErrors.map(({ name }) => name);

/** The bundle has the class under its literal name, with its own message: the SDK has classes of that name too. */
function hasError(bundle: string, { name, message }: Error): boolean {
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll("'", "\\\\?'");
  return new RegExp(`name=["'\`]${literal(name)}["'\`].{0,80}["'\`]${literal(message)}["'\`]`).test(bundle);
}

it.each(definitions)(
  'every error that $name matches is thrown by a bundle that it invokes',
  ({ definition }) => {
    const invoked = functionsOf(definition).map((name) => bundles.get(name) ?? '');
    expect(invoked).not.toContain('');
    for (const name of ownErrorNames(definition)) {
      const error = thrownErrors.find((candidate) => candidate.name === name);
      expect(error, name).toBeDefined();
      expect(
        invoked.some((bundle) => error !== undefined && hasError(bundle, error)),
        name,
      ).toBe(true);
    }
  },
);

it('every error that a function throws is matched by a machine, or left to States.ALL on purpose', () => {
  const matched = new Set(definitions.flatMap(({ definition }) => [...ownErrorNames(definition)]));
  for (const name of thrownNames) expect(matched.has(name) || FOR_STATES_ALL_ONLY.has(name), name).toBe(true);
  expect(thrownNames.length).toBeGreaterThan(FOR_STATES_ALL_ONLY.size);
});
