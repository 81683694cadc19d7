import type { Clock } from '../../functions/shared/runtime/clock.ts';

export interface Terminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export interface Countdown {
  /** Resolves when no time is left, or when stopped. */
  readonly ended: Promise<void>;
  stop(): void;
}

export interface CountdownOptions {
  readonly clock: Clock;
  /** Epoch ms. */
  readonly untilMs: number;
  readonly terminal: Terminal;
  /** "line" is drawn over; "title" leaves the screen to whoever else writes on it. Off a terminal, a line each 10 s. */
  readonly style: 'line' | 'title';
  readonly text: (secondsLeft: number) => string;
}

const PLAIN_STEP_SECONDS = 10;

/** Shows how many seconds are left, each second, until there is none. */
export function countDown({ clock, untilMs, terminal, style, text }: CountdownOptions): Countdown {
  let cancel = () => {};
  let finish = () => {};
  const ended = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let isFirst = true;
  const draw = (secondsLeft: number) => {
    if (terminal.isTTY === true) {
      terminal.write(style === 'line' ? `\r\x1b[2K${text(secondsLeft)}` : `\x1b]2;${text(secondsLeft)}\x07`);
    } else if (isFirst || secondsLeft % PLAIN_STEP_SECONDS === 0) {
      terminal.write(`${text(secondsLeft)}\n`);
    }
    isFirst = false;
  };
  const stop = once(() => {
    cancel();
    if (terminal.isTTY === true) terminal.write(style === 'line' ? '\n' : '\x1b]2;\x07');
    finish();
  });
  const tick = () => {
    const leftMs = untilMs - clock.nowMs();
    const secondsLeft = Math.max(0, Math.ceil(leftMs / 1000));
    draw(secondsLeft);
    if (secondsLeft === 0) stop();
    else cancel = clock.setTimer(leftMs - (secondsLeft - 1) * 1000, tick);
  };
  tick();
  return { ended, stop };
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    work();
  };
}
