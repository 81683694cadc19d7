import { useState } from 'react';
import { Countdown } from '../shared/countdown.tsx';
import { dateAndTime, duration } from '../shared/format.ts';
import { JsonView } from '../shared/json-view.tsx';
import { useNow } from '../shared/use-now.ts';
import type { Execution, HistoryEvent } from './model/execution.ts';
import { openWindowOf } from './model/open-window.ts';
import { hrefOf } from './route.ts';

const ENTERED = /StateEntered$/;

/** What DescribeExecution tells, and the window that the execution tracks. */
export function ExecutionSummaryCards(props: { execution: Execution; events: readonly HistoryEvent[] }) {
  const { execution, events } = props;
  const { error, cause, input, output } = execution;
  return (
    <>
      {(error !== undefined || cause !== undefined) && (
        <div className="notice tone-bad">
          <strong>{error ?? 'No error name'}</strong>
          {cause !== undefined && <p>{cause}</p>}
        </div>
      )}
      <div className="summary">
        {execution.status === 'RUNNING' && <WindowCard events={events} />}
        <section className="card" aria-labelledby="details-title">
          <h2 id="details-title" className="card-head">
            Details
          </h2>
          <Details
            execution={execution}
            transitions={events.filter(({ type }) => ENTERED.test(type)).length}
          />
        </section>
        <section className="card summary-documents" aria-label="Input and output">
          <div className="card-body documents">
            <Document title="Execution input" text={input} />
            <Document title="Execution output" text={output} />
          </div>
        </section>
      </div>
    </>
  );
}

function Details({ execution, transitions }: { execution: Execution; transitions: number }) {
  const { startDate, stopDate, executionArn, stateMachineArn } = execution;
  const nowMs = useNow(stopDate === undefined ? 1000 : undefined);
  const machineName = stateMachineArn.split(':').at(-1) ?? '';
  return (
    <dl className="card-body facts">
      <div>
        <dt>Started</dt>
        <dd>{dateAndTime(startDate)}</dd>
      </div>
      <div>
        <dt>Stopped</dt>
        <dd>{stopDate === undefined ? 'not yet' : dateAndTime(stopDate)}</dd>
      </div>
      <div>
        <dt>Duration</dt>
        <dd>{duration((stopDate ?? Math.max(nowMs, startDate)) - startDate)}</dd>
      </div>
      <div>
        <dt>States entered</dt>
        <dd>{transitions}</dd>
      </div>
      <div className="wide">
        <dt>State machine</dt>
        <dd className="one-line">
          <a
            className="mono"
            title={stateMachineArn}
            href={hrefOf({ page: 'executions', machineName, search: '' })}
          >
            {machineName}
          </a>
        </dd>
      </div>
      <div className="wide">
        <dt>Execution ARN</dt>
        <dd className="one-line">
          <span className="mono" title={executionArn}>
            {executionArn}
          </span>
          <CopyButton text={executionArn} what="ARN" />
        </dd>
      </div>
    </dl>
  );
}

function CopyButton({ text, what }: { text: string; what: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <button
      type="button"
      className="text-button"
      onClick={() => {
        void navigator.clipboard.writeText(text).then(() => setCopied(true));
      }}
    >
      {copied ? 'Copied' : `Copy ${what}`}
    </button>
  );
}

const PHASES: Readonly<Record<string, string>> = {
  AWAITING_RECONNECTION: 'Waiting for the player to come back.',
  AWAITING_CLIENT: 'The player has an answer; waiting for the client to connect with it.',
  AWAITING_END: 'Waiting for the service to end the session.',
};

function WindowCard({ events }: { events: readonly HistoryEvent[] }) {
  const window = openWindowOf(events);
  if (window === undefined) return null;
  const { deadlineMs, totalMs, phase = '' } = window;
  return (
    <section className="card" aria-labelledby="window-title">
      <h2 id="window-title" className="card-head">
        Reconnection window
      </h2>
      <div className="card-body">
        <p className="muted">Time left</p>
        <Countdown
          deadlineMs={deadlineMs}
          label="Time left in the reconnection window"
          {...(totalMs === undefined ? {} : { totalMs })}
        />
        <p className="window-phase">{PHASES[phase] ?? 'The window is opening.'}</p>
      </div>
    </section>
  );
}

export function Document({ title, text }: { title: string; text: string | undefined }) {
  return (
    <details open>
      <summary>{title}</summary>
      {text === undefined ? <p className="muted">none</p> : <JsonView value={text} label={title} />}
    </details>
  );
}
