import { Fragment } from 'react';
import { duration } from '../shared/format.ts';
import { useNow } from '../shared/use-now.ts';
import { Attempts } from './attempts.tsx';
import { Breakable } from './breakable.tsx';
import type { Definition } from './model/definition.ts';
import { retriesOf, type Visit } from './model/visits.ts';
import { LookBadge, STATE_LOOKS } from './status.tsx';

interface StepsTableProps {
  readonly definition: Definition;
  readonly visits: readonly Visit[];
  readonly startMs: number;
  readonly selected: string | undefined;
  readonly onSelect: (state: string) => void;
}

/** The path in words: what the graph shows, for those who do not see it, and in the order in which it came. */
export function StepsTable({ definition, visits, startMs, selected, onSelect }: StepsTableProps) {
  const isOpen = visits.some(({ leftAtMs }) => leftAtMs === undefined);
  const nowMs = useNow(isOpen ? 1000 : undefined);
  const reached = new Set(visits.map(({ state }) => state));
  const others = [...definition.states.keys()].filter((state) => !reached.has(state));
  return (
    <>
      <table className="table steps-table">
        <caption className="visually-hidden">States in the order in which they were entered</caption>
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Status</th>
            <th scope="col" className="number">
              Entered after
            </th>
            <th scope="col" className="number">
              Duration
            </th>
          </tr>
        </thead>
        <tbody>
          {visits.map((visit) => (
            <Fragment key={visit.enteredEventId}>
              <tr className={visit.state === selected ? 'selected' : ''}>
                <th scope="row">
                  <button type="button" className="text-button" onClick={() => onSelect(visit.state)}>
                    <Breakable name={visit.state} />
                  </button>
                </th>
                <td>
                  <LookBadge look={STATE_LOOKS[visit.status]} />
                  {visit.status === 'caught' && <span className="mono step-error">{visit.error}</span>}
                </td>
                <td className="number">{duration(visit.enteredAtMs - startMs)}</td>
                <td className="number">
                  {duration((visit.leftAtMs ?? Math.max(nowMs, visit.enteredAtMs)) - visit.enteredAtMs)}
                </td>
              </tr>
              {retriesOf(visit) > 0 && (
                <tr className="attempts-row">
                  <td colSpan={4}>
                    <Attempts visit={visit} state={definition.states.get(visit.state)} />
                  </td>
                </tr>
              )}
            </Fragment>
          ))}
        </tbody>
      </table>
      <p className="card-body muted not-reached-list">
        Not reached:{' '}
        {others.map((state, index) => (
          <span key={state}>
            <button type="button" className="text-button" onClick={() => onSelect(state)}>
              {state}
            </button>
            {index < others.length - 1 && ', '}
          </span>
        ))}
      </p>
    </>
  );
}
