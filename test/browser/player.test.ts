import { forkPeers, PeerProcess } from 'game-lift-streams-local';
import type { LoopbackServer } from 'local-server-kit';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LocalStack, startLocalStack } from '../../local/local-stack.ts';
import { type PlayerBackend, startPlayerBackend } from '../../local/web/backend/backend.ts';
import { startWebServer } from '../../local/web/server.ts';
import {
  accessibilityProblems,
  describeInBrowser,
  type OpenPage,
  sidewaysOverflow,
} from '../helpers/browser.ts';
import { builtService } from '../helpers/built-service.ts';

/** As on a laptop, but quicker to notice: a client that is gone after 0.3 s (5 s), the watcher every second (5 s). */
const CLOSE_NOTICE_MS = 300;
const WATCH_INTERVAL_SECONDS = 1;
const SLOW = { timeout: 20_000 };

let stack: LocalStack;
let backend: PlayerBackend;
let web: LoopbackServer;

/** What comes about by itself, on a busy machine too. */
const eventually = <Value>(look: () => Value | Promise<Value>) => expect.poll(look, SLOW);

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const sessionIdIn = (page: Page) => new URL(page.url()).searchParams.get('session') ?? '';

/** What the page says of itself: its badge, which screen readers are told of. */
const isSaid = (page: Page, title: string) =>
  page.getByRole('status').filter({ hasText: title }).first().waitFor(SLOW);

async function connect(page: Page, secondsToComeBack: number): Promise<void> {
  await page.getByLabel('Time to come back').fill(String(secondsToComeBack));
  await button(page, 'Connect').press('Enter');
  await isSaid(page, 'Connected');
  await page.getByTestId('game-time').waitFor();
}

/** The game as the page tells it: seconds of game time, and the score. */
async function gameOn(page: Page): Promise<{ seconds: number; score: number }> {
  const [minutes = '', seconds = ''] = ((await page.getByTestId('game-time').textContent()) ?? '').split(':');
  const score = Number(await page.getByTestId('score').textContent());
  return { seconds: Number(minutes) * 60 + Number(seconds), score };
}

/** Notes each value of the game's clock that the page shows from now on. */
const watchClock = (page: Page) =>
  page.evaluate(`
    globalThis.clockValues = new Set();
    setInterval(() => clockValues.add(document.querySelector('[data-testid=game-time]').textContent), 50);
  `);

/** In the order in which they were shown first, such as "00:07". */
const clockValues = (page: Page) => page.evaluate<string[]>('[...clockValues]');

/** Frames of the video that the browser has decoded and shown. */
const framesOf = (page: Page) =>
  page.evaluate<number>("document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames");

async function windowEnds(page: Page, outcome: string): Promise<void> {
  await page.getByText(outcome, { exact: true }).first().waitFor(SLOW);
}

/** Follows the page's link to the console, which shows the window's execution. */
async function followToConsole(page: Page): Promise<void> {
  const executionName = `${sessionIdIn(page)}-1`;
  await page.getByRole('link', { name: executionName }).press('Enter');
  await page.getByRole('heading', { level: 1, name: executionName }).waitFor(SLOW);
}

/** A state in the console's graph, by what the graph says of it. */
const inGraph = (page: Page, state: string, word: string) =>
  page.getByRole('button', { name: new RegExp(`^${state}\\s*${word}`) });

async function checkLooks(page: Page): Promise<void> {
  expect(await sidewaysOverflow(page)).toBe(0);
  expect(await accessibilityProblems(page)).toEqual([]);
}

const openPlayer = (openPage: OpenPage, options: Parameters<OpenPage>[1] = {}) =>
  openPage(`${web.url}/player`, options);

describeInBrowser('a player of the local stack', (openPage) => {
  beforeAll(async () => {
    stack = await startLocalStack({
      onProgress: () => {},
      built: await builtService(),
      gameLiftStreams: { peers: new PeerProcess(() => forkPeers(CLOSE_NOTICE_MS)), activationMs: 200 },
      environment: { WATCH_INTERVAL_SECONDS: String(WATCH_INTERVAL_SECONDS) },
    });
    backend = startPlayerBackend(stack, Math.random);
    web = await startWebServer({ port: 0, endpoints: stack.endpoints, playerBackend: backend });
  }, 600_000);

  afterAll(async () => {
    await web.close();
    await backend.close();
    await stack.close();
  });

  it('drops, is found by the watcher, and comes back to the game where it has got to', async () => {
    const page = await openPlayer(openPage);
    await checkLooks(page);
    await connect(page, 60);
    await button(page, 'Jump: one more point').press('Enter');
    await button(page, 'Jump: one more point').press('Space');
    await eventually(() => gameOn(page)).toMatchObject({ score: 2 });
    await eventually(() => framesOf(page)).toBeGreaterThan(5);
    // Long enough for a clock that began anew to be found out.
    await eventually(async () => (await gameOn(page)).seconds).toBeGreaterThan(2);
    await watchClock(page);

    await button(page, 'Pull the plug').press('Enter');
    const before = await gameOn(page);
    await isSaid(page, 'Connection lost');
    await page.getByTestId('time-left').waitFor(SLOW);
    expect(Number(await page.getByTestId('time-left').textContent())).toBeGreaterThan(30);
    await eventually(() => page.getByTestId('status').textContent()).toBe('PENDING_CLIENT_RECONNECTION');
    await checkLooks(page);

    await page.getByLabel('How many').fill('2');
    await button(page, 'Throttling').press('Enter');
    await page.getByText('To come: throttling × 2').waitFor();
    await button(page, 'Come back').press('Enter');
    await isSaid(page, 'Connected');

    await eventually(async () => (await gameOn(page)).seconds).toBeGreaterThan(before.seconds + 1);
    expect(await gameOn(page)).toMatchObject({ score: 2 });
    const shown = await clockValues(page);
    expect(shown.length).toBeGreaterThan(1);
    expect(shown).toEqual(shown.toSorted());
    const frames = await framesOf(page);
    await eventually(() => framesOf(page)).toBeGreaterThan(frames);
    await windowEnds(page, 'RECONNECTED');
    await eventually(() => page.getByTestId('Throttled').textContent()).toBe('2');
    expect(await page.getByTestId('Sessions saved').textContent()).toBe('1');
    await checkLooks(page);

    await followToConsole(page);
    for (const state of ['OpenWindow', 'AwaitReconnection', 'RecordOutcome', 'Reconnected']) {
      await inGraph(page, state, 'Succeeded').waitFor(SLOW);
    }
    await inGraph(page, 'TimedOut', 'Succeed$').waitFor();
  }, 90_000);

  it('who never comes back loses the session when its time is up, on a phone at night too', async () => {
    const page = await openPlayer(openPage, { on: 'phone', colorScheme: 'dark' });
    await connect(page, 3);

    await button(page, 'Never come back').press('Enter');
    await isSaid(page, 'Gone for good');
    await isSaid(page, 'The session is over');

    await windowEnds(page, 'TERMINATED');
    expect(await page.getByTestId('status').textContent()).toBe('TERMINATED, reconnectionTimeout');
    expect(await button(page, 'Come back').isDisabled()).toBe(true);
    expect(await button(page, 'Connect').isEnabled()).toBe(true);
    await eventually(() => page.getByTestId('Sessions lost').textContent()).toBe('1');
    await checkLooks(page);

    await followToConsole(page);
    await inGraph(page, 'TimedOut', 'Succeeded').waitFor(SLOW);
  }, 90_000);

  it('who leaves ends the session at once, and it does not count as lost', async () => {
    const page = await openPlayer(openPage);
    await connect(page, 60);
    const lost = await page.getByTestId('Sessions lost').textContent();
    await button(page, 'Pull the plug').press('Enter');
    await page.getByTestId('time-left').waitFor(SLOW);

    await button(page, 'Leave').press('Enter');

    await isSaid(page, 'Left');
    await windowEnds(page, 'TERMINATED');
    await windowEnds(page, 'LEFT');
    expect(await page.getByTestId('Sessions lost').textContent()).toBe(lost);
    expect(await button(page, 'Connect').isEnabled()).toBe(true);
    expect(await button(page, 'Leave').isDisabled()).toBe(true);
    await checkLooks(page);
  }, 90_000);

  it('plays in one tab: the second takes the session over when told to, and the first knows it', async () => {
    const first = await openPlayer(openPage, { colorScheme: 'dark' });
    await connect(first, 60);
    await button(first, 'Jump: one more point').press('Enter');
    await eventually(() => gameOn(first)).toMatchObject({ score: 1 });
    const link = first.getByRole('link', { name: 'Come back in a second tab' });
    const [second] = await Promise.all([first.context().waitForEvent('page'), link.press('Enter')]);

    await isSaid(second, 'Played elsewhere');
    await checkLooks(second);
    expect(await gameOn(first)).toMatchObject({ score: 1 });
    await button(second, 'Come back').press('Enter');
    await isSaid(second, 'Connected');

    await eventually(() => gameOn(second)).toMatchObject({ score: 1 });
    await isSaid(first, 'Played elsewhere');
    await button(first, 'Come back').press('Enter');
    await isSaid(first, 'Connected');
    await isSaid(second, 'Played elsewhere');
    expect(await gameOn(first)).toMatchObject({ score: 1 });
  }, 90_000);

  it('is back by itself when the page is loaded again', async () => {
    const page = await openPlayer(openPage);
    await connect(page, 60);
    const before = await gameOn(page);
    await button(page, 'Pull the plug').press('Enter');
    await eventually(() => page.getByTestId('status').textContent()).toBe('PENDING_CLIENT_RECONNECTION');

    await page.reload();

    await isSaid(page, 'Connected');
    await eventually(async () => (await gameOn(page)).seconds).toBeGreaterThan(before.seconds);
  }, 90_000);

  it('starts a storm, in which everybody comes back', async () => {
    const page = await openPlayer(openPage);
    const saved = async () => Number(await page.getByTestId('Sessions saved').textContent());
    await eventually(saved).not.toBeNaN();
    const savedBefore = await saved();

    await page.getByLabel('Players who drop at once').fill('3');
    await button(page, 'Let them drop').press('Enter');

    await page.getByText('3 of 3 are back').waitFor(SLOW);
    await eventually(saved).toBe(savedBefore + 3);
  }, 90_000);
});
