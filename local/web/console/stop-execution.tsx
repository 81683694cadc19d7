import { useRef, useState } from 'react';
import type { Execution } from './model/execution.ts';
import { Problem } from './problem.tsx';
import { useStopExecution } from './queries.ts';

/** The button of the AWS console, with its question and its two optional fields. */
export function StopExecution({ execution }: { execution: Execution }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [error, setError] = useState('');
  const [cause, setCause] = useState('');
  const stop = useStopExecution(execution.executionArn);
  return (
    <>
      <button type="button" className="button danger spread" onClick={() => dialog.current?.showModal()}>
        Stop execution
      </button>
      <dialog ref={dialog} aria-labelledby="stop-title" className="stop-dialog">
        <form
          method="dialog"
          onSubmit={(event) => {
            event.preventDefault();
            stop.mutate({ error, cause }, { onSuccess: () => dialog.current?.close() });
          }}
        >
          <h2 id="stop-title">Stop this execution?</h2>
          <p>
            <span className="mono">{execution.name}</span> ends as aborted and cannot be resumed. If its
            session still waits for a client, the service gives the window another execution.
          </p>
          <label className="field">
            Error, optional
            <input value={error} maxLength={256} onChange={({ target }) => setError(target.value)} />
          </label>
          <label className="field">
            Cause, optional
            <input value={cause} maxLength={1000} onChange={({ target }) => setCause(target.value)} />
          </label>
          <Problem error={stop.error} />
          <div className="row">
            <button type="button" className="button spread" onClick={() => dialog.current?.close()}>
              Keep it running
            </button>
            <button type="submit" className="button danger" disabled={stop.isPending}>
              Stop
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}
