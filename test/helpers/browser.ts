import axe from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import { ChromiumMissingError, chromiumPath, launchChromium } from '../../scripts/chromium.ts';

const LAPTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

export interface PageOptions {
  readonly on?: 'laptop' | 'phone';
  readonly colorScheme?: 'light' | 'dark';
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
  describe.skipIf(path === undefined)(title, () => {
    let browser: Browser;
    const contexts: BrowserContext[] = [];
    let problems: string[] = [];

    beforeAll(async () => {
      browser = await launchChromium(path ?? '', chromiumArguments);
    }, 60_000);

    afterEach(async () => {
      for (const context of contexts.splice(0)) await context.close();
      const found = problems;
      problems = [];
      expect(found).toEqual([]);
    });

    afterAll(() => browser.close());

    tests(async (url, { on = 'laptop', colorScheme = 'light' } = {}) => {
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
      const page = await context.newPage();
      page.setDefaultTimeout(10_000);
      await page.goto(url);
      return page;
    });
  });
}

/** What axe-core finds against WCAG 2.2 A and AA and its own best practices, one line for each violation. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const results = await page.evaluate<{ violations: axe.Result[] }>('axe.run(document)');
  return results.violations.flatMap(({ id, help, nodes }) =>
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
