import { useState } from 'react';
import { ExecutionsTable } from './executions-table.tsx';
import { GraphView } from './graph-view.tsx';
import { EXECUTION_STATUSES, type ExecutionStatus, type StateMachineSummary } from './model/execution.ts';
import { type EndFilter, isWanted, type WindowEnd } from './model/outcome.ts';
import { Problem } from './problem.tsx';
import { useExecutions, useGraph, useStateMachines, useWindowEnds } from './queries.ts';
import { hrefOf, type Route } from './route.ts';
import { EXECUTION_LOOKS } from './status.tsx';

type ListRoute = Extract<Route, { page: 'executions' }>;

export function ExecutionsPage({ route }: { route: ListRoute }) {
  const { data: machines, error } = useStateMachines();
  return (
    <>
      <h1>Executions</h1>
      <Problem error={error} />
      {machines === undefined ? (
        error === null && <p>Loading …</p>
      ) : (
        <Machines machines={machines} route={route} />
      )}
    </>
  );
}

function Machines({ machines, route }: { machines: readonly StateMachineSummary[]; route: ListRoute }) {
  const machine =
    machines.find(({ name }) => name === route.machineName) ??
    machines.find(({ type }) => type === 'STANDARD') ??
    machines[0];
  if (machine === undefined) return <p>No state machine has been created.</p>;
  return (
    <>
      <MachineTabs machines={machines} current={machine} />
      {machine.type === 'EXPRESS' ? (
        <ExpressNotice name={machine.name} />
      ) : (
        <Executions key={machine.stateMachineArn} machine={machine} route={route} />
      )}
      <DefinitionCard key={machine.name} machine={machine} open={machine.type === 'EXPRESS'} />
    </>
  );
}

function MachineTabs(props: { machines: readonly StateMachineSummary[]; current: StateMachineSummary }) {
  const { machines, current } = props;
  const prefix = commonPrefix(machines.map(({ name }) => name));
  return (
    <nav className="machine-tabs" aria-label="State machines">
      {machines.map((machine) => (
        <a
          key={machine.stateMachineArn}
          href={hrefOf({ page: 'executions', machineName: machine.name, search: '' })}
          aria-current={machine === current ? 'page' : undefined}
        >
          {machine.name.slice(prefix.length)}
          <span className="muted">{machine.type === 'STANDARD' ? 'Standard' : 'Express'}</span>
        </a>
      ))}
    </nav>
  );
}

/** Up to the last hyphen that all share: every name begins with the service and its stage. */
function commonPrefix(names: readonly string[]): string {
  const [first = '', ...others] = names;
  let prefix = others.length === 0 ? '' : first;
  while (!names.every((name) => name.startsWith(prefix))) prefix = prefix.slice(0, -1);
  return prefix.slice(0, prefix.lastIndexOf('-') + 1);
}

function ExpressNotice({ name }: { name: string }) {
  return (
    <div className="notice">
      <p>
        <strong>Express executions are not listed.</strong> As on AWS, ListExecutions and GetExecutionHistory
        are for Standard state machines; an Express execution leaves its trace in logs only. Of{' '}
        <code>{name}</code> that is on purpose: what it carries must not rest anywhere. The functions’ log
        lines, in the terminal of <code>npm start</code>, tell what happened.
      </p>
    </div>
  );
}

function Executions({ machine, route }: { machine: StateMachineSummary; route: ListRoute }) {
  const [status, setStatus] = useState<ExecutionStatus>();
  const [text, setText] = useState(route.search);
  const list = useExecutions(machine.stateMachineArn, status);
  const loaded = list.data?.pages.flatMap(({ executions }) => executions) ?? [];
  const search = text.trim();
  const named = loaded.filter(({ name }) => name.toLowerCase().startsWith(search.toLowerCase()));
  const ends = useWindowEnds(named);
  const [filter, setFilter] = useState<EndFilter>({ outcome: undefined, cause: undefined });
  const isFiltered = filter.outcome !== undefined || filter.cause !== undefined;
  const found = named.filter(({ executionArn }) => isWanted(ends.get(executionArn), filter));
  const more = list.hasNextPage ? '+' : '';
  return (
    <section className="card" aria-label="Executions">
      <div className="card-head">
        <Search
          text={text}
          onChange={(typed) => {
            setText(typed);
            // Kept in the address as well, for those who come back or reload.
            location.replace(hrefOf({ page: 'executions', machineName: machine.name, search: typed }));
          }}
        />
        <StatusFilter status={status} onChange={setStatus} />
        <EndFilterFields ends={ends} filter={filter} onChange={setFilter} />
        <p className="muted spread" role="status">
          {search === '' && !isFiltered
            ? `${loaded.length}${more} ${loaded.length === 1 ? 'execution' : 'executions'}`
            : `${found.length} of ${loaded.length}${more}`}
        </p>
      </div>
      <Problem error={list.error} />
      <ExecutionsTable
        executions={found}
        ends={ends}
        empty={list.isPending ? 'Loading …' : emptyText(search, status, isFiltered)}
      />
      {list.hasNextPage && (
        <div className="card-body">
          <button
            type="button"
            className="button"
            disabled={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
          >
            Load older executions
          </button>
        </div>
      )}
    </section>
  );
}

function emptyText(search: string, status: ExecutionStatus | undefined, isFiltered: boolean): string {
  if (isFiltered) return 'No execution that is listed has this outcome and cause.';
  if (search !== '') return `No execution’s name starts with “${search}”.`;
  if (status !== undefined) return `No execution is ${EXECUTION_LOOKS[status].word.toLowerCase()}.`;
  return 'No session has been disconnected yet. Open the player and pull the plug, and a window opens here.';
}

function Search({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  return (
    <label className="field search">
      Search by session id
      <input
        type="search"
        value={text}
        placeholder="An execution’s name starts with it"
        autoComplete="off"
        spellCheck={false}
        onChange={({ target }) => onChange(target.value)}
      />
    </label>
  );
}

function StatusFilter(props: {
  status: ExecutionStatus | undefined;
  onChange: (status: ExecutionStatus | undefined) => void;
}) {
  return (
    <label className="field">
      Status
      <select
        value={props.status ?? ''}
        onChange={({ target }) => {
          props.onChange(EXECUTION_STATUSES.find((status) => status === target.value));
        }}
      >
        <option value="">All</option>
        {EXECUTION_STATUSES.map((status) => (
          <option key={status} value={status}>
            {EXECUTION_LOOKS[status].word}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The outcomes and causes that the listed executions have. What is chosen stays, so that it can be taken back. */
function EndFilterFields(props: {
  ends: ReadonlyMap<string, WindowEnd>;
  filter: EndFilter;
  onChange: (filter: EndFilter) => void;
}) {
  const { ends, filter, onChange } = props;
  const fields = [
    ['outcome', 'Outcome'],
    ['cause', 'Cause'],
  ] as const;
  return fields.map(([member, title]) => {
    const values = new Set([...ends.values()].map((end) => end[member]));
    const options = [...values.add(filter[member])].filter((value) => value !== undefined).sort();
    return (
      <label key={member} className="field">
        {title}
        <select
          value={filter[member] ?? ''}
          onChange={({ target }) => {
            onChange({ ...filter, [member]: options.find((value) => value === target.value) });
          }}
        >
          <option value="">All</option>
          {options.map((value) => (
            <option key={value}>{value}</option>
          ))}
        </select>
      </label>
    );
  });
}

function DefinitionCard({ machine, open }: { machine: StateMachineSummary; open: boolean }) {
  const { data: graph, error } = useGraph(machine.stateMachineArn);
  const [shown, setShown] = useState(open);
  return (
    <details className="card" open={open} onToggle={({ currentTarget }) => setShown(currentTarget.open)}>
      <summary className="card-head">
        <h2>Definition</h2>
        <span className="muted mono">{machine.name}</span>
      </summary>
      <Problem error={error} />
      {shown && graph !== undefined && <GraphView graph={graph} visits={[]} />}
    </details>
  );
}
