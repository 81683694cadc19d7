import { request } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  HANG_UP,
  type LoopbackServer,
  type LoopbackServerOptions,
  startLoopbackServer,
} from '../src/loopback-server.ts';

let server: LoopbackServer | undefined;

afterEach(async () => {
  await server?.close();
});

async function start(overrides: Partial<LoopbackServerOptions> = {}): Promise<LoopbackServer> {
  server = await startLoopbackServer({
    port: 0,
    maxBodyBytes: 10,
    handle: async ({ method, target, body }) => ({ status: 200, body: `${method} ${target} ${body}` }),
    ...overrides,
  });
  return server;
}

function statusForHost(port: number, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

describe('the loopback server', () => {
  it('hands on the path as it came, encoded slashes included', async () => {
    const { url } = await start();
    const response = await fetch(`${url}/a%2Fb?c=d`, { method: 'POST', body: 'hello' });
    expect(await response.text()).toBe('POST /a%2Fb?c=d hello');
  });

  it('answers 413 to a body over its limit and takes one at its limit', async () => {
    const { url } = await start();
    expect((await fetch(url, { method: 'POST', body: 'x'.repeat(11) })).status).toBe(413);
    expect((await fetch(url, { method: 'POST', body: 'x'.repeat(10) })).status).toBe(200);
    expect((await fetch(url, { method: 'POST', body: 'x'.repeat(1_000_000) })).status).toBe(413);
  });

  it.each(['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:80'])(
    'refuses the Host %s',
    async (host) => {
      const { port } = await start();
      expect(await statusForHost(port, host)).toBe(421);
    },
  );

  it.each(['localhost', '127.0.0.1:80', '[::1]:80'])('takes the Host %s', async (host) => {
    const { port } = await start();
    expect(await statusForHost(port, host)).toBe(200);
  });

  it.each(['https://evil.example', 'http://127.0.0.1:1', 'null'])(
    'takes no request from a page of %s',
    async (origin) => {
      const handle = vi.fn(async () => ({ status: 200 }));
      const { url } = await start({ handle });

      const replies = [
        await fetch(url, { method: 'POST', headers: { origin, 'content-type': 'text/plain' }, body: 'x' }),
        await fetch(url, { headers: { origin } }),
      ];

      expect(replies.map(({ status }) => status)).toEqual([403, 403]);
      expect(handle).not.toHaveBeenCalled();
    },
  );

  it('takes requests from its own pages', async () => {
    const { url } = await start();

    expect((await fetch(url, { method: 'POST', headers: { origin: url } })).status).toBe(200);
  });

  it('answers 500 for a reply that cannot be sent, and goes on', async () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => {});
    const replies = [{ status: 200, headers: { 'x-line': 'two\nlines' } }, { status: 99 }, { status: 200 }];
    const { url } = await start({ handle: async () => replies.shift() ?? { status: 404 } });

    const statuses = [await fetch(url), await fetch(url), await fetch(url)].map(({ status }) => status);

    expect(statuses).toEqual([500, 500, 200]);
    expect(told).toHaveBeenCalledTimes(2);
  });

  it('hangs up without a word when told to', async () => {
    const { url } = await start({ handle: async () => HANG_UP });
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  it('closes while a request is still open', async () => {
    const { url, close } = await start({ handle: () => new Promise(() => {}) });
    const open = fetch(url).catch((error: unknown) => error);
    await new Promise((resolve) => setImmediate(resolve));
    await close();
    expect(await open).toBeInstanceOf(TypeError);
  });
});
