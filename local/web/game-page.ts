import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type LoopbackServer, startLoopbackServer } from 'local-server-kit';

const folder = join(import.meta.dirname, '../../clients/game');

/** Serves the page of `clients/game`, which plays the scenario that `?scenario=` names. */
export async function serveGamePage(): Promise<LoopbackServer> {
  const html = await readFile(join(folder, 'page.html'));
  const { outputFiles } = await build({
    entryPoints: [join(folder, 'try-screens.ts')],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    write: false,
  });
  return startLoopbackServer({
    port: 0,
    maxBodyBytes: 0,
    handle: async ({ target }) => {
      if (target === '/try-screens.js') {
        return {
          status: 200,
          headers: { 'content-type': 'text/javascript' },
          body: outputFiles[0]?.text ?? '',
        };
      }
      if (target === '/favicon.ico') return { status: 204 };
      return { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body: html };
    },
  });
}
