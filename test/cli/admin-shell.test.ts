import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  HANG_UP,
  type LoopbackReply,
  type LoopbackRequest,
  startLoopbackServer,
  VirtualClock,
} from 'local-server-kit';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { apiClient } from '../../cli/admin-shell/api-client.ts';
import { parseEndpoint } from '../../cli/admin-shell/endpoint.ts';
import type { PluginRun } from '../../cli/admin-shell/plugin.ts';
import { requestShell } from '../../cli/admin-shell/request-shell.ts';
import { run } from '../../cli/admin-shell/run.ts';

const CREDENTIALS = { SessionId: 'ssm-1', StreamUrl: 'wss://ssmmessages/ssm-1', TokenValue: 'the-token' };
const granted: LoopbackReply = {
  status: 200,
  headers: { 'content-type': 'application/json', 'x-expires-in-seconds': '57' },
  body: JSON.stringify(CREDENTIALS),
};
const refused = (status: number, type: string, headers: Record<string, string> = {}): LoopbackReply => ({
  status,
  headers: { 'content-type': 'application/json', 'x-amzn-errortype': type, ...headers },
  body: JSON.stringify({ Message: `This is why: ${type}` }),
});
const notReady = refused(409, 'StreamSessionAccessNotReadyException', { 'retry-after': '7' });

/** The command against an API that gives these replies in turn, the last one for good. */
async function prepare(...replies: (LoopbackReply | typeof HANG_UP)[]) {
  const requests: LoopbackRequest[] = [];
  const api = await startLoopbackServer({
    port: 0,
    maxBodyBytes: 1000,
    handle: async (request) => {
      requests.push(request);
      return replies[Math.min(requests.length, replies.length) - 1] ?? granted;
    },
  });
  onTestFinished(() => api.close());
  const clock = new VirtualClock();
  const out: string[] = [];
  const told: string[] = [];
  const started: (PluginRun & { readonly path: string })[] = [];
  const folder = await mkdtemp(join(tmpdir(), 'plugin-'));
  const plugin = join(folder, 'session-manager-plugin');
  await writeFile(plugin, '');
  await chmod(plugin, 0o755);
  const command = async (
    args: readonly string[],
    {
      hasPlugin = true,
      isTTY = false,
      answer,
      version = '1.2.497.0',
    }: { hasPlugin?: boolean; isTTY?: boolean; answer?: string; version?: string } = {},
  ): Promise<number> => {
    let code: number | undefined;
    const running = run([...args, '--endpoint', api.url], {
      environment: { PATH: hasPlugin ? `/nowhere:${folder}` : '/nowhere' },
      clock,
      stdout: { isTTY, write: (text) => out.push(text) },
      stderr: { isTTY, write: (text) => told.push(text) },
      askReason: answer === undefined ? undefined : async () => answer,
      readPluginVersion: async () => version,
      runPlugin: async (path, pluginRun) => {
        started.push({ path, ...pluginRun });
        return 3;
      },
    }).then((exitCode) => {
      code = exitCode;
      return exitCode;
    });
    // Time stands still while a request is on its way.
    while (code === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      await clock.advance(100);
    }
    return running;
  };
  return {
    api,
    clock,
    command,
    requests,
    started,
    plugin,
    out: () => out.join(''),
    told: () => told.join(''),
  };
}

const SESSION = ['sg-1', 'session-1'];
const headerOf = (request: LoopbackRequest | undefined, name: string) => request?.headers[name];

describe('npm run admin-shell', () => {
  it('asks the API for the session, with the reason, and starts the plugin with the credentials', async () => {
    const { command, requests, started, plugin } = await prepare(granted);

    const exitCode = await command([...SESSION, '--reason', 'incident 1']);

    expect(exitCode).toBe(3);
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({
      method: 'POST',
      target: '/streamgroups/sg-1/streamsessions/session-1/access',
    });
    expect(headerOf(requests[0], 'x-reason')).toBe('incident 1');
    expect(started).toEqual([
      {
        path: plugin,
        args: [
          JSON.stringify(CREDENTIALS),
          'us-west-2',
          'StartSession',
          '',
          '{"Target":"ssm-1"}',
          'https://ssm.us-west-2.api.aws',
        ],
        environment: {},
      },
    ]);
  });

  it('keeps the credentials out of the arguments of a plugin that reads its environment', async () => {
    const { command, started } = await prepare(granted);

    await command(SESSION, { version: '1.2.707.0' });

    expect(started).toMatchObject([
      {
        args: [
          'AWS_SSM_START_SESSION_RESPONSE',
          'us-west-2',
          'StartSession',
          '',
          '{"Target":"ssm-1"}',
          'https://ssm.us-west-2.api.aws',
        ],
        environment: { AWS_SSM_START_SESSION_RESPONSE: JSON.stringify(CREDENTIALS) },
      },
    ]);
  });

  it('counts from the seconds that the API says are left', async () => {
    const { command, told } = await prepare(granted);
    await command(SESSION);

    expect(told()).toContain('Admin shell: 57 s left to open it');
  });

  it('writes no credential anywhere when the plugin takes them', async () => {
    const { command, out, told } = await prepare(granted);
    await command(SESSION, { isTTY: true });

    for (const secret of Object.values(CREDENTIALS)) expect(out() + told()).not.toContain(secret);
  });

  it('asks the operator who is there for the reason, and sends no header when there is none', async () => {
    const first = await prepare(granted);
    await first.command(SESSION, { answer: ' black screen ' });
    const second = await prepare(granted);
    await second.command(SESSION, { answer: '' });

    expect(headerOf(first.requests[0], 'x-reason')).toBe('black screen');
    expect(headerOf(second.requests[0], 'x-reason')).toBeUndefined();
  });

  it('asks again when the API says so, as late as it says', async () => {
    const { command, requests, started, told, clock } = await prepare(notReady, notReady, granted);
    const startMs = clock.nowMs();

    expect(await command(SESSION)).toBe(3);

    expect(requests).toHaveLength(3);
    expect(started).toHaveLength(1);
    expect(clock.nowMs() - startMs).toBeGreaterThanOrEqual(14_000);
    expect(told()).toContain("The session's terminal connection is not available yet. Asking again in 7 s.");
  });

  it('gives up after --wait', async () => {
    const { command, requests, told } = await prepare(notReady);

    expect(await command([...SESSION, '--wait', '20'])).toBe(1);

    expect(requests).toHaveLength(3);
    expect(told()).toContain('StreamSessionAccessNotReadyException (409): This is why');
  });

  it.each([
    [400, 'ValidationException', 'This is why'],
    [403, 'AccessDeniedException', 'execute-api:Invoke'],
    [404, 'ResourceNotFoundException', 'This is why'],
    [500, 'InternalServerException', 'This is why'],
  ])('asks once, and says why, when the API answers %i', async (status, type, text) => {
    const { command, requests, told } = await prepare(refused(status, type, { 'retry-after': '1' }));

    expect(await command(SESSION)).toBe(1);

    expect(requests).toHaveLength(1);
    expect(told()).toContain(`${type} (${status})`);
    expect(told()).toContain(text);
  });

  it('quotes nothing of a reply that it cannot read', async () => {
    const cut: LoopbackReply = { ...granted, body: JSON.stringify(CREDENTIALS).slice(0, -3) };
    const { command, out, told, requests } = await prepare(cut);

    expect(await command(SESSION)).toBe(1);

    expect(requests).toHaveLength(1);
    expect(out()).toBe('');
    expect(told()).toMatch(/No admin shell: \w+\./);
    for (const secret of ['ssm-1', 'the-token', '"SessionId"']) expect(told()).not.toContain(secret);
  });

  it('says so when the reply has no credentials', async () => {
    const { command, told } = await prepare({ ...granted, body: '{}' });

    expect(await command(SESSION)).toBe(1);
    expect(told()).toContain('IncompleteReplyError');
  });

  it('says so when nobody answers', async () => {
    const { api, command, told } = await prepare(HANG_UP);
    await api.close();

    expect(await command(SESSION)).toBe(1);
    expect(told()).toContain('Is the local stack up (npm start)?');
  });

  it('says how it is called when it is called wrong, and asks nobody', async () => {
    const { command, requests, told } = await prepare(granted);

    expect(await command(['sg-1'])).toBe(2);
    expect(requests).toEqual([]);
    expect(told()).toContain('Name one stream group and one stream session.');
  });
});

describe('without session-manager-plugin', () => {
  it('prints the exact command in a terminal, with how to keep it out of a history, and counts down', async () => {
    const { command, out, told, started } = await prepare(granted);

    expect(await command(SESSION, { hasPlugin: false, isTTY: true })).toBe(0);

    expect(out()).toBe(
      ` session-manager-plugin '${JSON.stringify(CREDENTIALS)}' 'us-west-2' 'StartSession' '' '{"Target":"ssm-1"}' 'https://ssm.us-west-2.api.aws'\n`,
    );
    expect(told()).toContain('HISTFILE= sh');
    expect(told()).toContain('\r\x1b[2K57 s left to open the shell.');
    expect(told()).toContain('\r\x1b[2KThe credentials have expired.');
    expect(started).toEqual([]);
  });

  it('mints nothing when the command would go into a file or a log', async () => {
    const { command, requests, told } = await prepare(granted);

    expect(await command(SESSION, { hasPlugin: false })).toBe(2);
    expect(requests).toEqual([]);
    expect(told()).toContain('session-manager-plugin is not on the PATH.');
  });

  it('prints the command wherever it is told to, and nothing else beside it', async () => {
    const { command, out, started } = await prepare(granted);

    expect(await command([...SESSION, '--print'])).toBe(0);
    expect(out()).toMatch(/^session-manager-plugin '.*\n$/);
    expect(started).toEqual([]);
  });
});

describe('against a deployed API', () => {
  it('signs for execute-api with the credentials of the usual chain, reason and ARNs included', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDOFTHEOPERATOR');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    vi.stubEnv('AWS_SESSION_TOKEN', 'session-token');
    const endpoint = parseEndpoint('https://a1b2c3d4e5.execute-api.us-east-2.amazonaws.com/dev');
    const { client, region } = await apiClient(endpoint, undefined);
    let sent: unknown;
    client.middlewareStack.add(
      () => async (args) => {
        sent = args.request;
        return { response: { headers: {} }, output: { ...CREDENTIALS, $metadata: {} } };
      },
      { step: 'deserialize', priority: 'high' },
    );

    await requestShell(
      {
        streamGroup: 'arn:aws:gameliftstreams:us-east-2:111122223333:streamgroup/sg-1',
        streamSession: 'session-1',
        reason: 'incident 1',
        waitSeconds: 0,
      },
      { client, clock: new VirtualClock(), tell: () => {} },
    );
    client.destroy();

    expect(region).toBe('us-east-2');
    expect(sent).toMatchObject({
      method: 'POST',
      protocol: 'https:',
      hostname: 'a1b2c3d4e5.execute-api.us-east-2.amazonaws.com',
      path: '/dev/streamgroups/arn%3Aaws%3Agameliftstreams%3Aus-east-2%3A111122223333%3Astreamgroup%2Fsg-1/streamsessions/session-1/access',
      headers: {
        'x-reason': 'incident 1',
        'x-amz-security-token': 'session-token',
        authorization: expect.stringMatching(
          /^AWS4-HMAC-SHA256 Credential=AKIDOFTHEOPERATOR\/\d{8}\/us-east-2\/execute-api\/aws4_request, SignedHeaders=[^,]*\bx-reason\b/,
        ),
      },
    });
  });

  it('needs to know the Region when nothing tells it', async () => {
    vi.stubEnv('AWS_REGION', undefined);
    vi.stubEnv('AWS_CONFIG_FILE', '/nowhere');
    const endpoint = parseEndpoint('https://shells.example.com');

    await expect(apiClient(endpoint, undefined)).rejects.toMatchObject({ name: 'UsageError' });
    const { client, region } = await apiClient(endpoint, 'eu-central-1');
    client.destroy();
    expect(region).toBe('eu-central-1');
  });
});
