import { StepFunctionsError } from './step-functions.ts';

/** Why what should be here is not, or is not fresh. */
export function Problem({ error }: { error: Error | null }) {
  if (error === null) return null;
  const isRefusal = error instanceof StepFunctionsError;
  return (
    <p className="notice tone-bad" role="alert">
      {isRefusal
        ? `${error.errorName}: ${error.message}`
        : `The local stack does not answer (${error.message}).`}
      {!isRefusal && ' Is npm start still running? This page asks again every second.'}
    </p>
  );
}
