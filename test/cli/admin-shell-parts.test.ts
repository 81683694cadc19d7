import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualClock } from 'local-server-kit';
import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../cli/admin-shell/arguments.ts';
import { countDown, type Terminal } from '../../cli/admin-shell/countdown.ts';
import { LOCAL_ENDPOINT, parseEndpoint } from '../../cli/admin-shell/endpoint.ts';
import {
  pluginArguments,
  pluginCommand,
  pluginRun,
  readPluginVersion,
} from '../../cli/admin-shell/plugin.ts';

const SHELL = {
  sessionId: 'gameliftstreams-1-abc',
  streamUrl: 'wss://ssmmessages.us-west-2.amazonaws.com/v1/data-channel/x?role=publish_subscribe',
  tokenValue: 'AAEA\'$(touch /tmp/x)`"\\==',
  expiresAtMs: 0,
};

describe('the arguments', () => {
  it('are two names, and have defaults', () => {
    expect(parseArguments(['sg-1', 'session'])).toEqual({
      streamGroup: 'sg-1',
      streamSession: 'session',
      endpoint: undefined,
      region: undefined,
      reason: undefined,
      waitSeconds: 60,
      print: false,
    });
  });

  it.each([
    ['no name', []],
    ['one name', ['sg-1']],
    ['three names', ['sg-1', 'session', 'more']],
    ['an option that is none', ['sg-1', 'session', '--reson', 'why']],
    ['a wait that is no number', ['sg-1', 'session', '--wait', 'long']],
    ['a reason that is empty', ['sg-1', 'session', '--reason', ' ']],
    ['a reason of two lines', ['sg-1', 'session', '--reason', 'why\nnot']],
  ])('are refused when there is %s', (_, args) => {
    expect(() => parseArguments(args)).toThrow(expect.objectContaining({ name: 'UsageError' }));
  });
});

describe('the endpoint', () => {
  it('is the local stack by default, where no AWS credentials are needed', () => {
    expect(parseEndpoint()).toEqual({ url: LOCAL_ENDPOINT, isLocal: true, region: 'us-west-2' });
  });

  it.each([
    ['https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/dev/', 'eu-central-1'],
    ['https://a1b2c3d4e5-vpce-0.execute-api.us-east-2.amazonaws.com/dev', 'us-east-2'],
    ['https://shells.example.com', undefined],
  ])('of a deployment tells the Region where its name does: %s', (url, region) => {
    expect(parseEndpoint(url)).toEqual({ url: url.replace(/\/$/, ''), isLocal: false, region });
  });

  it.each([
    'shells.example.com',
    'http://shells.example.com',
    'ftp://127.0.0.1',
    'http://127.0.0.1.example.com',
  ])('is refused when it would not be encrypted, or is none: %s', (url) => {
    expect(() => parseEndpoint(url)).toThrow(expect.objectContaining({ name: 'UsageError' }));
  });
});

describe('session-manager-plugin', () => {
  it('gets credentials, Region, operation, no profile, target and endpoint, in this order', () => {
    const [credentials = '', ...rest] = pluginArguments(SHELL, 'us-west-2');

    expect(JSON.parse(credentials)).toEqual({
      SessionId: SHELL.sessionId,
      StreamUrl: SHELL.streamUrl,
      TokenValue: SHELL.tokenValue,
    });
    expect(rest).toEqual([
      'us-west-2',
      'StartSession',
      '',
      '{"Target":"gameliftstreams-1-abc"}',
      'https://ssm.us-west-2.api.aws',
    ]);
  });

  it('of the command is printable ASCII, whatever the credentials hold', () => {
    const shell = { ...SHELL, tokenValue: 'a\x1b[2J\x9b2J\u202e' };

    const command = pluginCommand(shell, 'us-west-2');

    expect(command).toMatch(/^[ -~]+$/);
    expect(JSON.parse(/'(\{"SessionId.*?\})'/.exec(command)?.[1] ?? '')).toMatchObject({
      TokenValue: shell.tokenValue,
    });
  });

  it('gets the same from a shell that runs the command', () => {
    const command = pluginCommand(SHELL, 'us-west-2').replace('session-manager-plugin', "printf '%s\\n'");

    const { stdout } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });

    expect(stdout).toBe(`${pluginArguments(SHELL, 'us-west-2').join('\n')}\n`);
  });

  it.each(['1.2.497.1', '1.2.536.0', '1.2.1000.0', '1.3.0.0', '2.0.0', '1.2.497.0.1'])(
    'gets the credentials in its environment, not in its arguments, from %s on',
    (version) => {
      const { args, environment } = pluginRun(SHELL, 'us-west-2', version);

      expect(args.join(' ')).not.toContain(SHELL.tokenValue);
      expect(args.slice(1)).toEqual(pluginArguments(SHELL, 'us-west-2').slice(1));
      expect(JSON.parse(environment[args[0] ?? ''] ?? '')).toEqual({
        SessionId: SHELL.sessionId,
        StreamUrl: SHELL.streamUrl,
        TokenValue: SHELL.tokenValue,
      });
    },
  );

  it.each(['1.2.497.0', '1.2.497', '1.2.96.0', '1.1.999.9', '', 'unknown', '2', undefined])(
    'gets the credentials in its arguments when its version is %s',
    (version) => {
      expect(pluginRun(SHELL, 'us-west-2', version)).toEqual({
        args: pluginArguments(SHELL, 'us-west-2'),
        environment: {},
      });
    },
  );

  it.each([
    ['the version that it prints', '#!/bin/sh\n[ "$1" = --version ] && echo 1.2.707.0\n', '1.2.707.0'],
    ['none when it fails', '#!/bin/sh\necho 9.9.9.9\nexit 1\n', undefined],
  ])('is asked for its version: %s', async (_, script, version) => {
    const path = join(await mkdtemp(join(tmpdir(), 'plugin-')), 'session-manager-plugin');
    await writeFile(path, script);
    await chmod(path, 0o755);

    expect(await readPluginVersion(path)).toBe(version);
  });
});

describe('the countdown', () => {
  function start(seconds: number, { isTTY, style = 'line' }: { isTTY: boolean; style?: 'line' | 'title' }) {
    const clock = new VirtualClock();
    const written: string[] = [];
    const terminal: Terminal = { isTTY, write: (text) => written.push(text) };
    const untilMs = clock.nowMs() + seconds * 1000;
    const countdown = countDown({ clock, untilMs, terminal, style, text: (left) => `${left} s` });
    return { clock, written, countdown };
  }

  it('draws each second over the one before it, in a terminal', async () => {
    const { clock, written, countdown } = start(2.5, { isTTY: true });
    await clock.advance(3000);
    await countdown.ended;

    expect(written).toEqual(['\r\x1b[2K3 s', '\r\x1b[2K2 s', '\r\x1b[2K1 s', '\r\x1b[2K0 s', '\n']);
  });

  it('leaves the screen to a program that runs: it is in the title', async () => {
    const { clock, written, countdown } = start(2, { isTTY: true, style: 'title' });
    await clock.advance(500);
    countdown.stop();
    countdown.stop();
    await clock.advance(5000);

    expect(written).toEqual(['\x1b]2;2 s\x07', '\x1b]2;\x07']);
  });

  it('is a line each ten seconds where there is no terminal', async () => {
    const { clock, written } = start(59, { isTTY: false });
    await clock.advance(70_000);

    expect(written).toEqual(['59 s\n', '50 s\n', '40 s\n', '30 s\n', '20 s\n', '10 s\n', '0 s\n']);
  });

  it('is over at once when no time is left', async () => {
    const { written, countdown } = start(0, { isTTY: false });
    await countdown.ended;

    expect(written).toEqual(['0 s\n']);
  });
});
