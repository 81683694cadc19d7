import { isObject } from 'local-server-kit';
import type { DefinitionError } from './definition-error.ts';
import { type Expression, findExpressions, type Scope } from './expressions.ts';
import { type References, referencesOf } from './jsonata-references.ts';
import { variablesBefore } from './variables.ts';

/** JSONata 2.0.6's functions, which AWS has all but `$eval`. */
const JSONATA_FUNCTIONS =
  'sum count max min average string substring substringBefore substringAfter lowercase uppercase length trim pad match contains replace split join formatNumber formatBase formatInteger parseInteger number floor ceil round abs sqrt power random boolean not map zip filter single reduce sift keys lookup append exists spread merge reverse each error assert type sort shuffle distinct base64encode base64decode encodeUrlComponent encodeUrl decodeUrlComponent decodeUrl toMillis fromMillis clone now millis'.split(
    ' ',
  );
/** The functions that Step Functions adds to JSONata; https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html */
const STEP_FUNCTIONS_FUNCTIONS = ['uuid', 'random', 'parse', 'hash', 'partition', 'range'] as const;

const FUNCTIONS = new Set<string>([...JSONATA_FUNCTIONS, ...STEP_FUNCTIONS_FUNCTIONS]);

const CONTEXT_FIELDS: Readonly<Record<string, readonly string[]>> = {
  Execution: ['Id', 'Input', 'Name', 'RoleArn', 'StartTime', 'RedriveCount'],
  State: ['Name', 'EnteredTime', 'RetryCount'],
  StateMachine: ['Id', 'Name'],
  Task: ['Token'],
};

/** Every expression parses, and names only what exists where it stands. */
export function checkExpressions(definition: unknown): DefinitionError[] {
  const { expressions, errors } = findExpressions(definition);
  const variables = variablesBefore(definition);
  return [
    ...errors,
    ...expressions.flatMap((expression) => {
      const references = parse(expression.source);
      const messages =
        typeof references === 'string'
          ? [`is no JSONata: ${references}`]
          : [
              ...references.statesPaths.flatMap((path) => checkStatesPath(path, expression.scope)),
              ...[...references.names].flatMap((name) => checkName(name, expression, variables)),
              ...[...references.contextless].map(contextlessMessage),
            ];
      return messages.map((message) => ({ path: expression.path, message }));
    }),
  ];
}

function parse(source: string): References | string {
  try {
    return referencesOf(source);
  } catch (error) {
    if (error instanceof Error) return error.message;
    return isObject(error) ? String(error['message']) : 'unknown error';
  }
}

function checkName(
  name: string,
  expression: Expression,
  variables: ReadonlyMap<string, ReadonlySet<string>>,
): string[] {
  if (name === 'states' || FUNCTIONS.has(name)) return [];
  if (variables.get(expression.state)?.has(name) !== false) return [];
  if (name === 'eval') return ['Step Functions has no $eval; $parse reads JSON'];
  return [`$${name} is undefined: no path to this state assigns it, and no function is called so`];
}

function contextlessMessage(what: string): string {
  return what.startsWith('$')
    ? `${what} is undefined here; write $states.input`
    : `"${what}" is undefined here; write $states.input.${what}`;
}

function checkStatesPath(path: readonly string[], scope: Scope): string[] {
  const [first, second, third] = path;
  const absent = (name: string, where: string): string[] => [`$states.${name} does not exist here: ${where}`];
  switch (first) {
    case undefined:
    case 'input':
      return [];
    case 'result':
      return scope.result ? [] : absent('result', "only in a Task's Assign and Output");
    case 'errorOutput':
      return scope.errorOutput ? [] : absent('errorOutput', "only in a Catch's Assign and Output");
    case 'context':
      break;
    default:
      return absent(first, 'there are input, context, result and errorOutput');
  }
  if (second === undefined) return [];
  const known = Object.hasOwn(CONTEXT_FIELDS, second) ? CONTEXT_FIELDS[second] : undefined;
  if (known === undefined) {
    return absent(`context.${second}`, `there are ${Object.keys(CONTEXT_FIELDS).join(', ')}`);
  }
  if (second === 'Task' && !scope.taskToken) {
    return absent('context.Task', 'only in the Arguments of a .waitForTaskToken task');
  }
  if (third === undefined) return [];
  if (!known.includes(third)) return absent(`context.${second}.${third}`, `there are ${known.join(', ')}`);
  return third === 'RetryCount' && !scope.retryCount
    ? absent('context.State.RetryCount', 'only in a Task')
    : [];
}
