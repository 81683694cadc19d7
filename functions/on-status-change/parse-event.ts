import * as z from 'zod';
import {
  type StatusChangeEvent,
  type StatusChangeRejectedDetail,
  statusChangeEventSchema,
  statusChangeRejectedDetailSchema,
} from '../shared/contracts.ts';

export type ParsedEvent =
  | { readonly ok: true; readonly event: StatusChangeEvent }
  | { readonly ok: false; readonly rejection: StatusChangeRejectedDetail };

const MAX_REASONS = 10;
/** A sender's clock may be ahead by more than two feeds differ; a minute is no clock but a mistake. */
const MAX_FUTURE_MS = 60_000;

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

/** Reads one event, of whatever form, as a status change. */
export function parseStatusChangeEvent(raw: unknown, nowMs: number): ParsedEvent {
  const { success, data, error } = statusChangeEventSchema.safeParse(raw);
  if (!success) return { ok: false, rejection: rejectionOf(raw, error.issues.map(describeIssue)) };
  if (Date.parse(data.detail.statusChangedAt) > nowMs + MAX_FUTURE_MS) {
    return {
      ok: false,
      rejection: rejectionOf(raw, ['detail.statusChangedAt: more than a minute in the future']),
    };
  }
  return { ok: true, event: data };
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

function describeIssue({ path, code }: z.core.$ZodIssue): string {
  return `${path.join('.') || 'event'}: ${code}`;
}
