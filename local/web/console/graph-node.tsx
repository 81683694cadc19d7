import { Handle, type Node, type NodeProps, Position } from '@xyflow/react';
import { Icon } from '../shared/icon.tsx';
import { Breakable } from './breakable.tsx';
import type { StateProgress } from './model/path.ts';
import { START } from './model/transitions.ts';
import { STATE_LOOKS } from './status.tsx';

export type StateNode = Node<
  {
    name: string;
    /** Undefined for the start and the end, which are no states. */
    type: string | undefined;
    progress: StateProgress | undefined;
    isSelected: boolean;
    onSelect: ((state: string) => void) | undefined;
  },
  'state'
>;

export function GraphNode({ data }: NodeProps<StateNode>) {
  return (
    <>
      <Handle type="target" position={Position.Top} isConnectable={false} />
      {data.type === undefined ? (
        <div className="terminal-node">{data.name === START ? 'Start' : 'End'}</div>
      ) : (
        <StateBox {...data} type={data.type} />
      )}
      <Handle type="source" position={Position.Bottom} isConnectable={false} />
    </>
  );
}

function StateBox({ name, type, progress, isSelected, onSelect }: StateNode['data'] & { type: string }) {
  const look = progress && STATE_LOOKS[progress.status];
  const content = (
    <>
      <span className="state-name">
        <Breakable name={name} />
      </span>
      <span className="state-words">
        <Icon name={look?.icon ?? 'none'} />
        {look?.word ?? type}
        {progress !== undefined && progress.visits > 1 && (
          <span>
            ×&thinsp;{progress.visits}
            <span className="visually-hidden"> visits</span>
          </span>
        )}
      </span>
      {progress !== undefined && progress.retries > 0 && (
        <span className="state-retries">
          <Icon name="retried" />
          {progress.retries} {progress.retries === 1 ? 'retry' : 'retries'}
        </span>
      )}
    </>
  );
  const className = `state-node tone-${look?.tone ?? 'idle'} ${look === undefined ? 'not-reached' : 'reached'}`;
  if (onSelect === undefined) return <div className={className}>{content}</div>;
  return (
    <button
      type="button"
      className={`${className} nodrag nopan`}
      aria-pressed={isSelected}
      onClick={() => onSelect(name)}
    >
      {content}
    </button>
  );
}
