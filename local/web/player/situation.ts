import type { WindowView } from '../backend/messages.ts';
import type { PlayerView } from './player-session.ts';

export interface Situation {
  readonly title: string;
  readonly text: string;
  readonly tone: 'idle' | 'running' | 'good' | 'bad' | 'warn';
}

/** Whether the session is over: the outcome says so, or the server did. */
export function isOver({ phase }: Pick<PlayerView, 'phase'>, window: WindowView | undefined): boolean {
  if (phase === 'ended') return true;
  const isAway = phase === 'away' || phase === 'gone' || phase === 'refused';
  return isAway && (window?.outcome === 'TERMINATED' || window?.outcome === 'ERRORED');
}

/** What to tell the player, in a line and a sentence. */
export function situationOf(view: PlayerView, window: WindowView | undefined): Situation {
  const { phase, reason } = view;
  if (isOver(view, window)) {
    const why = window?.statusReason ?? reason;
    return {
      title: 'The session is over',
      text: `Its state is gone${why === undefined ? '' : ` (${why})`}. Connect starts a new one.`,
      tone: 'bad',
    };
  }
  switch (phase) {
    case 'absent':
      return {
        title: 'Nobody is playing',
        text: reason ?? 'Connect starts a stream session and its game.',
        tone: reason === undefined ? 'idle' : 'bad',
      };
    case 'starting':
      return { title: 'Starting', text: 'The session needs about 3 s until its game runs.', tone: 'running' };
    case 'connected':
      return { title: 'Connected', text: 'The stream is live.', tone: 'good' };
    case 'returning':
      return { title: 'Coming back', text: 'A new offer is on its way to the session.', tone: 'running' };
    case 'refused':
      return { title: 'Turned away', text: reason ?? '', tone: 'bad' };
    case 'gone':
      return {
        title: 'Gone for good',
        text: 'Nobody comes back. The service ends the session when its time is up.',
        tone: 'warn',
      };
    default:
      return awaySituation(view, window);
  }
}

function awaySituation({ reason, windowsBefore }: PlayerView, window: WindowView | undefined): Situation {
  const isOfThisLoss = window !== undefined && window.generation > windowsBefore;
  if (isOfThisLoss && window.outcome === 'RECONNECTED') {
    return {
      title: 'Played elsewhere',
      text: 'Another tab is back in this session.',
      tone: 'warn',
    };
  }
  const text = isOfThisLoss
    ? 'The game goes on, and waits for its player.'
    : 'Nobody has noticed yet: the service takes about 5 s, the watcher up to 5 s more.';
  return { title: 'Connection lost', text: reason === undefined ? text : `${reason} ${text}`, tone: 'warn' };
}
