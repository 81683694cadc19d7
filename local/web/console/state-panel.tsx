import { useState } from 'react';
import { dateAndTime, duration, timeOfDay } from '../shared/format.ts';
import { JsonView } from '../shared/json-view.tsx';
import { useNow } from '../shared/use-now.ts';
import { Attempts } from './attempts.tsx';
import { Document } from './execution-summary.tsx';
import type { Definition } from './model/definition.ts';
import { END, transitionsOf } from './model/transitions.ts';
import type { Visit } from './model/visits.ts';
import { LookBadge, STATE_LOOKS } from './status.tsx';

interface StatePanelProps {
  readonly name: string;
  readonly definition: Definition;
  /** The visits of this state alone. */
  readonly visits: readonly Visit[];
  readonly startMs: number;
  readonly onSelect: (state: string) => void;
}

/** What there is to know of one state: what it was given, what it did, how it is defined. */
export function StatePanel({ name, definition, visits, startMs, onSelect }: StatePanelProps) {
  const [chosen, setChosen] = useState<number>();
  const index = chosen ?? visits.length - 1;
  const visit = visits[index];
  const state = definition.states.get(name);
  return (
    <section className="card state-panel" aria-labelledby="state-title">
      <div className="card-head">
        <h2 id="state-title">{name}</h2>
        <span className="muted">{state?.Type}</span>
        {visit !== undefined && (
          <span className="spread">
            <LookBadge look={STATE_LOOKS[visit.status]} />
          </span>
        )}
      </div>
      <div className="card-body stack">
        {state?.Comment !== undefined && <p>{state.Comment}</p>}
        {visits.length > 1 && <VisitPicker count={visits.length} index={index} onChange={setChosen} />}
        {visit === undefined ? (
          <p className="muted">The execution has not come here.</p>
        ) : (
          <VisitView visit={visit} startMs={startMs} state={state} />
        )}
        <Ways name={name} definition={definition} onSelect={onSelect} />
        <details>
          <summary>Definition</summary>
          <JsonView value={definition.source[name]} label={`Definition of ${name}`} />
        </details>
      </div>
    </section>
  );
}

function VisitPicker(props: { count: number; index: number; onChange: (index: number) => void }) {
  const { count, index, onChange } = props;
  return (
    <label className="field visit-picker">
      Visit
      <select value={index} onChange={({ target }) => onChange(Number(target.value))}>
        {Array.from({ length: count }, (_, number) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: visits are numbered, and none goes away
          <option key={number} value={number}>
            {number + 1} of {count}
          </option>
        ))}
      </select>
    </label>
  );
}

function VisitView(props: { visit: Visit; startMs: number; state: Parameters<typeof Attempts>[0]['state'] }) {
  const { visit, startMs, state } = props;
  const { enteredAtMs, leftAtMs, attempts, error, cause, status, assigned } = visit;
  const nowMs = useNow(leftAtMs === undefined ? 1000 : undefined);
  return (
    <>
      <dl className="facts">
        <div>
          <dt>Entered</dt>
          <dd title={dateAndTime(enteredAtMs)}>{timeOfDay(enteredAtMs)}</dd>
        </div>
        <div>
          <dt>After the start</dt>
          <dd>{duration(enteredAtMs - startMs)}</dd>
        </div>
        <div>
          <dt>Duration</dt>
          <dd>{duration((leftAtMs ?? Math.max(nowMs, enteredAtMs)) - enteredAtMs)}</dd>
        </div>
      </dl>
      {error !== undefined && status !== 'running' && (
        <div className={`notice tone-${STATE_LOOKS[status].tone}`}>
          <strong>
            {status === 'caught' ? 'Caught ' : ''}
            {error}
          </strong>
          {cause !== undefined && <p className="cause">{cause}</p>}
        </div>
      )}
      {attempts.length > 0 && (
        <section aria-label="Attempts">
          <h3>Attempts</h3>
          <Attempts visit={visit} state={state} />
        </section>
      )}
      <Document title="Input" text={visit.input} />
      {(leftAtMs === undefined || visit.output !== undefined) && (
        <Document title="Output" text={visit.output} />
      )}
      {Object.keys(assigned).length > 0 && (
        <details>
          <summary>Variables assigned</summary>
          <JsonView value={variablesOf(assigned)} label="Variables assigned" />
        </details>
      )}
    </>
  );
}

/** Each value travels as JSON text of its own. */
function variablesOf(assigned: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(assigned).map(([name, text]): [string, unknown] => [name, JSON.parse(text)]),
  );
}

function Ways({ name, definition, onSelect }: Pick<StatePanelProps, 'name' | 'definition' | 'onSelect'>) {
  const ways = transitionsOf(definition).filter(({ from, to }) => from === name && to !== END);
  if (ways.length === 0) return null;
  return (
    <details>
      <summary>Where it leads</summary>
      <ul className="ways">
        {ways.map(({ to, kind, when }) => (
          <li key={`${kind} ${to}`}>
            <button type="button" className="text-button" onClick={() => onSelect(to)}>
              {to}
            </button>
            {kind === 'catch' && <span className="muted"> when it catches</span>}
            {when.map((condition) => (
              <code key={condition}>{condition}</code>
            ))}
          </li>
        ))}
      </ul>
    </details>
  );
}
