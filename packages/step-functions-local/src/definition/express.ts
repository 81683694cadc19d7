import type { DefinitionError } from './definition-error.ts';
import { rawStates } from './raw-states.ts';

/** What Standard can do and Express cannot. */
export function checkExpress(definition: unknown): DefinitionError[] {
  return rawStates(definition).flatMap(({ path, fields }) =>
    typeof fields['Resource'] === 'string' && fields['Resource'].endsWith('.waitForTaskToken')
      ? [
          {
            path: `${path}/Resource`,
            message: "Express state machine does not support '.waitForTaskToken' service integration",
          },
        ]
      : [],
  );
}
