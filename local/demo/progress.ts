import type { WindowView } from './player.ts';

export interface ProgressRow {
  readonly name: string;
  /** What its player did last. */
  lastTold: string;
  window: WindowView | undefined;
}

const PHASES: Readonly<Record<string, string>> = {
  AWAITING_RECONNECTION: 'waiting for the player',
  AWAITING_CLIENT: 'waiting for the client',
  AWAITING_END: 'waiting for the end',
  FAILED: 'failed',
};
const BAR_SECONDS = 20;

/** Shows every window with the time left in it: drawn over in a terminal, a line a second elsewhere. */
export class Progress {
  readonly #rows: readonly ProgressRow[];
  readonly #stream: NodeJS.WriteStream;
  readonly #startMs = Date.now();
  #drawnLines = 0;
  #lastPlainSecond = -1;

  constructor(rows: readonly ProgressRow[], stream: NodeJS.WriteStream) {
    this.#rows = rows;
    this.#stream = stream;
  }

  draw(): void {
    const seconds = (Date.now() - this.#startMs) / 1000;
    if (this.#stream.isTTY) {
      if (this.#drawnLines > 0) this.#stream.write(`\x1b[${this.#drawnLines}A`);
      const lines = this.#rows.map((row) => `\x1b[2K${describeRow(row)}\n`);
      this.#stream.write(lines.join(''));
      this.#drawnLines = lines.length;
      return;
    }
    if (Math.floor(seconds) === this.#lastPlainSecond) return;
    this.#lastPlainSecond = Math.floor(seconds);
    const cells = this.#rows.map(({ name, window }) => `${name}: ${brief(window)}`);
    this.#stream.write(`${String(this.#lastPlainSecond).padStart(3)} s  ${cells.join('  |  ')}\n`);
  }
}

function describeRow({ name, lastTold, window }: ProgressRow): string {
  const left = window === undefined || window.phase === 'CLOSED' ? 0 : window.remainingSeconds;
  const filled = Math.min(BAR_SECONDS, Math.ceil(left));
  const bar = `${'█'.repeat(filled)}${'·'.repeat(BAR_SECONDS - filled)}`;
  return `  ${name.padEnd(9)} ${bar} ${brief(window).padEnd(38)} ${lastTold}`;
}

function brief(window: WindowView | undefined): string {
  if (window === undefined) return 'connected';
  if (window.phase === 'CLOSED') return window.outcome ?? 'closed';
  return `${PHASES[window.phase] ?? window.phase}, ${window.remainingSeconds.toFixed(1)} s left`;
}
