import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from 'local-server-kit';
import { buildFunctions } from '../scripts/build.ts';
import { hostBundles, type OnLog } from './host-bundles.ts';
import { readService } from './service/read-service.ts';
import type { Service } from './service/service.ts';
import { temporaryFolder } from './shared/temporary-folder.ts';
import { type Stack, type StackOptions, startStack } from './stack.ts';

export interface LocalStackOptions {
  readonly onProgress: (step: string) => void;
  readonly ports?: StackOptions['ports'];
  /** Called for each line that a function logs, which also goes to the log file. */
  readonly onLog?: OnLog;
  /** Such as the peers that answer browsers' offers with real WebRTC. */
  readonly gameLiftStreams?: StackOptions['gameLiftStreams'];
  readonly keptExecutions?: StackOptions['keptExecutions'];
  /** The service where it has been read already, and the folder of its bundles. */
  readonly built?: { readonly service: Service; readonly bundleFolder: string };
  /** Of the functions, where it is to differ from what `serverless.yml` says. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface LocalStack extends Stack {
  /** What the functions have logged. It goes when the stack is closed. */
  readonly logFile: string;
}

/**
 * Bundles the functions as for a deployment and runs them, in real time, against a stack of stand-ins. Each
 * stack has a folder of its own, so that several can run at once.
 *
 * @throws what keeps it from starting: a port that is taken, a serverless.yml that cannot be read.
 */
export async function startLocalStack({
  onProgress,
  ports = {},
  onLog,
  gameLiftStreams = {},
  keptExecutions,
  built,
  environment,
}: LocalStackOptions): Promise<LocalStack> {
  const folder = await temporaryFolder('stream-session-reconnection-');
  const logFile = join(folder.path, 'functions.log');
  const { service, bundleFolder } = built ?? (await buildService(join(folder.path, 'bundles'), onProgress));
  onProgress(
    'Starting GameLift Streams, Step Functions, EventBridge, DynamoDB and API Gateway, all stand-ins',
  );
  const stack = await startStack({
    service,
    ports,
    clock: systemClock,
    random: Math.random,
    runSchedules: true,
    gameLiftStreams,
    keptExecutions,
    hostFunctions: (endpoints) => {
      const log: OnLog = (functionName, line) => {
        appendFileSync(logFile, `${line}\n`);
        onLog?.(functionName, line);
      };
      return hostBundles(service, endpoints, bundleFolder, log, environment);
    },
  });
  return {
    ...stack,
    logFile,
    close: async () => {
      await stack.close();
      folder.remove();
    },
  };
}

async function buildService(bundleFolder: string, onProgress: LocalStackOptions['onProgress']) {
  onProgress('Reading serverless.yml and bundling the functions');
  const [service] = await Promise.all([readService(), buildFunctions(bundleFolder)]);
  return { service, bundleFolder };
}
