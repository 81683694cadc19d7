/**
 * `npm start`: the whole service on this machine, with no account, until Ctrl-C. Prints where everything
 * answers, what to try, and then what the workflow does as it does it.
 */
import { PeerProcess } from 'game-lift-streams-local';
import { UsageError } from '../../cli/command-line.ts';
import { runCommand, type ValuesOf } from '../../cli/run-command.ts';
import { startLocalStack } from '../local-stack.ts';
import type { Endpoints } from '../stack.ts';
import { startPlayerBackend } from '../web/backend/backend.ts';
import { startWebServer } from '../web/server.ts';
import { describeLogLine } from './log-line.ts';
import { whatRunsWhere, whatToTry } from './welcome.ts';

const USAGE = `Usage: npm start -- [options]

Runs the whole service on 127.0.0.1 until Ctrl-C.

  --port-base <number>   the first of six ports in a row (4700); 0 takes any that are free
  --verbose              print the functions' log lines as they are
  --help                 this text
`;

/** In the order of their ports. */
const PARTS = [
  'gameLiftStreams',
  'stepFunctions',
  'eventBus',
  'dynamoDb',
  'api',
  'web',
] as const satisfies readonly (keyof Endpoints | 'web')[];
const MAX_PORT = 65_535;

const options = {
  'port-base': { type: 'string', default: '4700' },
  verbose: { type: 'boolean', default: false },
} as const;

async function main(values: ValuesOf<typeof options>): Promise<void> {
  const ports = portsFrom(values['port-base']);
  const stack = await startLocalStack({
    ports,
    gameLiftStreams: { peers: new PeerProcess() },
    onProgress: (step) => process.stdout.write(`${step} …\n`),
    onLog: (_functionName, line) => {
      const text = values.verbose ? line : describeLogLine(line);
      if (text !== undefined) process.stdout.write(`${text}\n`);
    },
  });
  const playerBackend = startPlayerBackend(stack, Math.random);
  const { endpoints } = stack;
  const web = await startWebServer({ port: ports.web, endpoints, playerBackend }).catch(async (error) => {
    await stack.close();
    throw error;
  });
  stopOnSignal([web, playerBackend, stack]);
  const session = await stack.control.startSession({ connectionTimeoutSeconds: 120 });
  process.stdout.write(whatRunsWhere(stack, web.url));
  process.stdout.write(whatToTry(stack, session.streamSessionId));
  process.stdout.write(`\nLogs: ${stack.logFile}\nCtrl-C stops everything.\n\n`);
}

function portsFrom(text: string): Record<(typeof PARTS)[number], number> {
  const base = Number(text);
  const lastBase = MAX_PORT - PARTS.length + 1;
  if (!/^\d+$/.test(text) || base > lastBase) {
    throw new UsageError(`--port-base takes a number from 0 to ${lastBase}.`);
  }
  const port = (part: (typeof PARTS)[number]) => (base === 0 ? 0 : base + PARTS.indexOf(part));
  return {
    gameLiftStreams: port('gameLiftStreams'),
    stepFunctions: port('stepFunctions'),
    eventBus: port('eventBus'),
    dynamoDb: port('dynamoDb'),
    api: port('api'),
    web: port('web'),
  };
}

function stopOnSignal(parts: readonly { close(): Promise<void> }[]): void {
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    process.stdout.write('\nStopping …\n');
    Promise.all(parts.map((part) => part.close())).then(
      () => process.stdout.write('Stopped.\n'),
      (error: unknown) => {
        console.error(error);
        process.exitCode = 1;
      },
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

runCommand({ usage: USAGE, options, run: main }).catch((error: unknown) => {
  const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
  const message = error instanceof Error ? error.message : String(error);
  const advice = isTaken ? ' Choose other ports: npm start -- --port-base 5700' : '';
  process.stderr.write(`The local stack could not start: ${message}.${advice}\n`);
  process.exitCode = 1;
});
