import { useState } from 'react';
import type { WindowView } from '../backend/messages.ts';
import type { PlayerSession, PlayerView } from './player-session.ts';
import { addressOf } from './session-address.ts';
import { isLive, isOnTheWay, isOut, isOver, mayLeave } from './situation.ts';

/** The service's own default, and what a window assumes until the session has been read. */
const DEFAULT_TIMEOUT_SECONDS = 120;

interface ActionsProps {
  readonly view: PlayerView;
  readonly window: WindowView | undefined;
  readonly player: PlayerSession;
}

/** What a player can do, each at its time. */
export function Actions({ view, window, player }: ActionsProps) {
  const [timeoutSeconds, setTimeoutSeconds] = useState(String(DEFAULT_TIMEOUT_SECONDS));
  const { phase, session } = view;
  const over = isOver(view, window);
  const mayConnect = phase === 'absent' || phase === 'gone' || phase === 'left' || over;
  const mayComeBack = isOut(phase) && !over;
  const secondTab = session === undefined || phase === 'left' || over ? undefined : addressOf(session);
  return (
    <div className="actions">
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault();
          void player.start(Number(timeoutSeconds));
        }}
      >
        <button type="submit" className={mayConnect ? 'button primary' : 'button'} disabled={!mayConnect}>
          Connect
        </button>
        <label className="field inline">
          Time to come back, in seconds
          <input
            type="number"
            name="timeout"
            min={1}
            max={3600}
            required
            value={timeoutSeconds}
            onChange={(event) => setTimeoutSeconds(event.target.value)}
          />
        </label>
      </form>
      <div className="row">
        <button
          type="button"
          className="button danger"
          disabled={!isLive(phase)}
          onClick={() => player.pullThePlug()}
        >
          Pull the plug
        </button>
        <button
          type="button"
          className={mayComeBack && phase !== 'gone' ? 'button primary' : 'button'}
          disabled={!mayComeBack}
          onClick={() => player.comeBack()}
        >
          Come back
        </button>
        {secondTab === undefined ? (
          <button type="button" className="button" disabled>
            Come back in a second tab
          </button>
        ) : (
          <a className="button" href={secondTab} target="_blank" rel="noopener">
            Come back in a second tab
          </a>
        )}
        <button
          type="button"
          className="button"
          disabled={!(isLive(phase) || isOut(phase) || isOnTheWay(phase)) || phase === 'gone' || over}
          onClick={() => player.neverComeBack()}
        >
          Never come back
        </button>
        <button
          type="button"
          className="button"
          disabled={!mayLeave(phase) || over}
          onClick={() => player.leave()}
        >
          Leave
        </button>
      </div>
    </div>
  );
}
