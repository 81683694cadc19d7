import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LoopbackServer } from '../../local/shared/loopback-server.ts';
import { startWebServer } from '../../local/web/server.ts';
import { accessibilityProblems, describeInBrowser, sidewaysOverflow } from '../helpers/browser.ts';

const NOWHERE = 'http://127.0.0.1:1';
let web: LoopbackServer;

beforeAll(async () => {
  const endpoints = {
    gameLiftStreams: NOWHERE,
    stepFunctions: NOWHERE,
    eventBus: NOWHERE,
    dynamoDb: NOWHERE,
    api: NOWHERE,
  };
  // The player page asks its backend how things are, and this one has nothing to say.
  web = await startWebServer({
    port: 0,
    endpoints,
    playerBackend: { answer: async () => ({ status: 204 }) },
  });
});

afterAll(() => web.close());

describeInBrowser('the bar of all pages', (openPage) => {
  it('leads from the player to the console, by keyboard alone', async () => {
    const page = await openPage(`${web.url}/player`, { on: 'phone' });

    expect(await page.getByRole('link', { name: 'Player' }).getAttribute('aria-current')).toBe('page');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toContain('Skip to the content');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Console');
    expect(await sidewaysOverflow(page)).toBe(0);
    expect(await accessibilityProblems(page)).toEqual([]);
  });
});
