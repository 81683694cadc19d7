import * as z from 'zod';
import type { HistoryEvent } from './execution.ts';

/** The reconnection window that an execution tracks, as its own history tells it. */
export interface OpenWindow {
  readonly deadlineMs: number;
  /** How long the service keeps the session in the wait in hand. */
  readonly totalMs: number | undefined;
  readonly phase: string | undefined;
}

const known = z.object({
  deadlineMs: z.number().optional(),
  connectionTimeoutSeconds: z.number().optional(),
  phase: z.string().optional(),
});
const argumentsSchema = z.object({ Payload: known });

/**
 * The deadline as it was last told: by the input, by what a state assigned, or by what a task was given. A later
 * read may have corrected it, and a created connection begins a second window. Undefined for an execution
 * that knows of no deadline.
 */
export function openWindowOf(events: readonly HistoryEvent[]): OpenWindow | undefined {
  let told: z.output<typeof known> = {};
  for (const { details } of events) {
    const { assignedVariables = {} } = details;
    const news = [
      known.safeParse(json(details.input)).data,
      known.safeParse(mapped(assignedVariables)).data,
      argumentsSchema.safeParse(json(details.parameters)).data?.Payload,
    ];
    for (const members of news) told = { ...told, ...members };
  }
  const { deadlineMs, connectionTimeoutSeconds, phase } = told;
  if (deadlineMs === undefined) return undefined;
  const totalMs = connectionTimeoutSeconds === undefined ? undefined : connectionTimeoutSeconds * 1000;
  return { deadlineMs, totalMs, phase };
}

function mapped(variables: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(variables).map(([name, text]) => [name, json(text)]));
}

function json(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
