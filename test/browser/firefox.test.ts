import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { serveGamePage } from '../../local/web/game-page.ts';

/** playwright drives only a Firefox of its own, so this speaks WebDriver BiDi with the system's. */
const FIREFOX = process.env['FIREFOX_PATH'] ?? '/usr/bin/firefox-esr';
const isThere = existsSync(FIREFOX);
if (!isThere) {
  console.warn(
    `skipped: Firefox. No Firefox at ${FIREFOX}. Install it (Debian: apt-get install firefox-esr)`,
  );
}

const messageSchema = z.object({
  id: z.number().optional(),
  method: z.string().optional(),
  result: z.unknown().optional(),
  params: z.unknown().optional(),
});
const treeSchema = z.object({ contexts: z.array(z.object({ context: z.string() })).min(1) });
const valueSchema = z.object({ result: z.object({ value: z.string() }) });
const logSchema = z.object({ level: z.string(), text: z.string() });

/** Returns a page of a Firefox without a window. */
async function openFirefox() {
  const profile = await mkdtemp(join(tmpdir(), 'firefox-'));
  const firefox = spawn(
    FIREFOX,
    ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'],
    { env: { ...process.env, HOME: profile }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  onTestFinished(async () => {
    firefox.kill('SIGKILL');
    await once(firefox, 'close');
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  });
  const address = await new Promise<string>((resolve) => {
    firefox.stderr.on('data', (chunk: Buffer) => {
      const found = /WebDriver BiDi listening on (\S+)/.exec(chunk.toString())?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  const socket = new WebSocket(`${address}/session`);
  const replies = new Map<number, (result: unknown) => void>();
  const errors: string[] = [];
  socket.addEventListener('message', ({ data }) => {
    const { id, method, result, params } = messageSchema.parse(JSON.parse(String(data)));
    if (id !== undefined) replies.get(id)?.(result);
    if (method !== 'log.entryAdded') return;
    const { level, text } = logSchema.parse(params);
    if (level === 'error') errors.push(text);
  });
  await once(socket, 'open');
  let commands = 0;
  const send = (method: string, params: object) =>
    new Promise<unknown>((resolve) => {
      replies.set(++commands, resolve);
      socket.send(JSON.stringify({ id: commands, method, params }));
    });
  await send('session.new', { capabilities: {} });
  await send('session.subscribe', { events: ['log.entryAdded'] });
  const [page] = treeSchema.parse(await send('browsingContext.getTree', {})).contexts;
  const context = page?.context;
  return {
    errors,
    goTo: (url: string) => send('browsingContext.navigate', { context, url, wait: 'complete' }),
    text: async () => {
      const expression = "document.querySelector('p').textContent";
      const evaluated = await send('script.evaluate', {
        expression,
        target: { context },
        awaitPromise: true,
      });
      return valueSchema.parse(evaluated).result.value;
    },
  };
}

describe.skipIf(!isThere)('in Firefox, the client of a plain page', { timeout: 90_000 }, () => {
  it('comes back, knows that it was taken over and that the game is over, and logs no error', async () => {
    const game = await serveGamePage();
    onTestFinished(() => game.close());
    const firefox = await openFirefox();
    const ends = {
      'network-loss': 'You are back in the game.',
      'taken-over': 'You are playing elsewhere.',
      expired: 'This game is over.',
    };

    for (const [scenario, end] of Object.entries(ends)) {
      await firefox.goTo(`${game.url}/plain.html?scenario=${scenario}`);
      await expect.poll(firefox.text, { timeout: 20_000 }).toBe(end);
    }

    expect(firefox.errors).toEqual([]);
  });
});
