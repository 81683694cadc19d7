#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { systemClock } from 'local-server-kit';
import { DEFAULT_STREAM_GROUP_ID, type GameLiftStreamsOptions, startGameLiftStreams } from './server.ts';

const USAGE = `Usage: npx game-lift-streams-local [options]

A stand-in for Amazon GameLift Streams on 127.0.0.1.

  --port <number>            where to listen; 0 takes any free port (4700)
  --region <name>            the Region in ARNs (us-west-2)
  --account-id <digits>      the account in ARNs (123456789012)
  --stream-group <id>        a stream group; may be repeated (${DEFAULT_STREAM_GROUP_ID})
  --connection-ms <number>   how long CreateStreamSessionConnection takes (50)
  --help                     this text
`;

/** What is wrong with the command line. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

function readOptions(args: string[]): GameLiftStreamsOptions | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: 'string', default: '4700' },
      region: { type: 'string' },
      'account-id': { type: 'string' },
      'stream-group': { type: 'string', multiple: true },
      'connection-ms': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const { region, 'account-id': accountId, 'stream-group': streamGroupIds } = values;
  if (accountId !== undefined && !/^\d{12}$/.test(accountId)) {
    throw new UsageError('--account-id takes 12 digits');
  }
  if (region !== undefined && !/^[a-z0-9-]{1,20}$/.test(region)) {
    throw new UsageError('--region takes the name of a Region');
  }
  if (streamGroupIds?.some((id) => !/^[a-zA-Z0-9-]{1,32}$/.test(id))) {
    throw new UsageError('--stream-group takes an id of letters, digits and hyphens');
  }
  return {
    port: wholeNumber('--port', values.port, 65_535),
    clock: systemClock,
    random: Math.random,
    ...(region === undefined ? {} : { region }),
    ...(accountId === undefined ? {} : { accountId }),
    ...(streamGroupIds === undefined ? {} : { streamGroupIds }),
    ...(values['connection-ms'] === undefined
      ? {}
      : { connectionMs: wholeNumber('--connection-ms', values['connection-ms'], 86_400_000) }),
  };
}

function wholeNumber(option: string, text: string, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > max) throw new UsageError(`${option} takes a number from 0 to ${max}`);
  return value;
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(USAGE);
    return;
  }
  const server = await startGameLiftStreams(options);
  process.stdout.write(`GameLift Streams stand-in: ${server.url}\nControl API: ${server.url}/_control/\n`);
  const stop = () => void server.close();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
