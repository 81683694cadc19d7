import { Fragment, memo, useState } from 'react';
import { dateAndTime, duration, timeOfDay } from '../shared/format.ts';
import { Icon } from '../shared/icon.tsx';
import { JsonView } from '../shared/json-view.tsx';
import { Breakable } from './breakable.tsx';
import type { HistoryEvent } from './model/execution.ts';
import { type HistoryRow, historyRows } from './model/history-rows.ts';

const ROWS_AT_ONCE = 200;

export function HistoryTable({ events }: { events: readonly HistoryEvent[] }) {
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const [shown, setShown] = useState(ROWS_AT_ONCE);
  const allAreOpen = events.length > 0 && events.every(({ id }) => open.has(id));
  const toggle = (id: number) => {
    const next = new Set(open);
    if (!next.delete(id)) next.add(id);
    setOpen(next);
  };
  return (
    <section className="card" aria-labelledby="events-title">
      <div className="card-head">
        <h2 id="events-title">Events</h2>
        <span className="muted">{events.length}</span>
        <button
          type="button"
          className="button spread"
          onClick={() => setOpen(new Set(allAreOpen ? [] : events.map(({ id }) => id)))}
        >
          {allAreOpen ? 'Close all' : 'Open all'}
        </button>
      </div>
      <table className="table events">
        <caption className="visually-hidden">Event history, the first event first</caption>
        <thead>
          <tr>
            <th scope="col" className="number">
              Id
            </th>
            <th scope="col">Type</th>
            <th scope="col">State</th>
            <th scope="col" className="number">
              Elapsed
            </th>
            <th scope="col">Time</th>
          </tr>
        </thead>
        <tbody>
          {historyRows(events)
            .slice(0, shown)
            .map((row) => (
              <Row key={row.event.id} row={row} isOpen={open.has(row.event.id)} onToggle={toggle} />
            ))}
        </tbody>
      </table>
      {events.length > shown && (
        <div className="card-body">
          <button type="button" className="button" onClick={() => setShown(shown + ROWS_AT_ONCE)}>
            Show {Math.min(ROWS_AT_ONCE, events.length - shown)} more
          </button>
        </div>
      )}
    </section>
  );
}

interface RowProps {
  readonly row: HistoryRow;
  readonly isOpen: boolean;
  readonly onToggle: (id: number) => void;
}

const Row = memo(function Row({
  row: { event, state, elapsedMs, retryWaitedMs, tone },
  isOpen,
  onToggle,
}: RowProps) {
  const { id, type, atMs, details } = event;
  return (
    <Fragment>
      {retryWaitedMs !== undefined && (
        <tr className="wait-row">
          <td colSpan={5}>
            <span className="waited">
              <Icon name="retried" />
              Retry of {state} waited {duration(retryWaitedMs)}
            </span>
          </td>
        </tr>
      )}
      <tr className={tone === undefined ? '' : `tone-${tone} toned`}>
        <td className="number">{id}</td>
        <th scope="row">
          <button
            type="button"
            className="event-toggle"
            aria-expanded={isOpen}
            aria-controls={`event-${id}`}
            onClick={() => onToggle(id)}
          >
            <Icon name="open" />
            <span>
              <Breakable name={type} />
            </span>
          </button>
          {details.error !== undefined && <span className="mono event-error">{details.error}</span>}
        </th>
        <td>{state}</td>
        <td className="number">{duration(elapsedMs)}</td>
        <td title={dateAndTime(atMs)}>{timeOfDay(atMs)}</td>
      </tr>
      <tr id={`event-${id}`} hidden={!isOpen}>
        <td colSpan={5}>{isOpen && <EventDetails event={event} />}</td>
      </tr>
    </Fragment>
  );
});

/** Documents first and in full; the rest as it came. */
function EventDetails({ event: { id, previousEventId, details } }: { event: HistoryEvent }) {
  const { input, output, parameters, cause, assignedVariables, ...rest } = details;
  const documents = [
    ['Input', input],
    ['Arguments', parameters],
    ['Output', output],
    ['Cause', cause],
  ] as const;
  return (
    <div className="event-details">
      {documents.map(
        ([title, text]) =>
          text !== undefined && (
            <div key={title}>
              <h3>{title}</h3>
              <JsonView value={text} label={`${title} of event ${id}`} />
            </div>
          ),
      )}
      {assignedVariables !== undefined && (
        <div>
          <h3>Variables assigned</h3>
          <JsonView value={assignedVariables} label={`Variables assigned by event ${id}`} />
        </div>
      )}
      <div>
        <h3>Details</h3>
        <JsonView value={{ previousEventId, ...rest }} label={`Details of event ${id}`} />
      </div>
    </div>
  );
}
