import type { Cell } from './report.ts';
import { titleOf } from './scenario.ts';

const WIDTH = 640;
const HEIGHT = 260;
const MARGIN = { left: 52, right: 16, top: 54, bottom: 34 } as const;
const COLOURS = ['#0b6e4f', '#c44536', '#3d5a98', '#b8860b'];

/** Sessions saved over time, one panel for each storm and one line for each policy, as SVG. */
export function pictureOf(cells: readonly Cell[]): string {
  const panels = cells.map(
    (cell, index) => `<g transform="translate(0 ${index * HEIGHT})">${panelOf(cell)}</g>`,
  );
  const height = HEIGHT * cells.length;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="11">`,
    '<title>Sessions saved over time in reconnection storms</title>',
    `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
    ...panels,
    '</svg>',
    '',
  ].join('\n');
}

function panelOf({ scenario, results }: Cell): string {
  const bound = results[0]?.bound ?? 1;
  const endSeconds = Math.max(1, ...results.map(({ savedAtSeconds }) => savedAtSeconds.at(-1) ?? 0));
  const most = Math.max(bound, ...results.map(({ saved }) => saved));
  const x = (seconds: number) =>
    (MARGIN.left + (seconds / endSeconds) * (WIDTH - MARGIN.left - MARGIN.right)).toFixed(1);
  const y = (saved: number) =>
    (HEIGHT - MARGIN.bottom - (saved / most) * (HEIGHT - MARGIN.top - MARGIN.bottom)).toFixed(1);
  const lines = results.map(({ policy, savedAtSeconds, calls }, index) => {
    const colour = COLOURS[index % COLOURS.length] ?? 'black';
    const step = Math.max(1, Math.floor(savedAtSeconds.length / 200));
    const points = savedAtSeconds
      .map((seconds, saved) => ({ seconds, saved: saved + 1 }))
      .filter(({ saved }, at) => at % step === 0 || saved === savedAtSeconds.length)
      .map(({ seconds, saved }) => `${x(seconds)},${y(saved)}`);
    const legendX = MARGIN.left + (index % 2) * 290;
    const legendY = 32 + Math.floor(index / 2) * 13;
    return [
      `<polyline fill="none" stroke="${colour}" stroke-width="1.8" points="${x(0)},${y(0)} ${points.join(' ')}"/>`,
      `<text x="${legendX}" y="${legendY}" fill="${colour}" font-size="10.5">${policy}: ${calls} calls</text>`,
    ].join('');
  });
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const seconds = endSeconds * share;
    return `<text x="${x(seconds)}" y="${HEIGHT - MARGIN.bottom + 14}" text-anchor="middle">${seconds.toFixed(0)} s</text>`;
  });
  return [
    `<text x="${MARGIN.left}" y="18" font-size="13" font-weight="bold">${titleOf(scenario)}: sessions saved</text>`,
    `<line x1="${x(0)}" y1="${y(0)}" x2="${x(endSeconds)}" y2="${y(0)}" stroke="black"/>`,
    `<line x1="${x(0)}" y1="${y(bound)}" x2="${x(endSeconds)}" y2="${y(bound)}" stroke="gray" stroke-dasharray="4 3"/>`,
    `<text x="${MARGIN.left - 6}" y="${y(bound)}" text-anchor="end" dominant-baseline="middle">${bound}</text>`,
    `<text x="${MARGIN.left - 6}" y="${y(0)}" text-anchor="end">0</text>`,
    ...ticks,
    ...lines,
  ].join('');
}
