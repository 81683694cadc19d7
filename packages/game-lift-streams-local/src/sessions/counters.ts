import { z } from 'zod';
import { OPERATION_NAMES, type OperationName } from '../protocol/routes.ts';

export const operationCountersSchema = z.object({
  calls: z.number(),
  /** Succeeded; replays and lost replies count too. */
  accepted: z.number(),
  /** Of these, answered from an earlier call with the same ClientToken. */
  replayed: z.number(),
  /** Of all calls, those whose reply never left. */
  lost: z.number(),
  throttled: z.number(),
  /** Answered with any other 4xx. */
  rejected: z.number(),
  /** Answered with a 5xx. */
  failed: z.number(),
});
export type OperationCounters = z.output<typeof operationCountersSchema>;
export const countersSchema = z.record(z.enum(OPERATION_NAMES), operationCountersSchema);
export type Counters = z.output<typeof countersSchema>;

export interface CallOutcome {
  /** Undefined for a call that was never answered, nor had an effect. */
  readonly httpStatus: number | undefined;
  readonly isReplay?: boolean;
  readonly isLost?: boolean;
}

type Writable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

const none = (): Writable<OperationCounters> => ({
  calls: 0,
  accepted: 0,
  replayed: 0,
  lost: 0,
  throttled: 0,
  rejected: 0,
  failed: 0,
});

/** How the calls of each operation have ended. */
export class CallCounters {
  readonly #byOperation = new Map<OperationName, Writable<OperationCounters>>();

  count(operation: OperationName, { httpStatus, isReplay = false, isLost = false }: CallOutcome): void {
    const counters = this.#byOperation.get(operation) ?? none();
    this.#byOperation.set(operation, counters);
    counters.calls++;
    if (httpStatus === undefined) counters.lost++;
    else if (httpStatus < 400) counters.accepted++;
    else if (httpStatus === 429) counters.throttled++;
    else if (httpStatus < 500) counters.rejected++;
    else counters.failed++;
    if (isReplay) counters.replayed++;
    if (isLost) counters.lost++;
  }

  read(): Counters {
    const of = (operation: OperationName) => ({ ...(this.#byOperation.get(operation) ?? none()) });
    return {
      StartStreamSession: of('StartStreamSession'),
      GetStreamSession: of('GetStreamSession'),
      ListStreamSessions: of('ListStreamSessions'),
      ListStreamSessionsByAccount: of('ListStreamSessionsByAccount'),
      TerminateStreamSession: of('TerminateStreamSession'),
      CreateStreamSessionConnection: of('CreateStreamSessionConnection'),
      CreateStreamSessionAdminShell: of('CreateStreamSessionAdminShell'),
      CreateStreamGroup: of('CreateStreamGroup'),
      DeleteStreamGroup: of('DeleteStreamGroup'),
      GetStreamGroup: of('GetStreamGroup'),
      ListStreamGroups: of('ListStreamGroups'),
      ListTagsForResource: of('ListTagsForResource'),
      TagResource: of('TagResource'),
      UntagResource: of('UntagResource'),
    };
  }
}
