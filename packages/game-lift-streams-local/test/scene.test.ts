import { describe, expect, it } from 'vitest';
import { dotsOf, GLYPH_HEIGHT, GLYPH_WIDTH } from '../src/peers/glyphs.ts';
import { clockText, SCENE_WIDTH, Scene } from '../src/peers/scene.ts';

/** The rows of pixels in which two pictures differ. */
function differingRows(one: Uint8ClampedArray, other: Uint8ClampedArray): Set<number> {
  const rows = new Set<number>();
  for (const [index, value] of one.entries()) {
    if (value !== other[index]) rows.add(Math.floor(index / 4 / SCENE_WIDTH));
  }
  return rows;
}

function picture(elapsedMs: number, inputs: number): Uint8ClampedArray {
  const scene = new Scene();
  scene.draw({ elapsedMs, inputs });
  return scene.pixels.slice();
}

describe('the streamed game', () => {
  it.each([
    [0, '00:00.0'],
    [187_250, '03:07.2'],
    [3_599_999, '59:59.9'],
    [6_000_000, '100:00.0'],
  ])('shows %d ms as %s', (elapsedMs, text) => {
    expect(clockText(elapsedMs)).toBe(text);
  });

  it('has a form for every character that it shows, within the form’s box', () => {
    for (const character of '0123456789:.GAMETIMESCORE') {
      const dots = dotsOf(character);
      expect([character, dots.length > 0]).toEqual([character, true]);
      for (const [column, row] of dots) {
        expect(column).toBeLessThan(GLYPH_WIDTH);
        expect(row).toBeLessThan(GLYPH_HEIGHT);
      }
    }
  });

  it('looks the same for the same state, whoever draws it', () => {
    expect(differingRows(picture(12_300, 4), picture(12_300, 4)).size).toBe(0);
  });

  it('shows each point, and each tenth of a second', () => {
    expect(differingRows(picture(12_300, 4), picture(12_300, 5)).size).toBeGreaterThan(10);
    expect(differingRows(picture(12_300, 4), picture(12_400, 4)).size).toBeGreaterThan(10);
  });

  it('draws over what was there before', () => {
    const scene = new Scene();
    scene.draw({ elapsedMs: 88_888, inputs: 888 });
    scene.draw({ elapsedMs: 0, inputs: 1 });

    expect(differingRows(scene.pixels, picture(0, 1)).size).toBe(0);
  });
});
