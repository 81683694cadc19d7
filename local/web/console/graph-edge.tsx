import { BaseEdge, type Edge, EdgeLabelRenderer, type EdgeProps } from '@xyflow/react';
import { type Point, roundedPath } from './model/layout.ts';

export type WayEdge = Edge<
  {
    points: readonly Point[];
    kind: 'flow' | 'catch';
    /** How often the execution went this way. */
    times: number;
  },
  'way'
>;

/** The length of an arrow's head, and half its width. */
const HEAD = { length: 8, half: 4.5 };

export function GraphEdge({ id, data }: EdgeProps<WayEdge>) {
  if (data === undefined) return null;
  const { points, kind, times } = data;
  const className = `way ${kind} ${times > 0 ? 'taken' : ''}`;
  const middle = middleOfLongest(points);
  return (
    <>
      <BaseEdge id={id} path={roundedPath(points)} className={className} />
      <path d={headPath(points)} className={`way-head ${className}`} />
      {times > 1 && middle !== undefined && (
        <EdgeLabelRenderer>
          <span
            className="way-times"
            style={{ transform: `translate(-50%, -50%) translate(${middle.x}px, ${middle.y}px)` }}
          >
            {times} ×
          </span>
        </EdgeLabelRenderer>
      )}
    </>
  );
}

/** A triangle at the end, pointing as the line does there. */
function headPath(points: readonly Point[]): string {
  const tip = points.at(-1);
  const before = points.at(-2);
  if (tip === undefined || before === undefined) return '';
  const angle = Math.atan2(tip.y - before.y, tip.x - before.x);
  const corner = (side: number) => {
    const x = tip.x - HEAD.length * Math.cos(angle) + side * HEAD.half * Math.sin(angle);
    const y = tip.y - HEAD.length * Math.sin(angle) - side * HEAD.half * Math.cos(angle);
    return `${x},${y}`;
  };
  return `M${tip.x},${tip.y}L${corner(1)}L${corner(-1)}Z`;
}

/** In the middle of the line's longest stretch, where a label covers neither corner nor head. */
function middleOfLongest(points: readonly Point[]): Point | undefined {
  const stretches = points.slice(1).map((to, index) => {
    const from = points[index] ?? to;
    return {
      length: Math.hypot(to.x - from.x, to.y - from.y),
      x: (from.x + to.x) / 2,
      y: (from.y + to.y) / 2,
    };
  });
  return stretches.toSorted((one, other) => other.length - one.length)[0];
}
