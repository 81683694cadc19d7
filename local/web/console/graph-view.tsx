import '@xyflow/react/dist/style.css';
import { Controls, type Node, ReactFlow, ReactFlowProvider } from '@xyflow/react';
import { useMemo } from 'react';
import { Icon } from '../shared/icon.tsx';
import { GraphEdge, type WayEdge } from './graph-edge.tsx';
import { GraphNode, type StateNode } from './graph-node.tsx';
import type { Graph } from './model/graph.ts';
import type { Layout } from './model/layout.ts';
import { progressOf, wayKey, waysTaken } from './model/path.ts';
import type { Visit } from './model/visits.ts';

type FrameNode = Node<Record<string, never>, 'frame'>;

const NODE_TYPES = { state: GraphNode, frame: () => null };
const EDGE_TYPES = { way: GraphEdge };
const LABELS = {
  'controls.ariaLabel': 'Graph controls',
  'controls.zoomIn.ariaLabel': 'Zoom in',
  'controls.zoomOut.ariaLabel': 'Zoom out',
  'controls.fitView.ariaLabel': 'Show the whole graph',
};

/** Below that names cannot be read: the graph is scrolled sideways instead. Above, it only looks clumsy. */
const SMALLEST_SCALE = 0.8;
const LARGEST_SCALE = 1.1;

interface GraphViewProps {
  readonly graph: Graph;
  readonly visits: readonly Visit[];
  readonly selected?: string | undefined;
  readonly onSelect?: (state: string) => void;
}

/** The state machine as a graph, with the path that an execution has taken. */
export function GraphView({ graph, visits, selected, onSelect }: GraphViewProps) {
  const { width, height } = graph.layout;
  const nodes = useMemo(
    () => nodesOf(graph, visits, selected, onSelect),
    [graph, visits, selected, onSelect],
  );
  const edges = useMemo(() => edgesOf(graph, visits), [graph, visits]);
  return (
    <figure className="graph" aria-label="State machine graph">
      <ReactFlowProvider>
        <div className="graph-scroll">
          <div
            className="graph-canvas"
            style={{
              aspectRatio: `${width} / ${height}`,
              minWidth: width * SMALLEST_SCALE,
              maxWidth: width * LARGEST_SCALE,
            }}
          >
            <ReactFlow
              nodes={nodes}
              edges={edges}
              nodeTypes={NODE_TYPES}
              edgeTypes={EDGE_TYPES}
              ariaLabelConfig={LABELS}
              fitView
              fitViewOptions={{ padding: 0 }}
              minZoom={0.5}
              maxZoom={2}
              nodesDraggable={false}
              nodesConnectable={false}
              nodesFocusable={false}
              edgesFocusable={false}
              elementsSelectable={false}
              disableKeyboardA11y
              // The page scrolls by wheel and finger; the graph is moved by the mouse and zoomed by its buttons.
              preventScrolling={false}
              zoomOnScroll={false}
              zoomOnDoubleClick={false}
              panOnDrag={!matchMedia('(pointer: coarse)').matches}
              proOptions={{ hideAttribution: true }}
            >
              <Controls showInteractive={false} position="bottom-left" />
            </ReactFlow>
          </div>
        </div>
      </ReactFlowProvider>
      <Legend withPath={visits.length > 0} />
    </figure>
  );
}

function Legend({ withPath }: { withPath: boolean }) {
  return (
    <figcaption className="legend">
      {withPath && (
        <>
          <span className="tone-running">
            <Icon name="running" /> In progress
          </span>
          <span className="tone-good">
            <Icon name="succeeded" /> Succeeded
          </span>
          <span className="tone-warn">
            <Icon name="caught" /> Caught error
          </span>
          <span className="tone-bad">
            <Icon name="failed" /> Failed
          </span>
          <span>
            <svg viewBox="0 0 28 8" aria-hidden="true">
              <path className="way taken" d="M0,4H28" />
            </svg>
            path taken
          </span>
        </>
      )}
      <span>
        <svg viewBox="0 0 28 8" aria-hidden="true">
          <path className="way catch" d="M0,4H28" />
        </svg>
        Catch
      </span>
    </figcaption>
  );
}

function nodesOf(
  { definition, layout }: Graph,
  visits: readonly Visit[],
  selected: string | undefined,
  onSelect: ((state: string) => void) | undefined,
): (StateNode | FrameNode)[] {
  const progress = progressOf(visits);
  const states = [...layout.boxes].map(([name, { x, y, width, height }]) => ({
    id: name,
    type: 'state' as const,
    position: { x, y },
    width,
    height,
    data: {
      name,
      type: definition.states.get(name)?.Type,
      progress: progress.get(name),
      isSelected: name === selected,
      onSelect,
    },
  }));
  return [frameOf(layout), ...states];
}

/** Nothing to see: React Flow fits nodes to its view, and lines reach further out than they do. */
function frameOf({ width, height }: Layout): FrameNode {
  return { id: 'frame', type: 'frame', position: { x: 0, y: 0 }, width, height, data: {} };
}

function edgesOf({ transitions, layout }: Graph, visits: readonly Visit[]): WayEdge[] {
  const taken = waysTaken(visits);
  return transitions.map((way): WayEdge => {
    const key = wayKey(way);
    const times = taken.get(key) ?? 0;
    return {
      id: key,
      type: 'way',
      source: way.from,
      target: way.to,
      zIndex: times > 0 ? 1 : 0,
      data: { points: layout.lines.get(key) ?? [], kind: way.kind, times },
    };
  });
}
