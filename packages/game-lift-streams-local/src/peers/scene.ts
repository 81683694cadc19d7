import { dotsOf, GLYPH_WIDTH } from './glyphs.ts';
import type { GameState } from './peers.ts';

export const SCENE_WIDTH = 640;
export const SCENE_HEIGHT = 360;

/** One round of the course, in milliseconds. */
const LAP_MS = 8_000;
const COURSE = { left: 48, top: 250, width: SCENE_WIDTH - 96, height: 6 };
const RUNNER_SIZE = 26;

type Colour = readonly [red: number, green: number, blue: number];
const SKY_TOP: Colour = [17, 24, 52];
const SKY_BOTTOM: Colour = [58, 34, 92];
const COURSE_COLOUR: Colour = [92, 84, 150];
const LABEL: Colour = [176, 170, 214];
const DIGITS: Colour = [255, 255, 255];
const RUNNER: Colour = [255, 176, 32];

/**
 * The streamed game: a clock, a score and a runner, all functions of the session's state, so that whoever
 * comes back sees at a glance that nothing was lost.
 */
export class Scene {
  /** RGBA, row by row. */
  readonly pixels = new Uint8ClampedArray(SCENE_WIDTH * SCENE_HEIGHT * 4);
  readonly #background = gradient();

  draw({ elapsedMs, inputs }: GameState): void {
    this.pixels.set(this.#background);
    this.#text('GAME TIME', 48, 48, 3, LABEL);
    this.#text(clockText(elapsedMs), 48, 84, 11, DIGITS);
    this.#text('SCORE', 48, 300, 3, LABEL);
    this.#text(String(inputs), 160, 292, 5, RUNNER);
    this.#rectangle(COURSE.left, COURSE.top, COURSE.width, COURSE.height, COURSE_COLOUR);
    const along = (elapsedMs % LAP_MS) / LAP_MS;
    const hop = Math.abs(Math.sin((elapsedMs / 400) * Math.PI)) * 22;
    const left = COURSE.left + along * (COURSE.width - RUNNER_SIZE);
    this.#rectangle(left, COURSE.top - RUNNER_SIZE - hop, RUNNER_SIZE, RUNNER_SIZE, RUNNER);
  }

  #text(text: string, left: number, top: number, dot: number, colour: Colour): void {
    for (const [index, character] of [...text].entries()) {
      const start = left + index * (GLYPH_WIDTH + 1) * dot;
      for (const [column, row] of dotsOf(character)) {
        this.#rectangle(start + column * dot, top + row * dot, dot, dot, colour);
      }
    }
  }

  #rectangle(left: number, top: number, width: number, height: number, [red, green, blue]: Colour): void {
    const [fromX, fromY] = [Math.max(0, Math.round(left)), Math.max(0, Math.round(top))];
    const toX = Math.min(SCENE_WIDTH, fromX + width);
    const toY = Math.min(SCENE_HEIGHT, fromY + height);
    for (let y = fromY; y < toY; y++) {
      for (let x = fromX; x < toX; x++) {
        this.pixels.set([red, green, blue], (y * SCENE_WIDTH + x) * 4);
      }
    }
  }
}

/** 3 min 7.25 s is "03:07.2"; after 100 minutes the minutes take three digits. */
export function clockText(elapsedMs: number): string {
  const tenths = Math.floor(elapsedMs / 100);
  const minutes = String(Math.floor(tenths / 600)).padStart(2, '0');
  const seconds = String(Math.floor(tenths / 10) % 60).padStart(2, '0');
  return `${minutes}:${seconds}.${tenths % 10}`;
}

function gradient(): Uint8ClampedArray {
  const pixels = new Uint8ClampedArray(SCENE_WIDTH * SCENE_HEIGHT * 4).fill(255);
  for (let y = 0; y < SCENE_HEIGHT; y++) {
    const share = y / (SCENE_HEIGHT - 1);
    const colour = SKY_TOP.map((top, channel) => top + (SKY_BOTTOM[channel as 0 | 1 | 2] - top) * share);
    for (let x = 0; x < SCENE_WIDTH; x++) pixels.set(colour, (y * SCENE_WIDTH + x) * 4);
  }
  return pixels;
}
