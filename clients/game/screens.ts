import type { Reconnector, State } from 'reconnection-client';

interface Screen {
  readonly title: string;
  readonly text: string;
  /** What the player can do: it calls `comeBack()`. */
  readonly button?: string;
}

/** What the player sees in each state. Undefined is the game itself. */
export function screenOf(state: State): Screen | undefined {
  switch (state.name) {
    case 'connected':
    case 'back':
      return undefined;
    case 'suspect':
      return { title: 'Connection interrupted', text: 'It may heal by itself.' };
    case 'away':
      return { title: 'Reconnecting', text: 'Your game goes on without you. We are taking you back.' };
    case 'waiting': {
      const seconds = Math.max(0, Math.ceil((state.retryAt - Date.now()) / 1000));
      return { title: 'Reconnecting', text: `The next try is in ${seconds} s.` };
    }
    case 'answering':
      return { title: 'Almost there', text: 'The game has answered.' };
    case 'over':
      return { title: 'This game is over', text: 'You can start a new one.' };
    case 'left':
      return { title: 'See you', text: 'You have left the game.' };
    case 'takenOver':
      return {
        title: 'You are playing elsewhere',
        text:
          state.by === 'anotherTab'
            ? 'The game is open in another tab.'
            : 'The game is open on another device.',
        button: 'Play here',
      };
    case 'failed':
      return { title: 'We could not take you back', text: `Reason: ${state.reason}`, button: 'Try again' };
  }
}

/** Draws the screens over the game, and counts down. Returns a function that ends it. */
export function showScreens(reconnector: Reconnector, overlay: HTMLElement): () => void {
  const title = overlay.appendChild(document.createElement('h1'));
  const text = overlay.appendChild(document.createElement('p'));
  const button = overlay.appendChild(document.createElement('button'));
  overlay.setAttribute('role', 'status');
  button.onclick = () => reconnector.comeBack();
  const draw = () => {
    const screen = screenOf(reconnector.state);
    overlay.hidden = screen === undefined;
    title.textContent = screen?.title ?? '';
    text.textContent = screen?.text ?? '';
    button.textContent = screen?.button ?? '';
    button.hidden = screen?.button === undefined;
  };
  const stop = reconnector.on('change', draw);
  const timer = setInterval(draw, 250);
  draw();
  return () => {
    stop();
    clearInterval(timer);
  };
}
