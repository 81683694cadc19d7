import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** CloudWatch Logs' limit for one event; a longer line is cut there, as Lambda does. */
const MAX_LINE_CHARACTERS = 256 * 1024;

/** Calls `onLine` for each line of `stream`, and for a last one without a line feed. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  const decoder = new StringDecoder('utf8');
  let pending = '';
  stream.on('data', (chunk: Buffer) => {
    const lines = `${pending}${decoder.write(chunk)}`.split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) onLine(line.replace(/\r$/, ''));
    while (pending.length > MAX_LINE_CHARACTERS) {
      onLine(pending.slice(0, MAX_LINE_CHARACTERS));
      pending = pending.slice(MAX_LINE_CHARACTERS);
    }
  });
  stream.on('end', () => {
    const rest = `${pending}${decoder.end()}`;
    if (rest !== '') onLine(rest);
  });
}
