import type { Policy } from './policy.ts';
import { RetryPolicy } from './retry-policy.ts';

/** As request-connection gives it: no attempt begins later. */
const CALLER_TIME_MS = 20_000;
/** What request-connection tells a caller whose execution has failed. */
const RETRY_AFTER_MS = 2000;

const ERRORS = { THROTTLED: 'ThrottlingException', LOST: 'InternalServerException' } as const;

/** The shipped state machine's backoff without permits and places: what the workflow would be without them. */
export const backoffPolicy: Policy = {
  name: 'state-machine backoff alone',
  prepare:
    ({ clock, random, service }) =>
    async ({ id, deadlineMs }) => {
      while (clock.nowMs() < deadlineMs) {
        const policy = new RetryPolicy();
        const callerDeadlineMs = clock.nowMs() + CALLER_TIME_MS;
        while (clock.nowMs() < callerDeadlineMs) {
          const result = await service.connect(id);
          if (result === 'CREATED') return true;
          if (result === 'CONFLICT') return false;
          const delayMs = policy.delayMs(ERRORS[result], random);
          if (delayMs === undefined) break;
          await clock.sleep(delayMs);
        }
        await clock.sleep(RETRY_AFTER_MS);
      }
      return false;
    },
};
