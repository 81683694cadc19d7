import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type LocalStack, startLocalStack } from '../../local/local-stack.ts';

const openedSchema = z.object({
  message: z.literal('WindowOpened'),
  streamSessionId: z.string(),
  timestamp: z.iso.datetime({ offset: true }),
});

export interface BuiltStack {
  readonly stack: LocalStack;
  /** When the sessions' windows were opened, by the functions' own log. */
  readonly openedAtMs: ReadonlyMap<string, number>;
}

/** The built bundles on the local stack, in real time. */
export async function startBuiltStack(): Promise<BuiltStack> {
  const openedAtMs = new Map<string, number>();
  const stack = await startLocalStack({
    onProgress: () => {},
    onLog: (_functionName, line) => {
      const opened = openedSchema.safeParse(parseJson(line));
      if (opened.success) openedAtMs.set(opened.data.streamSessionId, Date.parse(opened.data.timestamp));
    },
  });
  return { stack, openedAtMs };
}

/** @throws Error when it does not hold after `patienceMs`. */
export async function until(what: string, holds: () => boolean, patienceMs = 60_000): Promise<void> {
  const patientUntilMs = Date.now() + patienceMs;
  while (!holds()) {
    if (Date.now() > patientUntilMs) throw new Error(`Waited in vain: ${what}`);
    await sleep(50);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
