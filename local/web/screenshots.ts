import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PeerProcess } from 'game-lift-streams-local';
import type { Browser, Page } from 'playwright-core';
import { runCommand } from '../../cli/run-command.ts';
import { chromiumPath, launchChromium } from '../../scripts/chromium.ts';
import { Player } from '../demo/player.ts';
import { startLocalStack } from '../local-stack.ts';
import type { Stack } from '../stack.ts';
import { startPlayerBackend } from './backend/backend.ts';
import { serveGamePage } from './game-page.ts';
import { startWebServer } from './server.ts';

const usage = `Usage: npm run screenshots [-- --out <folder>] [--screens]

Makes the pictures of the README and of docs/ anew. A local stack plays some disconnects, and this machine's Chromium looks at the
pages. CHROMIUM_PATH names the browser; /usr/bin/chromium by default.

  --out <folder>   docs/images by default
  --screens        only those of a game's reconnection screens, which need no stack
  --help           this text
`;

/** With room for the strip below the player. */
const PLAYER = { width: 1280, height: 1140 };
const PHONE = { width: 390, height: 844 };

interface Shot {
  readonly name: string;
  readonly screen: { readonly width: number; readonly height: number };
  readonly colorScheme: 'light' | 'dark';
  /** Brings the page to what the picture shows. */
  readonly arrange: (page: Page, webUrl: string, sessions: Sessions) => Promise<void>;
}

/** Session ids by what happens to their players. */
type Sessions = Readonly<Record<'comesBack' | 'neverComes' | 'waits', string>>;

const openExecution = async (page: Page, webUrl: string, sessionId: string) => {
  await page.goto(`${webUrl}/#/?search=${sessionId}`);
  await page.getByRole('link', { name: `${sessionId}-1` }).click();
  await page.getByRole('heading', { name: 'States' }).waitFor();
};

const isSaid = (page: Page, title: string) =>
  page.getByRole('status').filter({ hasText: title }).first().waitFor();

/** A player who is connected, with some points. */
const play = async (page: Page, webUrl: string) => {
  await page.goto(`${webUrl}/player`);
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await isSaid(page, 'Connected');
  for (let points = 0; points < 7; points++) {
    await page.getByRole('button', { name: /^Jump/ }).click();
  }
  await page.getByTestId('score').filter({ hasText: '7' }).waitFor();
};

const loseConnection = async (page: Page, webUrl: string) => {
  await play(page, webUrl);
  await page.getByRole('button', { name: 'Pull the plug' }).click();
  await page.getByTestId('time-left').waitFor();
};

const SHOTS: readonly Shot[] = [
  {
    name: 'console-executions',
    screen: { width: 1280, height: 600 },
    colorScheme: 'light',
    arrange: async (page, webUrl) => {
      await page.goto(webUrl);
      await page.getByRole('row').nth(3).waitFor();
    },
  },
  {
    name: 'console-execution',
    screen: { width: 1280, height: 1380 },
    colorScheme: 'light',
    arrange: async (page, webUrl, { comesBack }) => {
      await openExecution(page, webUrl, comesBack);
      await page.getByRole('button', { name: /^CheckSession/ }).click();
      // It looks twice where the player's signal came too late for the first time; the first visit has the retries.
      const visit = page.getByLabel('Visit');
      if ((await visit.count()) > 0) await visit.selectOption({ index: 0 });
    },
  },
  {
    name: 'console-phone',
    screen: PHONE,
    colorScheme: 'dark',
    arrange: (page, webUrl, { waits }) => openExecution(page, webUrl, waits),
  },
  {
    name: 'player-lost',
    screen: PLAYER,
    colorScheme: 'light',
    arrange: loseConnection,
  },
  {
    name: 'player-back',
    screen: PLAYER,
    colorScheme: 'dark',
    arrange: async (page, webUrl) => {
      await loseConnection(page, webUrl);
      await page.getByRole('button', { name: 'Throttling' }).click();
      await page.getByText('To come: throttling').waitFor();
      await page.getByRole('button', { name: 'Come back', exact: true }).click();
      await isSaid(page, 'Connected');
      await page.getByText('RECONNECTED', { exact: true }).first().waitFor();
      await seconds(2);
    },
  },
  {
    name: 'player-phone',
    screen: PHONE,
    colorScheme: 'light',
    arrange: play,
  },
];

/** The screens of `clients/game`: a scenario that shows each, and its title. */
const SCREENS = [
  ['suspect', 'network-loss', 'Connection interrupted'],
  ['away', 'network-loss', 'Reconnecting'],
  ['waiting', 'throttled', 'Reconnecting'],
  ['answering', 'network-loss', 'Almost there'],
  ['over', 'expired', 'This game is over'],
  ['taken-over', 'taken-over', 'You are playing elsewhere'],
  ['failed', 'not-allowed', 'We could not take you back'],
] as const;
const SCREEN = { width: 390, height: 220 };

async function takeScreens(browser: Browser, folder: string): Promise<void> {
  const game = await serveGamePage();
  try {
    for (const [name, scenario, title] of SCREENS) {
      const context = await browser.newContext({ viewport: SCREEN, colorScheme: 'light' });
      const page = await context.newPage();
      await page.goto(`${game.url}/?scenario=${scenario}`);
      await page.getByRole('heading', { name: title }).waitFor();
      if (name === 'waiting') await page.getByText('The next try').waitFor();
      await page.screenshot({ path: join(folder, `state-${name}.png`) });
      await context.close();
      console.log(`state-${name}.png`);
    }
  } finally {
    await game.close();
  }
}

async function main(values: { readonly out: string; readonly screens: boolean }): Promise<void> {
  const folder = join(import.meta.dirname, '../..', values.out);
  await mkdir(folder, { recursive: true });
  if (values.screens) {
    const browser = await launchChromium(chromiumPath(process.env));
    await takeScreens(browser, folder).finally(() => browser.close());
    return;
  }
  const stack = await startLocalStack({
    onProgress: (step) => console.log(`${step} …`),
    gameLiftStreams: { peers: new PeerProcess() },
  });
  const playerBackend = startPlayerBackend(stack, Math.random);
  const web = await startWebServer({ port: 0, endpoints: stack.endpoints, playerBackend });
  const browser = await launchChromium(chromiumPath(process.env));
  try {
    console.log('Letting some players drop …');
    const sessions = await letDrop(stack);
    for (const shot of SHOTS) await take(browser, shot, web.url, sessions, folder);
    await takeScreens(browser, folder);
  } finally {
    await browser.close();
    await web.close();
    await playerBackend.close();
    await stack.close();
  }
}

async function take(browser: Browser, shot: Shot, webUrl: string, sessions: Sessions, folder: string) {
  const { name, screen, colorScheme, arrange } = shot;
  const context = await browser.newContext({ viewport: screen, colorScheme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  await arrange(page, webUrl, sessions);
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path });
  await context.close();
  console.log(`${name}.png`);
}

/** The stories behind the pictures: they take some 12 s. */
async function letDrop(stack: Stack): Promise<Sessions> {
  const player = async (connectionTimeoutSeconds: number) =>
    new Player(stack, await stack.control.startSession({ connectionTimeoutSeconds }));
  const [comesBack, neverComes, fails, waits] = await Promise.all([
    player(30),
    player(6),
    player(3),
    player(120),
  ]);
  const { streamSessionId } = comesBack.session;
  await neverComes.drops();
  await comesBack.drops();
  await seconds(1);
  // The first answer is not used, so the window looks, and the service is busy when it does.
  for (const kind of ['throttling', 'internalServer'] as const) {
    await stack.control.injectFault({ kind, operation: 'GetStreamSession', streamSessionId });
  }
  // Nobody knows this session any more, which ends its window red.
  await fails.drops();
  await stack.control.injectFault({
    kind: 'resourceNotFound',
    operation: 'GetStreamSession',
    streamSessionId: fails.session.streamSessionId,
  });
  await comesBack.asksToReconnect();
  await seconds(4);
  await comesBack.connects(await comesBack.asksToReconnect());
  await seconds(6);
  await waits.drops();
  await seconds(2);
  for (const each of [comesBack, neverComes, fails, waits]) each.close();
  return {
    comesBack: streamSessionId,
    neverComes: neverComes.session.streamSessionId,
    waits: waits.session.streamSessionId,
  };
}

function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1000));
}

const options = {
  out: { type: 'string', default: 'docs/images' },
  screens: { type: 'boolean', default: false },
} as const;
await runCommand({ usage, options, run: main });
