import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildFunctions } from '../scripts/build.ts';
import { hostBundles, type OnLog } from './host-bundles.ts';
import { readService } from './service/read-service.ts';
import { systemClock } from './shared/clock.ts';
import { type Stack, type StackOptions, startStack } from './stack.ts';

/** What the functions of the latest local stack have logged. */
export const LOG_FILE = join(import.meta.dirname, '../.local/functions.log');

export interface LocalStackOptions {
  readonly onProgress: (step: string) => void;
  readonly ports?: StackOptions['ports'];
  /** Called for each line that a function logs, which also goes to LOG_FILE. */
  readonly onLog?: OnLog;
}

/**
 * Builds the bundles that are deployed and runs them, in real time, against a stack of stand-ins.
 *
 * @throws what keeps it from starting: a port that is taken, a serverless.yml that cannot be read.
 */
export async function startLocalStack({ onProgress, ports = {}, onLog }: LocalStackOptions): Promise<Stack> {
  onProgress('Reading serverless.yml and bundling the functions');
  const [service] = await Promise.all([readService(), buildFunctions()]);
  mkdirSync(join(LOG_FILE, '..'), { recursive: true });
  writeFileSync(LOG_FILE, '');
  onProgress(
    'Starting the stand-ins for GameLift Streams, Step Functions, EventBridge, DynamoDB and API Gateway',
  );
  return startStack({
    service,
    ports,
    clock: systemClock,
    random: Math.random,
    hostFunctions: (endpoints) =>
      hostBundles(service, endpoints, (functionName, line) => {
        appendFileSync(LOG_FILE, `${line}\n`);
        onLog?.(functionName, line);
      }),
  });
}
