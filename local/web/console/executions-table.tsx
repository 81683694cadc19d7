import { useState } from 'react';
import { dateAndTime, duration, timeOfDay } from '../shared/format.ts';
import { useNow } from '../shared/use-now.ts';
import type { ExecutionSummary } from './model/execution.ts';
import type { WindowEnd } from './model/outcome.ts';
import { hrefOf } from './route.ts';
import { EXECUTION_LOOKS, LookBadge, WindowEndText } from './status.tsx';

/** More rows than that make a page slow, and nobody reads them. */
const ROWS_AT_ONCE = 100;

export function ExecutionsTable(props: {
  executions: readonly ExecutionSummary[];
  /** How their windows ended, by ARN. */
  ends: ReadonlyMap<string, WindowEnd>;
  empty: string;
}) {
  const { executions, ends, empty } = props;
  const [shown, setShown] = useState(ROWS_AT_ONCE);
  const isRunning = executions.some(({ status }) => status === 'RUNNING');
  const nowMs = useNow(isRunning ? 1000 : undefined);
  if (executions.length === 0) return <p className="card-body muted">{empty}</p>;
  return (
    <>
      <table className="table executions">
        <caption className="visually-hidden">Executions, the latest first</caption>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Status</th>
            <th scope="col">Outcome</th>
            <th scope="col">Started</th>
            <th scope="col">Stopped</th>
            <th scope="col" className="number">
              Duration
            </th>
          </tr>
        </thead>
        <tbody>
          {executions.slice(0, shown).map((execution) => (
            <Row
              key={execution.executionArn}
              execution={execution}
              end={ends.get(execution.executionArn)}
              nowMs={nowMs}
            />
          ))}
        </tbody>
      </table>
      {executions.length > shown && (
        <div className="card-body">
          <button type="button" className="button" onClick={() => setShown(shown + ROWS_AT_ONCE)}>
            Show {Math.min(ROWS_AT_ONCE, executions.length - shown)} more
          </button>
        </div>
      )}
    </>
  );
}

function Row(props: { execution: ExecutionSummary; end: WindowEnd | undefined; nowMs: number }) {
  const { execution, end, nowMs } = props;
  const { executionArn, name, status, startDate, stopDate } = execution;
  return (
    <tr>
      <th scope="row">
        <a className="mono" href={hrefOf({ page: 'execution', executionArn })}>
          {name}
        </a>
      </th>
      <td>
        <LookBadge look={EXECUTION_LOOKS[status]} />
      </td>
      <td>{end === undefined ? <span className="muted">none</span> : <WindowEndText end={end} />}</td>
      <td title={dateAndTime(startDate)}>{timeOfDay(startDate)}</td>
      <td title={stopDate === undefined ? undefined : dateAndTime(stopDate)}>
        {stopDate === undefined ? <span className="muted">not yet</span> : timeOfDay(stopDate)}
      </td>
      <td className="number">{duration((stopDate ?? Math.max(nowMs, startDate)) - startDate)}</td>
    </tr>
  );
}
