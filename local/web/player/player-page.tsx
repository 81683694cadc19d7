import { useQuery } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';
import { Actions } from './actions.tsx';
import { readControlState, readWindow } from './backend.ts';
import { ControlStrip } from './control-strip.tsx';
import { EventLog } from './event-log.tsx';
import { PlayerSession } from './player-session.ts';
import { sessionIn, showInAddress } from './session-address.ts';
import { Stage } from './stage.tsx';
import { WindowCard } from './window-card.tsx';

const POLL_MS = 1_000;

/** One for the page: a component's own would be made anew with it. */
const player = new PlayerSession();

export function PlayerPage() {
  const view = useSyncExternalStore(player.subscribe, player.view);
  const { session, phase } = view;
  const streamSessionId = session?.streamSessionId;

  useEffect(() => {
    const resumed = sessionIn(location.search);
    if (resumed !== undefined && player.view().session === undefined) player.resume(resumed);
  }, []);
  useEffect(() => showInAddress(session), [session]);

  const { data: window } = useQuery({
    queryKey: ['window', streamSessionId],
    queryFn: () => readWindow(streamSessionId ?? ''),
    enabled: streamSessionId !== undefined,
    refetchInterval: POLL_MS,
  });
  useEffect(() => {
    if (window) player.sawWindow(window.generation);
  }, [window]);
  const control = useQuery({
    queryKey: ['control', streamSessionId],
    queryFn: () => readControlState(streamSessionId),
    refetchInterval: POLL_MS,
  });

  return (
    <>
      <div className="row">
        <h1>Player</h1>
        <p className="muted">Loses the connection, and comes back to the same game.</p>
      </div>
      <div className="player-layout">
        <section className="card stage-card" aria-label="Stream">
          <Stage view={view} window={window ?? undefined} onJump={() => player.jump()} />
          <Actions view={view} window={window ?? undefined} player={player} />
        </section>
        <div className="player-side">
          <WindowCard view={view} window={window ?? undefined} control={control.data} />
          <EventLog entries={view.log} phase={phase} />
        </div>
      </div>
      <ControlStrip state={control.data} error={control.error?.message} />
    </>
  );
}
