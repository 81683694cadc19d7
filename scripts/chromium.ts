import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const DEFAULT_CHROMIUM_PATH = '/usr/bin/chromium';

/** Nothing here needs the network, so everything in Chromium that looks for it by itself is off. */
const CHROMIUM_ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const LAUNCH_TIMEOUT_MS = 30_000;

export class ChromiumMissingError extends Error {
  override readonly name = 'ChromiumMissingError';
  constructor(path: string) {
    super(`No Chromium at ${path}. Install it (Debian: apt-get install chromium) or set CHROMIUM_PATH`);
  }
}

/**
 * The Chromium of this machine: CHROMIUM_PATH, else Debian's.
 *
 * @throws ChromiumMissingError when there is no such file.
 */
export function chromiumPath(environment: NodeJS.ProcessEnv): string {
  const path = environment['CHROMIUM_PATH'] || DEFAULT_CHROMIUM_PATH;
  if (!existsSync(path)) throw new ChromiumMissingError(path);
  return path;
}

/**
 * Starts the browser with a profile of its own, which is deleted when it is closed.
 *
 * @param more further arguments, such as what a page with a camera needs.
 * @throws playwright's errors when it does not start.
 */
export function launchChromium(executablePath: string, more: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [...CHROMIUM_ARGUMENTS, ...more],
    // As players have it: a page that is gone back to is the same page, with its connections closed.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
    timeout: LAUNCH_TIMEOUT_MS,
  });
}
