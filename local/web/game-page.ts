import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type LoopbackServer, startLoopbackServer } from 'local-server-kit';

const folder = join(import.meta.dirname, '../../clients/game');

/** Serves the pages of `clients/game`, which play the scenario that `?scenario=` names, as Vite and a plain server would. */
export async function serveGamePage(): Promise<LoopbackServer> {
  const client = join(import.meta.dirname, '../../packages/reconnection-client/src');
  const files = new Map<string, { readonly type: string; readonly body: string | Buffer }>();
  files.set('/', { type: 'text/html; charset=utf-8', body: await readFile(join(folder, 'page.html')) });
  files.set('/plain.html', {
    type: 'text/html; charset=utf-8',
    body: await readFile(join(folder, 'plain.html')),
  });
  const scripts = {
    '/src/try-screens.ts': join(folder, 'try-screens.ts'),
    '/reconnection-client/index.js': join(client, 'index.ts'),
    '/reconnection-client/simulate.js': join(client, 'simulate.ts'),
  };
  for (const [path, entry] of Object.entries(scripts)) {
    const { outputFiles } = await build({
      entryPoints: [entry],
      bundle: true,
      format: 'esm',
      platform: 'browser',
      write: false,
    });
    files.set(path, { type: 'text/javascript', body: outputFiles[0]?.text ?? '' });
  }
  return startLoopbackServer({
    port: 0,
    maxBodyBytes: 0,
    handle: async ({ target }) => {
      const file = files.get(target.split('?', 1)[0] ?? '');
      if (file === undefined) return { status: target === '/favicon.ico' ? 204 : 404 };
      return { status: 200, headers: { 'content-type': file.type }, body: file.body };
    },
  });
}
