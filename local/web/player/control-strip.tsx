import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import {
  type ControlState,
  MAX_STORM_PLAYERS,
  type Mishap,
  type StormProgress,
} from '../backend/messages.ts';
import { causeMishap, clearMishaps, startStorm } from './backend.ts';

const MISHAPS: readonly { readonly kind: Mishap['kind']; readonly title: string }[] = [
  { kind: 'throttling', title: 'Throttling' },
  { kind: 'conflict', title: 'Conflicts' },
  { kind: 'slow', title: 'A slow service (3 s)' },
  { kind: 'lostReply', title: 'Lost replies' },
  { kind: 'internalServer', title: 'Errors of the service' },
];

/** As the stand-in calls what the strip calls by another name. */
const PENDING: Readonly<Record<string, string>> = {
  latency: 'slow',
  lostReply: 'lost reply',
  internalServer: 'error',
};

interface ControlStripProps {
  readonly state: ControlState | undefined;
  readonly error: string | undefined;
}

/** What goes wrong on purpose, for everybody on this stack, and what came of it. */
export function ControlStrip({ state, error }: ControlStripProps) {
  return (
    <section className="card" aria-labelledby="strip-title">
      <div className="card-head">
        <h2 id="strip-title">What goes wrong</h2>
        <p className="muted">For every player of this stack, when they ask to come back.</p>
      </div>
      <div className="card-body strip">
        {error !== undefined && <p className="notice tone-bad">{error}</p>}
        <Mishaps pending={state?.pendingMishaps ?? []} />
        <StormForm progress={state?.storm} />
        <Counters state={state} />
      </div>
    </section>
  );
}

function useAction<Input>(act: (input: Input) => Promise<void>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: act,
    networkMode: 'always',
    onSettled: () => queries.invalidateQueries({ queryKey: ['control'] }),
  });
}

function Mishaps({ pending }: { readonly pending: ControlState['pendingMishaps'] }) {
  const [calls, setCalls] = useState('3');
  const cause = useAction(causeMishap);
  const clear = useAction<void>(clearMishaps);
  return (
    <div className="strip-part">
      <h3>The service’s next calls</h3>
      <div className="row">
        <label className="field inline">
          How many
          <input
            type="number"
            min={1}
            max={100}
            value={calls}
            onChange={(event) => setCalls(event.target.value)}
          />
        </label>
        {MISHAPS.map(({ kind, title }) => (
          <button
            key={kind}
            type="button"
            className="button"
            onClick={() => cause.mutate({ kind, calls: Number(calls) })}
          >
            {title}
          </button>
        ))}
      </div>
      <div className="row">
        <p role="status">
          {pending.length === 0 ? (
            <span className="muted">Nothing is planned: every call gets what it asks for.</span>
          ) : (
            <>
              To come:{' '}
              {pending.map(({ kind, calls: left }) => `${PENDING[kind] ?? kind} × ${left}`).join(', ')}
            </>
          )}
        </p>
        {pending.length > 0 && (
          <button type="button" className="button" onClick={() => clear.mutate()}>
            Take back
          </button>
        )}
      </div>
      <Failure error={cause.error ?? clear.error} />
    </div>
  );
}

function StormForm({ progress }: { readonly progress: StormProgress | undefined }) {
  const [players, setPlayers] = useState('100');
  const storm = useAction(startStorm);
  const isUnderWay = progress !== undefined && !progress.isOver;
  return (
    <div className="strip-part">
      <h3>A storm</h3>
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault();
          storm.mutate({ players: Number(players), connectionTimeoutSeconds: 60 });
        }}
      >
        <label className="field inline">
          Players who drop at once
          <input
            type="number"
            min={1}
            max={MAX_STORM_PLAYERS}
            required
            value={players}
            onChange={(event) => setPlayers(event.target.value)}
          />
        </label>
        <button type="submit" className="button" disabled={isUnderWay}>
          Let them drop
        </button>
      </form>
      {progress === undefined ? (
        <p className="muted">They have 60 s to come back, at 20 calls a second for all.</p>
      ) : (
        <>
          <progress
            value={progress.players - progress.waiting}
            max={progress.players}
            aria-label="Players of the storm who have been dealt with"
          />
          <p role="status">
            {progress.back} of {progress.players} are back
            {progress.waiting > 0 ? `, ${progress.waiting} on their way` : ''}
            {progress.lost > 0 ? `, ${progress.lost} lost` : ''}; told to wait {progress.toldToWait} ×
          </p>
        </>
      )}
      <Failure error={storm.error} />
    </div>
  );
}

function Counters({ state }: { readonly state: ControlState | undefined }) {
  const { connections, drops } = state ?? {};
  return (
    <div className="strip-part">
      <h3>So far</h3>
      <dl className="counters">
        <Counter name="Calls of the service">{connections?.calls}</Counter>
        <Counter name="Throttled">{connections?.throttled}</Counter>
        <Counter name="Replies lost">{connections?.lost}</Counter>
        <Counter name="Answered again">{connections?.replayed}</Counter>
        <Counter name="Sessions saved" tone="good">
          {drops?.saved}
        </Counter>
        <Counter name="Sessions lost" tone="bad">
          {drops?.lost}
        </Counter>
        <Counter name="Still waiting">{drops?.open}</Counter>
      </dl>
    </div>
  );
}

function Counter({
  name,
  tone = 'idle',
  children,
}: {
  readonly name: string;
  readonly tone?: string;
  readonly children: ReactNode;
}) {
  return (
    <div className="counter">
      <dt>{name}</dt>
      <dd className={`tone-${tone}`} data-testid={name}>
        {children ?? '–'}
      </dd>
    </div>
  );
}

function Failure({ error }: { readonly error: Error | null }) {
  return error === null ? null : (
    <p className="notice tone-bad" role="alert">
      {error.message}
    </p>
  );
}
