import type { ElkNode } from 'elkjs';
import type { Definition } from './definition.ts';
import { wayKey } from './path.ts';
import { END, START, type Transition } from './transitions.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

export interface Layout {
  /** By state; `x` and `y` are of the upper left corner. */
  readonly boxes: ReadonlyMap<string, Box>;
  /** By way, from border to border. */
  readonly lines: ReadonlyMap<string, readonly Point[]>;
  readonly width: number;
  readonly height: number;
}

/** Room for a name in two lines and the line of words below it. */
const STATE_SIZE = { width: 162, height: 62 };
const TERMINAL_SIZE = { width: 64, height: 30 };

/**
 * Layers from the start down. A way back is one that leads to a state further up in the definition, for people
 * write definitions in the order in which things happen.
 * https://eclipse.dev/elk/reference/options.html
 */
const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.layered.cycleBreaking.strategy': 'MODEL_ORDER',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.nodePlacement.favorStraightEdges': 'true',
  'elk.spacing.nodeNode': '16',
  'elk.spacing.edgeNode': '12',
  'elk.spacing.edgeEdge': '8',
  'elk.layered.spacing.nodeNodeBetweenLayers': '36',
  'elk.layered.spacing.edgeNodeBetweenLayers': '14',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '8',
  'elk.padding': '[top=12,left=12,bottom=12,right=12]',
};

/** What usually happens is drawn straighter than what is caught. */
const PRIORITY = {
  flow: { 'elk.layered.priority.straightness': '5' },
  catch: { 'elk.layered.priority.straightness': '0' },
};

/** Places the states and routes the ways between them, so that no line crosses a state. */
export async function layOut({ states }: Definition, transitions: readonly Transition[]): Promise<Layout> {
  // Loaded when a graph is drawn, for it is larger than all the rest of the page.
  const { default: Elk } = await import('elkjs/lib/elk.bundled.js');
  const terminal = (id: string) => ({ id, ...TERMINAL_SIZE });
  const asked: ElkNode = {
    id: 'graph',
    layoutOptions: OPTIONS,
    children: [
      terminal(START),
      ...[...states.keys()].map((id) => ({ id, ...STATE_SIZE })),
      ...(transitions.some(({ to }) => to === END) ? [terminal(END)] : []),
    ],
    edges: transitions.map((way) => ({
      id: wayKey(way),
      sources: [way.from],
      targets: [way.to],
      layoutOptions: PRIORITY[way.kind],
    })),
  };
  const placed = await new Elk.default().layout(asked);
  return {
    boxes: new Map((placed.children ?? []).map((child) => [child.id, boxOf(child)])),
    lines: new Map(
      (placed.edges ?? []).map(({ id, sections = [] }) => [
        id,
        sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [
          startPoint,
          ...bendPoints,
          endPoint,
        ]),
      ]),
    ),
    width: placed.width ?? 0,
    height: placed.height ?? 0,
  };
}

function boxOf({ x = 0, y = 0, width = 0, height = 0 }: ElkNode): Box {
  return { x, y, width, height };
}

/** How far a corner is rounded, where the line is long enough. */
const CORNER = 7;

/** A line through the points with rounded corners, as an SVG path. */
export function roundedPath(points: readonly Point[]): string {
  return points
    .map((point, index) => {
      const before = points[index - 1];
      const after = points[index + 1];
      if (before === undefined) return `M${point.x},${point.y}`;
      if (after === undefined) return `L${point.x},${point.y}`;
      const from = towards(point, before);
      const to = towards(point, after);
      return `L${from.x},${from.y}Q${point.x},${point.y} ${to.x},${to.y}`;
    })
    .join('');
}

/** From a corner along the line to its neighbour, but no further than half way. */
function towards(corner: Point, neighbour: Point): Point {
  const length = Math.hypot(neighbour.x - corner.x, neighbour.y - corner.y);
  const share = length === 0 ? 0 : Math.min(CORNER / length, 0.5);
  return {
    x: corner.x + (neighbour.x - corner.x) * share,
    y: corner.y + (neighbour.y - corner.y) * share,
  };
}
