import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runServerless } from '../../scripts/serverless/run-serverless.ts';
import { prepareService } from '../helpers/packaged-service.ts';

/**
 * Deployments by the framework itself, with moto in the place of AWS. They take half a minute, so they run only when
 * asked for (`DEPLOYMENTS=all`); without moto they say so and are skipped.
 */
const isAsked = process.env['DEPLOYMENTS'] === 'all';
const hasMoto = await promisify(execFile)('python3', ['-c', 'import moto.moto_server, cfnlint']).then(
  () => true,
  () => false,
);
if (isAsked && !hasMoto) {
  console.warn(
    'moto is not installed, so that no deployment was tried (pip install "moto[server,cloudformation]").',
  );
}

const STACK = 'stream-session-reconnection-prod';
// Without alarms: moto has no ARN of an alarm, which the dashboard names.
const STAGE_FILE =
  'region: us-west-2\nmonitoring: none\nstreamGroups: [sg-a, sg-b]\nwatchedStreamGroups: sg-a\n';

describe.skipIf(!isAsked || !hasMoto)('deployments in a row', () => {
  let server: ChildProcessByStdio<Writable, Readable, null> | undefined;
  let folder = '';
  let environment: Readonly<Record<string, string>> = {};
  let client: CloudFormationClient;

  const deploy = (...args: readonly string[]) =>
    runServerless(join(folder, 'service'), ['deploy', '--stage', 'prod', ...args], environment);
  const rollback = (...args: readonly string[]) =>
    runServerless(join(folder, 'service'), ['rollback', '--stage', 'prod', ...args], environment);
  const writeStageFile = (text: string) => writeFile(join(folder, 'service', 'config', 'prod.yml'), text);

  async function stack() {
    const { Stacks: [found] = [] } = await client.send(new DescribeStacksCommand({ StackName: STACK }));
    const outputs = new Map(
      (found?.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]),
    );
    return { status: found?.StackStatus, parameters: outputs.get('Parameters1') };
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'two-deployments-'));
    await prepareService(join(folder, 'service'), { stage: 'prod', stageFile: STAGE_FILE });
    const started = spawn('python3', [join(import.meta.dirname, 'cloudformation', 'moto-server.py')], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    server = started;
    const port = await new Promise<string>((resolve, reject) => {
      createInterface(started.stdout).once('line', resolve);
      started.once('exit', () => reject(new Error('moto did not start.')));
    });
    environment = {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    };
    client = new CloudFormationClient({
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-west-2',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
  }, 120_000);
  afterAll(async () => {
    server?.stdin.end();
    await rm(folder, { recursive: true, force: true });
  });

  it('begin without a stack, and list what they were given', async () => {
    await deploy();

    expect(await stack()).toEqual({
      status: 'UPDATE_COMPLETE',
      parameters: '{"monitoring":"none","streamGroups":"sg-a,sg-b","watchedStreamGroups":"sg-a"}',
    });
  }, 600_000);

  it('are refused when the next one forgets a parameter, and leave the stack as it was', async () => {
    const before = await stack();
    await writeStageFile('monitoring: none\nstreamGroups: [sg-a, sg-b]\n');

    await expect(deploy()).rejects.toThrow('watchedStreamGroups, "sg-a": not given any more');
    expect(await stack()).toEqual(before);
  }, 600_000);

  it('go on when the parameter is let go by name', async () => {
    await deploy('--accept', 'watchedStreamGroups');

    expect((await stack()).parameters).toBe('{"monitoring":"none","streamGroups":"sg-a,sg-b"}');
  }, 600_000);

  it('are undone by serverless rollback, parameters included', async () => {
    const listed = await rollback();
    const [, first = ''] = /Timestamp: (\d+)/.exec(listed) ?? [];

    await rollback('--timestamp', first);
    expect((await stack()).parameters).toBe(
      '{"monitoring":"none","streamGroups":"sg-a,sg-b","watchedStreamGroups":"sg-a"}',
    );
  }, 600_000);
});
