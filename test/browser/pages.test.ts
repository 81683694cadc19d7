import { type LoopbackServer, startLoopbackServer } from 'local-server-kit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startWebServer } from '../../local/web/server.ts';
import { accessibilityProblems, describeInBrowser, sidewaysOverflow } from '../helpers/browser.ts';

let emptyStack: LoopbackServer;
let web: LoopbackServer;

beforeAll(async () => {
  emptyStack = await startLoopbackServer({
    port: 0,
    maxBodyBytes: 1000,
    handle: async () => ({ status: 200, body: '{"stateMachines":[]}' }),
  });
  const { url } = emptyStack;
  const endpoints = {
    gameLiftStreams: url,
    stepFunctions: url,
    eventBus: url,
    dynamoDb: url,
    api: url,
    sqs: url,
  };
  web = await startWebServer({ port: 0, endpoints });
});

afterAll(async () => {
  await web.close();
  await emptyStack.close();
});

describeInBrowser('the bar of all pages', (openPage) => {
  it('leads by keyboard alone past itself and to every page', async () => {
    const page = await openPage(web.url, { on: 'phone' });
    const focused = () => page.evaluate('document.activeElement.textContent');
    await page.getByText('No state machine has been created.').waitFor();

    expect(await page.getByRole('link', { name: 'Console' }).getAttribute('aria-current')).toBe('page');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to the content');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Console');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Player');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('content');

    expect(await sidewaysOverflow(page)).toBe(0);
    expect(await accessibilityProblems(page)).toEqual([]);
  });
});
