import { useCallback, useMemo, useState } from 'react';
import { ExecutionSummaryCards } from './execution-summary.tsx';
import { GraphView } from './graph-view.tsx';
import { HistoryTable } from './history-table.tsx';
import type { Execution, HistoryEvent } from './model/execution.ts';
import type { Graph } from './model/graph.ts';
import { windowEndOf } from './model/outcome.ts';
import { visitsOf } from './model/visits.ts';
import { Problem } from './problem.tsx';
import { useExecution, useGraph } from './queries.ts';
import { hrefOf } from './route.ts';
import { StatePanel } from './state-panel.tsx';
import { EXECUTION_LOOKS, LookBadge, WindowEndText } from './status.tsx';
import { StepsTable } from './steps-table.tsx';
import { StopExecution } from './stop-execution.tsx';

export function ExecutionPage({ executionArn }: { executionArn: string }) {
  const { data, error } = useExecution(executionArn);
  const graph = useGraph(data?.execution.stateMachineArn);
  if (data === undefined || graph.data === undefined) {
    return (
      <>
        <BackLink />
        <h1 className="mono execution-name">{executionArn.split(':').at(-1)}</h1>
        <Problem error={error ?? graph.error} />
        {error === null && <p>Loading …</p>}
      </>
    );
  }
  return (
    <>
      <Problem error={error} />
      <ExecutionView {...data} graph={graph.data} />
    </>
  );
}

function BackLink({ machineName }: { machineName?: string | undefined }) {
  return (
    <nav aria-label="Where you are">
      <a href={hrefOf({ page: 'executions', machineName, search: '' })}>← Executions</a>
    </nav>
  );
}

interface ExecutionViewProps {
  readonly execution: Execution;
  readonly events: readonly HistoryEvent[];
  readonly graph: Graph;
}

function ExecutionView({ execution, events, graph }: ExecutionViewProps) {
  const { name, status, stateMachineArn, output } = execution;
  const end = windowEndOf(output);
  return (
    <>
      <BackLink machineName={stateMachineArn.split(':').at(-1)} />
      <div className="row">
        <h1 className="mono execution-name">{name}</h1>
        <LookBadge look={EXECUTION_LOOKS[status]} />
        {end !== undefined && <WindowEndText end={end} />}
        {status === 'RUNNING' && <StopExecution execution={execution} />}
      </div>
      <ExecutionSummaryCards execution={execution} events={events} />
      <Steps execution={execution} events={events} graph={graph} />
      <HistoryTable events={events} />
    </>
  );
}

/** The path by graph or by table, beside the state that one has chosen; at first the latest one. */
function Steps({ execution, events, graph }: ExecutionViewProps) {
  const visits = useMemo(() => visitsOf(events), [events]);
  const [view, setView] = useState<'graph' | 'table'>('graph');
  const [chosen, setChosen] = useState<string>();
  const choose = useCallback((state: string) => setChosen(state), []);
  const selected = chosen ?? visits.at(-1)?.state;
  const views = [
    ['graph', 'Graph view'],
    ['table', 'Table view'],
  ] as const;
  return (
    <div className="steps">
      <section className="card" aria-labelledby="steps-title">
        <div className="card-head">
          <h2 id="steps-title">States</h2>
          <div className="segments spread">
            {views.map(([key, title]) => (
              <button key={key} type="button" aria-pressed={view === key} onClick={() => setView(key)}>
                {title}
              </button>
            ))}
          </div>
        </div>
        {view === 'graph' ? (
          <GraphView graph={graph} visits={visits} selected={selected} onSelect={choose} />
        ) : (
          <StepsTable
            definition={graph.definition}
            visits={visits}
            startMs={execution.startDate}
            selected={selected}
            onSelect={choose}
          />
        )}
      </section>
      {selected !== undefined && (
        <StatePanel
          key={selected}
          name={selected}
          definition={graph.definition}
          visits={visits.filter(({ state }) => state === selected)}
          startMs={execution.startDate}
          onSelect={choose}
        />
      )}
    </div>
  );
}
