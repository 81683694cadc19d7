/**
 * The JSON Schemas of `events/`, made from the zod schemas that the code itself parses with. Members beyond
 * those described are allowed wherever the code ignores them, so that version 1 can grow without breaking a
 * sender, a consumer or a validator. Only the API's request is closed, as the code refuses unknown members there.
 */
import { z } from 'zod';
import {
  ADMIN_SHELL_AUDIT_DETAIL_TYPE,
  adminShellAuditDetailSchema,
  createConnectionBodySchema,
  leavingBodySchema,
  OPERATOR_AUDIT_DETAIL_TYPE,
  OUTCOME_DETAIL_TYPE,
  offerSchema,
  operatorAuditDetailSchema,
  outcomeDetailSchema,
  STATUS_CHANGE_REJECTED_DETAIL_TYPE,
  statusChangeEventSchema,
  statusChangeRejectedDetailSchema,
  WINDOW_OPENED_DETAIL_TYPE,
  windowOpenedDetailSchema,
  windowReplySchema,
} from '../functions/shared/contracts/index.ts';

const SCHEMA_ID_PREFIX = 'urn:stream-session-reconnection:';

const { id, source, time } = statusChangeEventSchema.shape;

/** The in-event as it stands in `statusChangeEventSchema`, with the words that a reader of its JSON Schema needs. */
const describedStatusChangeEventSchema = statusChangeEventSchema.extend({
  id: id.describe("EventBridge's id of the event; names the event when it is rejected"),
  source: source.describe(
    'The source that the deployment\'s rule matches; EventBridge refuses PutEvents from sources that begin with "aws."',
  ),
  time: time.describe('When the event was sent, to the second; statusChangedAt, not this, starts the window'),
});

/** An event of this service as EventBridge delivers it: the sender gives source, detail-type and detail, EventBridge the rest. */
function eventEnvelopeSchema<DetailType extends string, Detail extends z.ZodType>(
  detailType: DetailType,
  detailSchema: Detail,
) {
  return z.object({
    version: z
      .literal('0')
      .describe("EventBridge's version of the envelope; the contract's is detail.version"),
    id: z.string().min(1).describe("EventBridge's id of the event; a repeated event has another"),
    'detail-type': z.literal(detailType),
    source: z.string().min(1).describe("The deployment's eventSource parameter"),
    account: z.string().regex(/^\d{12}$/),
    time: z.iso.datetime({ offset: true }).describe('When the event was sent, to the second'),
    region: z.string().min(1),
    resources: z.array(z.string()),
    detail: detailSchema,
  });
}

export const outcomeEventSchema = eventEnvelopeSchema(OUTCOME_DETAIL_TYPE, outcomeDetailSchema);
export const windowOpenedEventSchema = eventEnvelopeSchema(
  WINDOW_OPENED_DETAIL_TYPE,
  windowOpenedDetailSchema,
);
export const statusChangeRejectedEventSchema = eventEnvelopeSchema(
  STATUS_CHANGE_REJECTED_DETAIL_TYPE,
  statusChangeRejectedDetailSchema,
);
export const adminShellAuditEventSchema = eventEnvelopeSchema(
  ADMIN_SHELL_AUDIT_DETAIL_TYPE,
  adminShellAuditDetailSchema,
);

export const operatorAuditEventSchema = eventEnvelopeSchema(
  OPERATOR_AUDIT_DETAIL_TYPE,
  operatorAuditDetailSchema,
);

export interface EventContract {
  /** Name of the schema's file in `events/`. */
  readonly fileName: string;
  readonly title: string;
  readonly description: string;
  readonly schema: z.ZodType;
}

const FORWARD_COMPATIBLE = 'Members that are not listed here are allowed, in the envelope and in the detail';

export const EVENT_CONTRACTS = [
  {
    fileName: 'stream-session-status-change.v1.schema.json',
    title: 'Stream Session Status Change, event, version 1',
    description: `A stream session has entered a status: the event that the feeds send to this service. ${FORWARD_COMPATIBLE}, and are ignored; EventBridge itself adds version, account, region and resources.`,
    schema: describedStatusChangeEventSchema,
  },
  {
    fileName: 'stream-session-reconnection-window-opened.v1.schema.json',
    title: 'Stream Session Reconnection Window Opened, event, version 1',
    description: `A player was lost and the session waits: sent by this service when a window opens and again when its deadline changes, possibly more than once; streamGroupId, streamSessionId and generation together name the window, and sequence orders its events. ${FORWARD_COMPATIBLE}; consumers must ignore those that they do not know.`,
    schema: windowOpenedEventSchema,
  },
  {
    fileName: 'stream-session-reconnection-outcome.v1.schema.json',
    title: 'Stream Session Reconnection Outcome, event, version 1',
    description: `How a reconnection window ended: sent by this service for each window, possibly more than once; streamGroupId, streamSessionId and generation together name the window. ${FORWARD_COMPATIBLE}; consumers must ignore those that they do not know.`,
    schema: outcomeEventSchema,
  },
  {
    fileName: 'stream-session-status-change-rejected.v1.schema.json',
    title: 'Stream Session Status Change Rejected, event, version 1',
    description: `A status-change event that does not fit its contract, kept as those of its fields that are harmless by their form. ${FORWARD_COMPATIBLE}; consumers must ignore those that they do not know.`,
    schema: statusChangeRejectedEventSchema,
  },
  {
    fileName: 'stream-session-admin-shell-audit.v1.schema.json',
    title: 'Stream Session Admin Shell Audit, event, version 1',
    description: `Who has asked for an admin shell on which session, and why, and what came of it: sent by this service for each request, possibly more than once; requestId and result together name the record. ${FORWARD_COMPATIBLE}; consumers must ignore those that they do not know.`,
    schema: adminShellAuditEventSchema,
  },
  {
    fileName: 'stream-session-operator-audit.v1.schema.json',
    title: 'Stream Session Operator Audit, event, version 1',
    description: `Who has ended a session, drained a stream group or retried windows, and why, and what came of it: sent by the operator's command before and after the act; commandId and result together name the record. ${FORWARD_COMPATIBLE}; consumers must ignore those that they do not know.`,
    schema: operatorAuditEventSchema,
  },
  {
    fileName: 'create-stream-session-connection.request.schema.json',
    title: 'CreateStreamSessionConnection, request body',
    description:
      "The body of POST …/connections, the same as that of the service's own operation. Members that are not listed here are refused.",
    schema: createConnectionBodySchema,
  },
  {
    fileName: 'leaving.request.schema.json',
    title: 'Leaving, request body',
    description: 'The body of POST …/leaving. Members that are not listed here are refused.',
    schema: leavingBodySchema,
  },
  {
    fileName: 'reconnection-window.reply.schema.json',
    title: 'Reconnection window',
    description:
      "The body of the reply to GET …/window: the session's latest window. Members that are not listed here are allowed; callers must ignore those that they do not know.",
    schema: windowReplySchema,
  },
] as const satisfies readonly EventContract[];

/** The contract's JSON Schema (draft 2020-12) as its file holds it: two spaces of indentation and a final newline. */
export function schemaFileText(contract: EventContract): string {
  const { $schema, title: _, description: __, ...keywords } = toJsonSchema(contract.schema);
  const $id = SCHEMA_ID_PREFIX + contract.fileName.replace(/\.schema\.json$/, '');
  const { title, description } = contract;
  return `${JSON.stringify({ $schema, $id, title, description, ...keywords }, null, 2)}\n`;
}

/**
 * The input side, since it describes what is accepted: zod's output side calls every plain object closed, for
 * parsing drops the members it does not know.
 */
function toJsonSchema(schema: z.ZodType): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: 'input',
    override({ zodSchema, jsonSchema }) {
      // JSON inside a string: validators take these two keywords as notes, so the length and the offer's form
      // are still the code's to check.
      if (zodSchema === createConnectionBodySchema.shape.SignalRequest) {
        const { $schema: _, ...contentSchema } = z.toJSONSchema(offerSchema, { io: 'input' });
        Object.assign(jsonSchema, { contentMediaType: 'application/json', contentSchema });
      }
    },
  });
}
