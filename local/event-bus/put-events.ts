import { describeIssues, parseJson } from 'local-server-kit';
import { z } from 'zod';
import { ServiceError } from './service-error.ts';

/** What rules match and targets get. */
export interface EventEnvelope {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  /** Whole seconds, as EventBridge's. */
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface AcceptedEvent {
  readonly busName: string;
  readonly envelope: EventEnvelope;
}

/** An entry of PutEvents' reply. */
export type EntryResult =
  | { readonly EventId: string }
  | { readonly ErrorCode: string; readonly ErrorMessage: string };

export interface PutEventsContext {
  readonly account: string;
  readonly region: string;
  readonly nowMs: number;
  readonly newId: () => string;
}

const MAX_ENTRIES = 10;
/** The documented limit of one request: names, resources and details together, in bytes of UTF-8. */
const MAX_REQUEST_BYTES = 256 * 1024;

const LAST_SECOND = Date.UTC(9999, 11, 31, 23, 59, 59) / 1000;

const entrySchema = z.looseObject({
  Source: z.string().optional(),
  DetailType: z.string().optional(),
  Detail: z.string().optional(),
  Resources: z.array(z.string()).default([]),
  /** Epoch seconds, as AWS JSON has times; of the years that are written with four digits. */
  Time: z.number().min(0).max(LAST_SECOND).optional(),
  EventBusName: z.string().min(1).optional(),
});
type Entry = z.output<typeof entrySchema>;

const requestSchema = z.looseObject({ Entries: z.array(entrySchema), EndpointId: z.string().optional() });
const detailSchema = z.record(z.string(), z.unknown());

/**
 * Takes the entries one by one, as PutEvents does: what is wrong with one does not fail the others.
 *
 * @throws ServiceError ValidationException for the whole request. No message repeats a value.
 */
export function acceptEntries(
  request: unknown,
  context: PutEventsContext,
): { readonly results: EntryResult[]; readonly accepted: AcceptedEvent[] } {
  const { Entries: entries } = parseRequest(request);
  const accepted: AcceptedEvent[] = [];
  const results = entries.map((entry): EntryResult => {
    const checked = checkEntry(entry);
    if ('ErrorCode' in checked) return checked;
    const timeMs = entry.Time === undefined ? context.nowMs : entry.Time * 1000;
    const envelope = envelopeOf({ ...checked, resources: entry.Resources }, context, timeMs);
    accepted.push({ busName: busNameOf(entry.EventBusName), envelope });
    return { EventId: envelope.id };
  });
  return { results, accepted };
}

export function envelopeOf(
  event: {
    readonly source: string;
    readonly detailType: string;
    readonly resources: readonly string[];
    readonly detail: EventEnvelope['detail'];
  },
  { account, region, nowMs, newId }: PutEventsContext,
  timeMs = nowMs,
): EventEnvelope {
  return {
    version: '0',
    id: newId(),
    'detail-type': event.detailType,
    source: event.source,
    account,
    time: secondsText(timeMs),
    region,
    resources: event.resources,
    detail: event.detail,
  };
}

function parseRequest(request: unknown): z.output<typeof requestSchema> {
  const parsed = requestSchema.safeParse(request);
  if (!parsed.success) {
    throw new ServiceError(
      'ValidationException',
      `The request does not fit PutEvents: ${describeIssues(parsed.error)}`,
    );
  }
  const { Entries: entries, EndpointId: endpointId } = parsed.data;
  if (endpointId !== undefined) {
    throw new ServiceError('ValidationException', 'The local stand-in does not implement EndpointId.');
  }
  if (entries.length === 0 || entries.length > MAX_ENTRIES) {
    throw new ServiceError(
      'ValidationException',
      `1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length between 1 and ${MAX_ENTRIES}`,
    );
  }
  const bytes = entries.reduce((sum, entry) => sum + bytesOf(entry), 0);
  if (bytes > MAX_REQUEST_BYTES) {
    throw new ServiceError(
      'ValidationException',
      'Total size of the entries in the request is over the limit.',
    );
  }
  return parsed.data;
}

/** A time counts as 14 bytes; the rest as its UTF-8 ("Calculating PutEvents event entry size"). */
function bytesOf({ Source, DetailType, Detail, Resources, Time }: Entry): number {
  const texts = [Source, DetailType, Detail, ...Resources];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), Time === undefined ? 0 : 14);
}

function checkEntry(
  entry: Entry,
):
  | { readonly source: string; readonly detailType: string; readonly detail: Record<string, unknown> }
  | { readonly ErrorCode: string; readonly ErrorMessage: string } {
  const { Source: source = '', DetailType: detailType = '', Detail: detailText = '' } = entry;
  if (source === '') return missing('Source');
  if (detailType === '') return missing('DetailType');
  if (detailText === '') return missing('Detail');
  if (source.startsWith('aws.')) {
    return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' };
  }
  const detail = parseDetail(detailText);
  if (detail === undefined) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
  return { source, detailType, detail };
}

function missing(name: string): { ErrorCode: string; ErrorMessage: string } {
  return {
    ErrorCode: 'InvalidArgument',
    ErrorMessage: `Parameter ${name} is not valid. Reason: ${name} is a required argument.`,
  };
}

function parseDetail(text: string): Record<string, unknown> | undefined {
  try {
    return detailSchema.safeParse(parseJson(text)).data;
  } catch {
    return undefined;
  }
}

/** An entry may name its bus, or give its ARN. */
function busNameOf(nameOrArn = 'default'): string {
  return /^arn:[^:]*:events:[^:]*:[^:]*:event-bus\/(.+)$/.exec(nameOrArn)?.[1] ?? nameOrArn;
}

function secondsText(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
