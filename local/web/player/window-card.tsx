import { useEffect, useState } from 'react';
import type { ControlState, WindowView } from '../backend/messages.ts';
import type { PlayerView } from './player-session.ts';

const TICK_MS = 250;

interface WindowCardProps {
  readonly view: PlayerView;
  readonly window: WindowView | undefined;
  readonly control: ControlState | undefined;
}

/** The reconnection window, as `GET …/window` tells it, and the session as the service has it. */
export function WindowCard({ view, window, control }: WindowCardProps) {
  const status = control?.session;
  const { session, attempts } = view;
  const isOpen = window?.phase.startsWith('AWAITING') === true;
  return (
    <section className="card" aria-labelledby="window-title">
      <div className="card-head">
        <h2 id="window-title">Reconnection window</h2>
        {window !== undefined && <span className="muted spread">no. {window.generation}</span>}
      </div>
      <div className="card-body window-body">
        {isOpen ? (
          <TimeLeft
            key={window.phase + window.deadline}
            window={window}
            fullSeconds={status?.connectionTimeoutSeconds}
          />
        ) : (
          <p className={`time-left outcome tone-${toneOf(window)}`}>
            {window === undefined ? 'None yet' : (window.outcome ?? window.phase)}
          </p>
        )}
        <dl className="facts">
          <dt>Phase</dt>
          <dd className="mono">{window?.phase ?? 'none'}</dd>
          {window?.outcome !== undefined && (
            <>
              <dt>Outcome</dt>
              <dd className="mono">
                {window.outcome}
                {window.statusReason === undefined ? '' : `, ${window.statusReason}`}
              </dd>
              {window.cause !== undefined && (
                <>
                  <dt>Cause</dt>
                  <dd className="mono">{window.cause}</dd>
                </>
              )}
            </>
          )}
          <dt>The service says</dt>
          <dd className="mono" data-testid="status">
            {status === undefined ? 'none' : status.status}
            {status?.statusReason === undefined ? '' : `, ${status.statusReason}`}
          </dd>
          <dt>Requests</dt>
          <dd data-testid="attempts">{attempts}</dd>
          {session !== undefined && (
            <>
              <dt>Session</dt>
              <dd className="mono">{session.streamSessionId}</dd>
              <dt>Execution</dt>
              <dd>
                {window === undefined || control === undefined ? (
                  'none yet'
                ) : (
                  <ExecutionLink
                    machineArn={control.windowMachineArn}
                    name={`${session.streamSessionId}-${window.generation}`}
                  />
                )}
              </dd>
            </>
          )}
        </dl>
      </div>
    </section>
  );
}

function toneOf(window: WindowView | undefined) {
  if (window?.outcome === 'RECONNECTED') return 'good';
  const isNoLoss =
    window === undefined ||
    window.outcome === 'NOT_DISCONNECTED' ||
    window.cause === 'LEFT' ||
    window.cause === 'OPERATOR';
  return isNoLoss ? 'idle' : 'bad';
}

/** Leads to the console. An execution's ARN is its state machine's with another resource type and its name. */
function ExecutionLink({ machineArn, name }: { readonly machineArn: string; readonly name: string }) {
  const executionArn = `${machineArn.replace(':stateMachine:', ':execution:')}:${name}`;
  return (
    <a className="mono" href={`/#/executions/${encodeURIComponent(executionArn)}`}>
      {name}
    </a>
  );
}

/** Counts down between two polls, by this machine's clock alone: what the server says is how much is left. */
function TimeLeft({
  window: { remainingSeconds, phase },
  fullSeconds,
}: {
  readonly window: WindowView;
  readonly fullSeconds: number | undefined;
}) {
  const [toldAtMs, setToldAtMs] = useState(() => performance.now());
  const [nowMs, setNowMs] = useState(toldAtMs);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new answer is what makes the time known anew
  useEffect(() => setToldAtMs(performance.now()), [remainingSeconds]);
  useEffect(() => {
    const timer = setInterval(() => setNowMs(performance.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  const left = Math.max(0, remainingSeconds - Math.max(0, nowMs - toldAtMs) / 1000);
  const full = Math.max(fullSeconds ?? 0, remainingSeconds);
  return (
    <div>
      <p className="time-left">
        <span data-testid="time-left">{Math.ceil(left)}</span> s left
      </p>
      <progress value={left} max={full} aria-label="Time left in the window" />
      <p className="muted">
        {phase === 'AWAITING_RECONNECTION'
          ? 'until the service ends the session'
          : 'for the client to use its answer'}
        {fullSeconds !== undefined && remainingSeconds > fullSeconds && (
          <>, as long as nobody has read that this session keeps {fullSeconds} s only</>
        )}
      </p>
    </div>
  );
}
