import { useEffect, useRef } from 'react';
import type { WindowView } from '../backend/messages.ts';
import { Badge } from '../shared/badge.tsx';
import type { IconName } from '../shared/icon.tsx';
import { gameClock } from './game-clock.ts';
import type { PlayerView } from './player-session.ts';
import { isLive, type Situation, situationOf } from './situation.ts';

const ICONS: Readonly<Record<Situation['tone'], IconName>> = {
  idle: 'none',
  running: 'running',
  good: 'succeeded',
  bad: 'failed',
  warn: 'caught',
};

interface StageProps {
  readonly view: PlayerView;
  readonly window: WindowView | undefined;
  readonly onJump: () => void;
}

/** The video, or what has come in its place; and the game's state in words. */
export function Stage({ view, window, onJump }: StageProps) {
  const { stream, game, phase } = view;
  const situation = situationOf(view, window);
  const isPlaying = isLive(phase);
  return (
    <>
      <div className="stage">
        <Video stream={stream} />
        {!isPlaying && (
          <div className="stage-cover">
            <p className="stage-title">{situation.title}</p>
            <p>{situation.text}</p>
          </div>
        )}
      </div>
      <div className="stage-line">
        <p role="status">
          <Badge tone={situation.tone} icon={ICONS[situation.tone]}>
            {situation.title}
          </Badge>
        </p>
        <p className="game-state">
          {game === undefined ? (
            <span className="muted">No game yet</span>
          ) : (
            <>
              <span className="muted">{isPlaying ? 'Game time' : 'Last seen'}</span>{' '}
              <strong data-testid="game-time">{gameClock(game.elapsedMs)}</strong>
              <span className="muted"> score</span> <strong data-testid="score">{game.inputs}</strong>
            </>
          )}
        </p>
        <button type="button" className="button spread" onClick={onJump} disabled={!isPlaying}>
          Jump: one more point
        </button>
      </div>
    </>
  );
}

function Video({ stream }: { readonly stream: MediaStream | undefined }) {
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (element.current !== null) element.current.srcObject = stream ?? null;
  }, [stream]);
  // A game without sound: what is said is in the words below.
  return <video ref={element} autoPlay muted playsInline aria-label="The streamed game" />;
}
