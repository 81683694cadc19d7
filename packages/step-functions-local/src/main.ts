import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { type InvokeLambda, systemClock } from 'local-server-kit';
import { startStepFunctions } from './server.ts';

const HELP = `Runs Step Functions' API on 127.0.0.1, for machines that invoke functions on this machine.

  npx step-functions-local --invoker ./my-invoker.ts [--port 8083] [--region us-east-1]

  --invoker  a module that exports
               invoke: (functionName: string, payload: unknown) => Promise<LambdaResult>
             where LambdaResult is { ok: true, payload } or
             { ok: false, failure: { errorType, errorMessage, trace? } }
  --port     default 8083; 0 takes any free one
  --region   shows in ARNs; default us-east-1
  --help     this text
`;

/** What the person at the terminal can put right; shown without a stack. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

interface Arguments {
  readonly invoker: string;
  readonly port: number;
  readonly region: string;
}

function readArguments(): Arguments | 'help' {
  const { values } = parseOptions();
  if (values.help) return 'help';
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535) {
    throw new UsageError(`--port must be a number from 0 to 65535, not "${values.port}".`);
  }
  if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(values.region)) {
    throw new UsageError(`--region must be a Region like us-east-1, not "${values.region}".`);
  }
  if (values.invoker === undefined)
    throw new UsageError('--invoker is missing: which module runs the functions?');
  return { invoker: resolve(values.invoker), port, region: values.region };
}

function parseOptions() {
  try {
    return parseArgs({
      options: {
        invoker: { type: 'string' },
        port: { type: 'string', default: '8083' },
        region: { type: 'string', default: 'us-east-1' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function loadInvoker(path: string): Promise<InvokeLambda> {
  let module: unknown;
  try {
    module = await import(pathToFileURL(path).href);
  } catch (error) {
    throw new UsageError(
      `${path} cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (!isInvoker(module)) throw new UsageError(`${path} exports no function called invoke.`);
  return module.invoke;
}

/** Its results are checked by nothing but the engine's own reading of them. */
function isInvoker(module: unknown): module is { invoke: InvokeLambda } {
  return (
    typeof module === 'object' && module !== null && 'invoke' in module && typeof module.invoke === 'function'
  );
}

async function start({ invoker, port, region }: Arguments): Promise<void> {
  const invokeLambda = await loadInvoker(invoker);
  const server = await startStepFunctions({
    port,
    clock: systemClock,
    random: Math.random,
    invokeLambda,
    region,
  }).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
      throw new UsageError(`Port ${port} is taken. Stop what listens there, or choose another with --port.`);
    }
    throw error;
  });
  console.log(`Step Functions answers at ${server.url}; functions run through ${invoker}.

  import { SFNClient } from '@aws-sdk/client-sfn';
  const stepFunctions = new SFNClient({
    endpoint: '${server.url}',
    region: '${region}',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    disableHostPrefix: true, // else StartSyncExecution goes to sync-127.0.0.1
  });

Everything is in memory. Ctrl-C stops it.`);
  const stop = (): void => {
    console.log('Stopped.');
    void server.close();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

try {
  const read = readArguments();
  if (read === 'help') console.log(HELP);
  else await start(read);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\nSee --help.`);
  process.exitCode = 1;
}
