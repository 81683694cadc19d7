import { randomUUID } from 'node:crypto';
import {
  OPERATOR_AUDIT_DETAIL_TYPE,
  type OperatorAuditDetail,
} from '../../functions/shared/contracts/index.ts';
import type { Clock } from '../../functions/shared/runtime/clock.ts';
import { type EventBus, publish } from '../../functions/shared/runtime/publish-events.ts';

export interface AuditDependencies extends EventBus {
  readonly clock: Clock;
  /** The ARN of the identity that runs the command. */
  readonly callerOf: () => Promise<string>;
  readonly tellLine: (line: string) => void;
}

/** What a command is about to do. */
export type Act = Pick<OperatorAuditDetail, 'command' | 'streamGroupId' | 'streamSessionId' | 'reason'>;

/** What came of it. */
export interface ActResult {
  /** How many windows the command has changed; null where it does not know. */
  readonly windows: number | null;
  /** What failed, by its name; the act is done when it is absent. */
  readonly failure?: string | undefined;
}

/**
 * Does what an operator's command does to windows, with a record before it and one after. Nothing is done that could not be
 * recorded first. A bus that fails after the act undoes nothing: a REQUESTED that nothing follows counts as done, and so
 * does a FAILED without a number of windows.
 *
 * The command writes the records with the operator's own credentials, so they show who did what to those who are honest.
 * docs/runbook.md says how CloudTrail shows it of everybody.
 *
 * @throws what the bus and `work` throw.
 */
export async function audited<Result extends ActResult>(
  act: Act,
  { clock, callerOf, tellLine, ...bus }: AuditDependencies,
  work: () => Promise<Result>,
): Promise<Result> {
  const requestedAt = new Date(clock.nowMs()).toISOString();
  const common = {
    version: '1' as const,
    commandId: randomUUID(),
    ...act,
    caller: await callerOf(),
    requestedAt,
  };
  const record = (of: Pick<OperatorAuditDetail, 'result' | 'failure' | 'windows'>) => {
    const detail: OperatorAuditDetail = {
      ...common,
      ...of,
      recordedAt: new Date(clock.nowMs()).toISOString(),
    };
    return publish(bus, OPERATOR_AUDIT_DETAIL_TYPE, detail);
  };
  const recordAnyway = async (of: Parameters<typeof record>[0]) => {
    try {
      await record(of);
    } catch {
      tellLine(`The audit record of the result was not taken: ${of.result}.`);
    }
  };
  await record({ result: 'REQUESTED', failure: null, windows: null });
  try {
    const result = await work();
    const { failure, windows } = result;
    await recordAnyway({
      result: failure === undefined ? 'DONE' : 'FAILED',
      failure: failure ?? null,
      windows,
    });
    return result;
  } catch (error) {
    const failure = error instanceof Error ? error.name.slice(0, 256) : typeof error;
    await recordAnyway({ result: 'FAILED', failure, windows: null });
    throw error;
  }
}
