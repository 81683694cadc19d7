import type { WindowView } from '../backend/messages.ts';
import type { Phase, PlayerView } from './player-session.ts';

export interface Situation {
  readonly title: string;
  readonly text: string;
  readonly tone: 'idle' | 'running' | 'good' | 'bad' | 'warn';
}

const ON_THE_WAY: readonly Phase[] = ['away', 'waiting', 'answering'];
const LIVE: readonly Phase[] = ['connected', 'back', 'suspect'];

export const isOnTheWay = (phase: Phase): boolean => ON_THE_WAY.includes(phase);
export const isLive = (phase: Phase): boolean => LIVE.includes(phase);

/** Whether the player is out, and may come back by a click. */
export const isOut = (phase: Phase): boolean =>
  phase === 'unplugged' || phase === 'gone' || phase === 'failed' || phase === 'takenOver';

/** Whether the player may end the session: it is played here, or waits for this player. */
export const mayLeave = (phase: Phase): boolean =>
  isLive(phase) || isOnTheWay(phase) || phase === 'unplugged' || phase === 'failed';

/** Whether the session is over: the reconnector says so, or the outcome does. */
export function isOver({ phase }: Pick<PlayerView, 'phase'>, window: WindowView | undefined): boolean {
  if (phase === 'over') return true;
  return isOut(phase) && (window?.outcome === 'TERMINATED' || window?.outcome === 'ERRORED');
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
    case 'back':
      return {
        title: 'Connected',
        text: 'The stream is live. A tab that is closed says “perhaps leaving”.',
        tone: 'good',
      };
    case 'suspect':
      return { title: 'Interrupted', text: 'The connection is interrupted, and may heal.', tone: 'warn' };
    case 'away':
      return { title: 'Coming back', text: 'A new offer is on its way to the session.', tone: 'running' };
    case 'waiting':
      return {
        title: 'Coming back',
        text: `The next request follows by itself${reason === undefined ? '' : ` (${reason})`}.`,
        tone: 'running',
      };
    case 'answering':
      return { title: 'Coming back', text: 'The answer is here; the stream connects.', tone: 'running' };
    case 'left':
      return {
        title: 'Left',
        text: 'The session is ended on purpose, and does not count as lost. Connect starts a new one.',
        tone: 'idle',
      };
    case 'takenOver':
      return {
        title: 'Played elsewhere',
        text: `${reason === 'anotherTab' ? 'Another tab' : 'Another client'} plays this session. Come back takes it back.`,
        tone: 'warn',
      };
    case 'failed':
      return { title: 'Turned away', text: reason ?? '', tone: 'bad' };
    case 'gone':
      return {
        title: 'Gone for good',
        text: 'Nobody comes back. The service ends the session when its time is up.',
        tone: 'warn',
      };
    default:
      return lostSituation(view, window);
  }
}

function lostSituation({ windowsBefore }: PlayerView, window: WindowView | undefined): Situation {
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
  return { title: 'Connection lost', text, tone: 'warn' };
}
