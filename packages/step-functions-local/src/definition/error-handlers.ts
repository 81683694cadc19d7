import type { DefinitionError } from './definition-error.ts';
import { rawItems, rawStates } from './raw-states.ts';

/** https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html */
const RESERVED_NAMES = [
  'States.ALL',
  'States.BranchFailed',
  'States.DataLimitExceeded',
  'States.ExceedToleratedFailureThreshold',
  'States.HeartbeatTimeout',
  'States.Http.Socket',
  'States.IntrinsicFailure',
  'States.ItemReaderFailed',
  'States.NoChoiceMatched',
  'States.ParameterPathFailure',
  'States.Permissions',
  'States.QueryEvaluationError',
  'States.ResultPathMatchFailure',
  'States.ResultWriterFailed',
  'States.Runtime',
  'States.TaskFailed',
  'States.Timeout',
];

/** States.ALL stands alone, in the last retrier and the last catcher; names of Step Functions' own exist. */
export function checkErrorHandlers(definition: unknown): DefinitionError[] {
  return rawStates(definition).flatMap((state) =>
    ['Retry', 'Catch'].flatMap((field) => {
      const handlers = rawItems(state, field);
      return handlers.flatMap(({ path, fields }, index) => {
        const names = Array.isArray(fields['ErrorEquals']) ? fields['ErrorEquals'] : [];
        return checkNames(`${path}/ErrorEquals`, names, index === handlers.length - 1);
      });
    }),
  );
}

function checkNames(path: string, names: readonly unknown[], last: boolean): DefinitionError[] {
  const unknown = names.flatMap((name, index) =>
    typeof name === 'string' && name.startsWith('States.') && !RESERVED_NAMES.includes(name)
      ? [{ path: `${path}/${index}`, message: `Step Functions has no error ${name}` }]
      : [],
  );
  if (!names.includes('States.ALL')) return unknown;
  return [
    ...unknown,
    ...(names.length === 1 ? [] : [{ path, message: 'States.ALL must stand alone' }]),
    ...(last ? [] : [{ path, message: 'States.ALL must come last' }]),
  ];
}
