import { z } from 'zod';

const lineSchema = z.looseObject({
  message: z.string(),
  timestamp: z.string(),
  executionName: z.string().optional(),
  streamSessionId: z.string().optional(),
});

/** What is not worth a line to someone who watches. */
const QUIET = new Set([
  'TaskTokenRegistered',
  'WindowRead',
  'WindowStarted',
  'WindowSignalled',
  'SignalPending',
]);
/** Metrics for CloudWatch, which finds them in the log by this member; the same facts have log lines. */
const metricsSchema = z.looseObject({ _aws: z.looseObject({}) });
const SHOWN = [
  'status',
  'outcome',
  'statusReason',
  'result',
  'statusCode',
  'connectionAttempts',
  'lateMs',
  'errorName',
  'reasons',
  'refusal',
  'sessionStatus',
  'switch',
  'caller',
  'reason',
];

/** A function's log line in a few words, or undefined when it is not worth showing. */
export function describeLogLine(line: string): string | undefined {
  const document = parseJson(line);
  if (metricsSchema.safeParse(document).success) return undefined;
  const parsed = lineSchema.safeParse(document);
  if (!parsed.success) return line.trim() === '' ? undefined : line;
  const { message, timestamp, executionName, streamSessionId, ...rest } = parsed.data;
  if (QUIET.has(message)) return undefined;
  const details = SHOWN.flatMap((key) => {
    const value = rest[key];
    return value === undefined || value === null ? [] : [`${key}=${String(value)}`];
  });
  const who = executionName ?? streamSessionId ?? '';
  return `${timestamp.slice(11, 19)}  ${message.padEnd(20)} ${who}  ${details.join(' ')}`.trimEnd();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
