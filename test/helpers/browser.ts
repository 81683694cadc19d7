import axe from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import { ChromiumMissingError, chromiumPath, launchChromium } from '../../scripts/chromium.ts';

const LAPTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

/** A test takes about two seconds; a machine with other things to do may need many times that. */
const BROWSER_TIMEOUT_MS = 60_000;
const STEP_TIMEOUT_MS = 20_000;

export interface PageOptions {
  readonly on?: 'laptop' | 'phone';
  readonly colorScheme?: 'light' | 'dark';
  /** What time it is for the page, in epoch milliseconds; it goes on from there. The default is the real time. */
  readonly nowMs?: number;
}

/** Opens pages in one browser for the file. Each fails its test when it logs an error or asks another origin. */
export type OpenPage = (url: string, options?: PageOptions) => Promise<Page>;

/**
 * A file's tests in a real browser. Where there is none they are skipped, and what to install is printed.
 */
export function describeInBrowser(
  title: string,
  tests: (openPage: OpenPage) => void,
  chromiumArguments: readonly string[] = [],
): void {
  const { path, reason } = findChromium();
  if (path === undefined) {
    console.warn(`skipped: ${title}. ${reason}, to test the pages in a real browser`);
  }
  describe.skipIf(path === undefined)(title, { timeout: BROWSER_TIMEOUT_MS }, () => {
    let browser: Browser;
    const contexts: BrowserContext[] = [];
    let problems: string[] = [];

    beforeAll(async () => {
      browser = await launchChromium(path ?? '', chromiumArguments);
    }, BROWSER_TIMEOUT_MS);

    afterEach(async () => {
      for (const context of contexts.splice(0)) await context.close();
      const found = problems;
      problems = [];
      expect(found).toEqual([]);
    });

    afterAll(() => browser.close());

    tests(async (url, { on = 'laptop', colorScheme = 'light', nowMs } = {}) => {
      const context = await browser.newContext({
        viewport: on === 'phone' ? PHONE : LAPTOP,
        colorScheme,
        reducedMotion: 'reduce',
        ...(on === 'phone' && { hasTouch: true, isMobile: true }),
      });
      contexts.push(context);
      const { origin } = new URL(url);
      context.on('request', (request) => {
        if (new URL(request.url()).origin !== origin) problems.push(`asked for ${request.url()}`);
      });
      context.on('weberror', (error) => problems.push(String(error.error())));
      context.on('console', (message) => {
        if (message.type() === 'error') problems.push(message.text());
      });
      if (nowMs !== undefined) await context.clock.install({ time: nowMs });
      const page = await context.newPage();
      page.setDefaultTimeout(STEP_TIMEOUT_MS);
      await page.goto(url);
      return page;
    });
  });
}

/** What axe-core finds against WCAG 2.2 A and AA and its own best practices, one line for each violation. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate<axe.AxeResults>('axe.run(document)');
  // A page that has not been drawn has no problems either.
  expect(passes.map(({ id }) => id)).toContain('color-contrast');
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target.join(' ')} (${failureSummary})`),
  );
}

/** How far the page can be scrolled sideways, in CSS pixels: 0 when it fits its screen. */
export function sidewaysOverflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}

function findChromium(): { path?: string; reason?: string } {
  try {
    return { path: chromiumPath(process.env) };
  } catch (error) {
    if (!(error instanceof ChromiumMissingError)) throw error;
    return { reason: error.message };
  }
}
