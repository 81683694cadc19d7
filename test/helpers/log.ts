import type { Log, LogEvent, LogFields } from '../../functions/shared/runtime/logging.ts';

export interface LogLine {
  readonly event: LogEvent;
  readonly fields: LogFields;
}

/** A log that keeps its lines. */
export function memoryLog(lines: LogLine[] = [], keys: LogFields = {}): Log & { readonly lines: LogLine[] } {
  const write = (event: LogEvent, fields: LogFields = {}) => {
    lines.push({ event, fields: { ...keys, ...fields } });
  };
  return {
    lines,
    info: write,
    warn: write,
    error: (event, error, fields = {}) => {
      write(event, { ...fields, errorName: error instanceof Error ? error.name : typeof error });
    },
    with: (more) => memoryLog(lines, { ...keys, ...more }),
  };
}
