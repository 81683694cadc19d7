import type { SessionKey } from '../../functions/shared/contracts/index.ts';
import { windowExecutionName } from '../../functions/shared/contracts/names.ts';

const MACHINE = 'arn:aws:states:us-west-2:111122223333:stateMachine:reconnection-window';

/** The event by which Step Functions says that a window's execution has ended red. */
export function executionFailureEvent(
  { streamGroupId, streamSessionId }: SessionKey,
  generation = 1,
  overrides: Readonly<Record<string, unknown>> = {},
) {
  const name = windowExecutionName({ streamGroupId, streamSessionId }, generation);
  const executionArn = `${MACHINE.replace(':stateMachine:', ':execution:')}:${name}`;
  return {
    version: '0',
    id: '315c1398-40ff-a850-213b-158f73e60175',
    'detail-type': 'Step Functions Execution Status Change',
    source: 'aws.states',
    account: '111122223333',
    time: '2026-03-14T18:42:09Z',
    region: 'us-west-2',
    resources: [executionArn],
    detail: {
      executionArn,
      stateMachineArn: MACHINE,
      name,
      status: 'ABORTED',
      startDate: 1,
      stopDate: 2,
      input: JSON.stringify({ streamGroupId, streamSessionId, generation, disconnectedAtMs: 1 }),
      inputDetails: { included: true },
      output: null,
      outputDetails: null,
      error: null,
      cause: null,
      ...overrides,
    },
  };
}
