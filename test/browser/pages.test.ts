import { type LoopbackServer, startLoopbackServer } from 'local-server-kit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { serveGamePage } from '../../local/web/game-page.ts';
import { startWebServer } from '../../local/web/server.ts';
import { accessibilityProblems, describeInBrowser, sidewaysOverflow } from '../helpers/browser.ts';

let emptyStack: LoopbackServer;
let web: LoopbackServer;
let game: LoopbackServer;

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
  game = await serveGamePage();
});

afterAll(async () => {
  await game.close();
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

describeInBrowser('the screens of a game, without a service,', (openPage) => {
  it('take the player back to the game after a loss', async () => {
    const page = await openPage(`${game.url}/?scenario=network-loss`);

    await page.getByRole('heading', { name: 'Connection interrupted' }).waitFor();
    await page.getByRole('heading', { name: 'Reconnecting' }).waitFor();
    await page.getByRole('heading', { name: 'Almost there' }).waitFor();
    await page.getByRole('status').waitFor({ state: 'hidden' });

    expect(await page.getByText('The game').isVisible()).toBe(true);
  });

  it('let the player take a session back from elsewhere, on a phone at night too', async () => {
    const page = await openPage(`${game.url}/?scenario=taken-over`, { on: 'phone', colorScheme: 'dark' });

    await page.getByRole('heading', { name: 'You are playing elsewhere' }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(await sidewaysOverflow(page)).toBe(0);
    await page.getByRole('button', { name: 'Play here' }).press('Enter');

    await page.getByRole('status').waitFor({ state: 'hidden' });
  });

  it('count down on a plain page, which loads the packed client as it is', async () => {
    const page = await openPage(`${game.url}/plain.html?scenario=throttled`);

    await page.getByText('Reconnecting. The next try is in 8 s.').waitFor();
    await page.getByText('Reconnecting. The next try is in 6 s.').waitFor();

    expect(await accessibilityProblems(page)).toEqual([]);
  });

  it('come back by themselves when the player goes back to the page, which the browser has kept', async () => {
    const page = await openPage(`${game.url}/plain.html?scenario=network-loss`);
    await page.getByText('You are back in the game.').waitFor();
    await page.evaluate(`
      globalThis.seen = [];
      addEventListener('pageshow', ({ persisted }) => seen.push(persisted));
      new MutationObserver(() => seen.push(document.querySelector('p').textContent))
        .observe(document.querySelector('p'), { childList: true });
    `);

    await page.goto(`${game.url}/?scenario=expired`);
    await page.goBack({ waitUntil: 'commit' });
    await page.getByText('You are back in the game.').waitFor();

    await expect
      .poll(async () => new Set(await page.evaluate<unknown[]>('globalThis.seen')))
      .toEqual(new Set([true, 'Reconnecting …', 'Almost there …', 'You are back in the game.']));
  });
});
