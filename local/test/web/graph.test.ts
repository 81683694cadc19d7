import { machine, pass, task } from 'step-functions-local/testing';
import { describe, expect, inject, it } from 'vitest';
import { parseDefinition } from '../../web/console/model/definition.ts';
import { graphOf } from '../../web/console/model/graph.ts';
import { type Box, type Point, roundedPath } from '../../web/console/model/layout.ts';
import { wayKey } from '../../web/console/model/path.ts';
import { END, START, transitionsOf } from '../../web/console/model/transitions.ts';

const definitionOf = (document: unknown) => parseDefinition(JSON.stringify(document));

describe('the ways of a state machine', () => {
  it('are from the start, by Next, by Catch, and to the end', () => {
    const definition = definitionOf(
      machine({
        Work: task({ Catch: [{ ErrorEquals: ['Lost', 'Late'], Next: 'Mend' }], Next: 'Done' }),
        Mend: pass({ Next: 'Done' }),
        Done: { Type: 'Succeed' },
      }),
    );

    expect(transitionsOf(definition)).toEqual([
      { from: START, to: 'Work', kind: 'flow', when: [] },
      { from: 'Work', to: 'Done', kind: 'flow', when: [] },
      { from: 'Work', to: 'Mend', kind: 'catch', when: ['Lost', 'Late'] },
      { from: 'Mend', to: 'Done', kind: 'flow', when: [] },
      { from: 'Done', to: END, kind: 'flow', when: [] },
    ]);
  });

  it('are one for all rules of a Choice that lead to the same state', () => {
    const definition = definitionOf(
      machine({
        Which: {
          Type: 'Choice',
          Choices: [
            { Condition: '{% $a\n  > 1 %}', Next: 'One' },
            { Condition: '{% $b %}', Next: 'Two' },
            { Condition: '{% $c %}', Next: 'One' },
          ],
          Default: 'Two',
        },
        One: pass(),
        Two: { Type: 'Fail', Error: 'No' },
      }),
    );

    const leaving = transitionsOf(definition).filter(({ from }) => from === 'Which');
    expect(leaving.map(({ to, when }) => [to, when])).toEqual([
      ['One', ['$a > 1', '$c']],
      ['Two', ['$b', 'otherwise']],
    ]);
    expect(transitionsOf(definition).filter(({ to }) => to === END)).toHaveLength(2);
  });
});

describe.each(inject('service').stateMachines)('the graph of $name', ({ definition: document }) => {
  it('has every state, apart from each other, and every way from border to border', async () => {
    const { definition, transitions, layout } = await graphOf(JSON.stringify(document));

    expect([...layout.boxes.keys()].sort()).toEqual([START, ...definition.states.keys(), END].sort());
    const boxes = [...layout.boxes.values()];
    boxes.forEach((box, index) => {
      for (const other of boxes.slice(index + 1)) expect(overlap(box, other)).toBe(false);
    });
    for (const way of transitions) {
      const line = layout.lines.get(wayKey(way)) ?? [];
      expect([way, isOnBorder(line[0], layout.boxes.get(way.from))]).toEqual([way, true]);
      expect([way, isOnBorder(line.at(-1), layout.boxes.get(way.to))]).toEqual([way, true]);
    }
  });

  it('has no line across a state, and nothing outside its frame', async () => {
    const { layout } = await graphOf(JSON.stringify(document));

    for (const [key, line] of layout.lines) {
      line.slice(1).forEach((to, index) => {
        const stretch = stretchBox(line[index] ?? to, to);
        for (const [state, box] of layout.boxes) {
          expect([key, state, overlap(stretch, box)]).toEqual([key, state, false]);
        }
      });
      for (const { x, y } of line) {
        expect(x >= 0 && x <= layout.width && y >= 0 && y <= layout.height).toBe(true);
      }
    }
  });
});

describe('a line', () => {
  it('is rounded at its corners, and no further than half way to the next one', () => {
    const points = [
      { x: 0, y: 0 },
      { x: 0, y: 100 },
      { x: 4, y: 100 },
      { x: 4, y: 200 },
    ];

    expect(roundedPath(points)).toBe('M0,0L0,93Q0,100 2,100L2,100Q4,100 4,107L4,200');
  });

  it('without a corner is straight', () => {
    expect(
      roundedPath([
        { x: 0, y: 0 },
        { x: 0, y: 9 },
      ]),
    ).toBe('M0,0L0,9');
    expect(roundedPath([])).toBe('');
  });
});

/** Touching is not overlapping. */
function overlap(one: Box, other: Box): boolean {
  const slack = 0.5;
  return (
    one.x + slack < other.x + other.width &&
    other.x + slack < one.x + one.width &&
    one.y + slack < other.y + other.height &&
    other.y + slack < one.y + one.height
  );
}

/** Lines are horizontal or vertical; a box of no width could never overlap. */
function stretchBox(from: Point, to: Point): Box {
  const half = 0.6;
  return {
    x: Math.min(from.x, to.x) - (from.x === to.x ? half : 0),
    y: Math.min(from.y, to.y) - (from.y === to.y ? half : 0),
    width: Math.abs(from.x - to.x) + (from.x === to.x ? 2 * half : 0),
    height: Math.abs(from.y - to.y) + (from.y === to.y ? 2 * half : 0),
  };
}

function isOnBorder(point: Point | undefined, box: Box | undefined): boolean {
  if (point === undefined || box === undefined) return false;
  const { x, y } = point;
  const isWithin = x >= box.x - 1 && x <= box.x + box.width + 1;
  return isWithin && (Math.abs(y - box.y) < 1 || Math.abs(y - box.y - box.height) < 1);
}
