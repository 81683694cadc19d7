import { Badge, type Tone } from '../shared/badge.tsx';
import type { IconName } from '../shared/icon.tsx';
import type { ExecutionStatus } from './model/execution.ts';
import type { WindowEnd } from './model/outcome.ts';
import type { Attempt, VisitStatus } from './model/visits.ts';

interface Look {
  readonly tone: Tone;
  readonly icon: IconName;
  readonly word: string;
}

/** The words are those of the Step Functions console. */
export const EXECUTION_LOOKS: Readonly<Record<ExecutionStatus, Look>> = {
  RUNNING: { tone: 'running', icon: 'running', word: 'Running' },
  SUCCEEDED: { tone: 'good', icon: 'succeeded', word: 'Succeeded' },
  FAILED: { tone: 'bad', icon: 'failed', word: 'Failed' },
  TIMED_OUT: { tone: 'bad', icon: 'timedOut', word: 'Timed out' },
  ABORTED: { tone: 'idle', icon: 'aborted', word: 'Aborted' },
};

export const STATE_LOOKS: Readonly<Record<VisitStatus, Look>> = {
  running: { tone: 'running', icon: 'running', word: 'In progress' },
  succeeded: { tone: 'good', icon: 'succeeded', word: 'Succeeded' },
  caught: { tone: 'warn', icon: 'caught', word: 'Caught error' },
  failed: { tone: 'bad', icon: 'failed', word: 'Failed' },
  timedOut: { tone: 'bad', icon: 'timedOut', word: 'Timed out' },
  aborted: { tone: 'idle', icon: 'aborted', word: 'Aborted' },
};

export const ATTEMPT_LOOKS: Readonly<Record<Attempt['result'], Look>> = {
  running: STATE_LOOKS.running,
  succeeded: STATE_LOOKS.succeeded,
  failed: STATE_LOOKS.failed,
  timedOut: { tone: 'warn', icon: 'timedOut', word: 'Timed out' },
};

export function LookBadge({ look: { tone, icon, word } }: { look: Look }) {
  return (
    <Badge tone={tone} icon={icon}>
      {word}
    </Badge>
  );
}

/** A window's outcome and, where it says more than the outcome, the cause. */
export function WindowEndText({ end: { outcome, cause } }: { end: WindowEnd }) {
  return (
    <span className="window-end">
      <span>{outcome}</span>
      {cause !== undefined && cause !== outcome && <span className="muted">{cause}</span>}
    </span>
  );
}
