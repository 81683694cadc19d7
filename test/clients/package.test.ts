import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserBytes, MAX_BROWSER_BYTES, packClient } from '../../scripts/pack-client.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

/** A front end's first file, as a newcomer writes it. */
const MAIN = `
import { createReconnector, type State } from 'reconnection-client';
import { simulate } from 'reconnection-client/simulate';

const reconnector = createReconnector(simulate('throttled', { lossAfterSeconds: 0.01 }));
const show = (state: State) => console.log(state.name);
reconnector.on('change', show);
reconnector.on('waiting', ({ retryAt, reason }) => {
  console.log(reason, retryAt > Date.now());
  reconnector.stop();
});
`;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'front-end-'));
  const tarball = await packClient(join(folder, 'packed'));
  await mkdir(join(folder, 'src'));
  await writeFile(join(folder, 'package.json'), '{"name": "front-end", "type": "module"}');
  await writeFile(join(folder, 'index.html'), '<script type="module" src="/src/main.ts"></script>');
  await writeFile(join(folder, 'src/main.ts'), MAIN);
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], { cwd: folder });
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the packed client, installed in an empty folder,', () => {
  it('runs in Node', async () => {
    const program = MAIN.replace(', type State', '').replace(': State', '');

    const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', program], {
      cwd: folder,
    });

    expect(stdout.split('\n')).toEqual(['connected', 'suspect', 'away', 'waiting', 'TURN_LATER true', '']);
    expect(stderr).toBe('');
  });

  it('is built by Vite', async () => {
    await build({ root: folder, logLevel: 'error', configFile: false });

    expect(await readFile(join(folder, 'dist/index.html'), 'utf8')).toContain('<script type="module"');
  });

  it('has types that a strict project takes', async () => {
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          strict: true,
          noEmit: true,
          target: 'es2022',
          module: 'preserve',
          moduleResolution: 'bundler',
          lib: ['es2022', 'dom'],
          types: [],
        },
        include: ['src'],
      }),
    );

    await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder]);
  });

  it('has a browser part that imports nothing, so a page can load it as it is', async () => {
    const text = await readFile(join(folder, 'node_modules/reconnection-client/index.js'), 'utf8');

    expect(text.match(/^\s*import\b.*|\bfrom ["'].*/gm)).toBeNull();
  });
});

it('the browser part has at most 6 KB, minified and compressed', async () => {
  expect(await browserBytes()).toBeLessThanOrEqual(MAX_BROWSER_BYTES);
});
