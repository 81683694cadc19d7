import * as z from 'zod';
import type { DropCause } from '../shared/contracts/fields.ts';
import {
  type StatusChangeEvent,
  type StatusChangeRejectedDetail,
  statusChangeEventSchema,
  statusChangeRejectedDetailSchema,
} from '../shared/contracts/index.ts';

type Detail = StatusChangeEvent['detail'];

/** A status change whose times can be: an optional member that is not there, or that cannot be, is undefined. */
export interface StatusChange {
  readonly id: string;
  readonly detail: Pick<Detail, 'streamGroupId' | 'streamSessionId' | 'status' | 'statusChangedAt'> & {
    readonly statusReason?: string | undefined;
    readonly connectionTimeoutSeconds?: number | undefined;
    readonly sessionEndsAt?: string | undefined;
    readonly reportedBy?: string | undefined;
    readonly dropCause?: DropCause | undefined;
    readonly giveUpAfterSeconds?: number | undefined;
  };
}

export type ParsedEvent =
  | {
      readonly ok: true;
      readonly event: StatusChange;
      /** Now, as far as is known: the function's clock, or when the bus took the event, where that clock is behind. */
      readonly nowMs: number;
      /** Whether the change is so long ago that nothing of the session can be left. */
      readonly isStale: boolean;
      /** Optional members that were left out, because they cannot be. */
      readonly leftOut: readonly 'sessionEndsAt'[];
    }
  | { readonly ok: false; readonly rejection: StatusChangeRejectedDetail };

const MAX_REASONS = 10;
/** A sender's clock may be ahead by more than two feeds differ; a minute is no clock but a mistake. */
const MAX_FUTURE_MS = 60_000;
/** A session lives 24 hours at most, and EventBridge tries for 24 hours to deliver an event. */
const STALE_AFTER_MS = 48 * 3_600_000;
/** SessionLengthSeconds is 86,400 at most; two clocks may differ by a minute. */
const LONGEST_SESSION_MS = 24 * 3_600_000 + MAX_FUTURE_MS;

/** What the rule's input transformer makes of an event: the event, and when EventBridge took it. */
const transformedSchema = z.looseObject({
  ingestionTime: z.iso.datetime({ offset: true }).nullish().catch(undefined),
  event: z.looseObject({}),
});

const keptFields = statusChangeRejectedDetailSchema.shape.fields.shape;
const envelopeSchema = z.looseObject({
  // EventBridge's own are UUIDs; whatever else an event may bring under that name is not repeated.
  id: z
    .string()
    .regex(/^[a-zA-Z0-9-]{1,64}$/)
    .nullable()
    .catch(null),
  detail: z
    .looseObject({
      streamGroupId: keptFields.streamGroupId.catch(undefined),
      streamSessionId: keptFields.streamSessionId.catch(undefined),
      status: keptFields.status.catch(undefined),
      statusChangedAt: keptFields.statusChangedAt.catch(undefined),
    })
    .catch({}),
});

/**
 * Reads one event, of whatever form, as a status change: as EventBridge has it, or as the rule's input transformer makes
 * it.
 *
 * Why: docs/decisions/events.md#times-that-cannot-be-right-are-rejected
 *
 * @param clockMs the function's own clock.
 */
export function parseStatusChangeEvent(payload: unknown, clockMs: number): ParsedEvent {
  const transformed = transformedSchema.safeParse(payload).data;
  const raw = transformed === undefined ? payload : transformed.event;
  const ingestedAtMs = Date.parse(transformed?.ingestionTime ?? '');
  const { success, data, error } = statusChangeEventSchema.safeParse(raw);
  if (!success) return { ok: false, rejection: rejectionOf(raw, error.issues.map(describeIssue)) };
  const { id, detail } = data;
  const changedAtMs = Date.parse(detail.statusChangedAt);
  // An event cannot be of a time after EventBridge took it, however long it has waited since.
  const reason = whyNot(changedAtMs, Number.isNaN(ingestedAtMs) ? clockMs : ingestedAtMs);
  if (reason !== undefined) {
    return { ok: false, rejection: rejectionOf(raw, [`detail.statusChangedAt: ${reason}`]) };
  }
  const nowMs = Number.isNaN(ingestedAtMs) ? clockMs : Math.max(clockMs, ingestedAtMs);
  const sessionEndsAt = orUndefined(detail.sessionEndsAt);
  const canEndThen = sessionEndsAt === undefined || isPossibleEnd(Date.parse(sessionEndsAt), changedAtMs);
  return {
    ok: true,
    event: {
      id,
      detail: {
        ...detail,
        statusReason: orUndefined(detail.statusReason),
        connectionTimeoutSeconds: orUndefined(detail.connectionTimeoutSeconds),
        sessionEndsAt: canEndThen ? sessionEndsAt : undefined,
        reportedBy: orUndefined(detail.reportedBy),
        dropCause: orUndefined(detail.dropCause),
        giveUpAfterSeconds: orUndefined(detail.giveUpAfterSeconds),
      },
    },
    nowMs,
    isStale: changedAtMs < nowMs - STALE_AFTER_MS,
    leftOut: canEndThen ? [] : ['sessionEndsAt'],
  };
}

/** @returns why a status cannot have changed at that time; undefined when it can. */
function whyNot(changedAtMs: number, latestMs: number): string | undefined {
  // Year 1, 1970 and the like are what languages write for a time that was never set.
  if (changedAtMs <= 0) return 'before 1970, or not set';
  return changedAtMs > latestMs + MAX_FUTURE_MS ? 'more than a minute in the future' : undefined;
}

/** A session ends after whatever happens in it, and lives a day at most. */
function isPossibleEnd(endsAtMs: number, changedAtMs: number): boolean {
  return endsAtMs >= changedAtMs && endsAtMs <= changedAtMs + LONGEST_SESSION_MS;
}

function orUndefined<Value>(value: Value | null | ''): Exclude<Value, null | ''> | undefined;
function orUndefined(value: unknown): unknown {
  return value === null || value === '' ? undefined : value;
}

/**
 * What is kept of a refused event: the fields that are harmless by their own form, and which rule each
 * violation broke. A refused event may hold anything, an offer or a token included, so no other value and no
 * name that the sender chose leaves this file.
 */
function rejectionOf(raw: unknown, reasons: readonly string[]): StatusChangeRejectedDetail {
  const envelope = envelopeSchema.safeParse(raw);
  const { id, detail } = envelope.success ? envelope.data : { id: null, detail: {} };
  return {
    version: '1',
    rejectedEventId: id,
    reasons: reasons.slice(0, MAX_REASONS),
    fields: statusChangeRejectedDetailSchema.shape.fields.parse(detail),
  };
}

/** Of an optional member the rule that its value breaks, not that it is neither null nor empty. */
function describeIssue(issue: z.core.$ZodIssue): string {
  const [[first = issue] = []] = issue.code === 'invalid_union' ? issue.errors : [];
  return `${issue.path.join('.') || 'event'}: ${first.code}`;
}
