import type { Page } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { startWebServer } from '../../local/web/server.ts';
import { accessibilityProblems, describeInBrowser, sidewaysOverflow } from '../helpers/browser.ts';
import { startWorkflow } from '../helpers/workflow.ts';

const SECOND = 1000;

/** The service on time that moves when told to, and its console. */
async function startConsole() {
  const workflow = await startWorkflow({ adapter: 'loopback' });
  const web = await startWebServer({ port: 0, endpoints: workflow.endpoints });
  onTestFinished(() => web.close());
  const { clock, control } = workflow;
  const drops = async (connectionTimeoutSeconds: number) => {
    const session = await workflow.session({ connectionTimeoutSeconds });
    await control.clientDrops(session.streamSessionId);
    await workflow.report(session);
    return session;
  };
  return {
    ...workflow,
    web,
    drops,
    /** A player who comes back, while the service throttles the first read. */
    comesBack: async () => {
      const session = await drops(60);
      const { streamSessionId } = session;
      await control.injectFault({ kind: 'throttling', operation: 'GetStreamSession', streamSessionId });
      const answer = await workflow.reconnect(session);
      await control.clientConnects(streamSessionId, answer);
      await clock.advance(30 * SECOND);
      return session;
    },
  };
}

/** The names in the list, from the top. */
function names(page: Page): Promise<string[]> {
  return page.getByRole('table').getByRole('rowheader').allTextContents();
}

async function openExecution(page: Page, name: string): Promise<void> {
  await page.getByRole('link', { name }).click();
  await page.getByRole('heading', { name: 'States' }).waitFor();
  await page.getByRole('button', { name: /^OpenWindow/ }).waitFor();
}

/** A state in the graph, by its beginning: what follows is how it stands. */
function stateBox(page: Page, name: string) {
  return page.getByRole('button', { name: new RegExp(`^${name}`) });
}

describeInBrowser('the console', (openPage) => {
  it('lists executions live, by status and by session id', async () => {
    const { web, drops, clock } = await startConsole();
    const ended = await drops(5);
    await clock.advance(10 * SECOND);
    const waits = await drops(600);
    const page = await openPage(web.url, { nowMs: clock.nowMs() });
    await page.getByRole('link', { name: waits.streamSessionId }).waitFor();
    expect(await names(page)).toEqual([`${waits.streamSessionId}-1`, `${ended.streamSessionId}-1`]);

    await page.getByLabel('Status').selectOption('Succeeded');
    await page.getByRole('link', { name: waits.streamSessionId }).waitFor({ state: 'detached' });
    expect(await names(page)).toEqual([`${ended.streamSessionId}-1`]);

    await page.getByLabel('Status').selectOption('All');
    await page.getByLabel('Search by session id').fill(waits.streamSessionId);
    await page.getByText('1 of 2').waitFor();
    expect(await names(page)).toEqual([`${waits.streamSessionId}-1`]);

    await page.getByLabel('Search by session id').fill('');
    const another = await drops(600);
    await page.getByRole('link', { name: another.streamSessionId }).waitFor();
    expect(await names(page)).toHaveLength(3);
  });

  it('shows outcome and cause of each execution, and lists those with one of them', async () => {
    const { web, drops, comesBack, clock } = await startConsole();
    const lost = await drops(5);
    await clock.advance(10 * SECOND);
    const back = await comesBack();
    const waits = await drops(600);
    const page = await openPage(web.url, { nowMs: clock.nowMs() });
    const row = (session: { streamSessionId: string }) =>
      page.getByRole('row').filter({ hasText: session.streamSessionId });
    await row(lost).getByText('TIMED_OUT').waitFor();
    expect(await row(lost).textContent()).toContain('TERMINATED');
    expect(await row(back).textContent()).toContain('RECONNECTED');
    expect(await row(waits).textContent()).toContain('none');

    await page.getByLabel('Cause').selectOption('TIMED_OUT');
    await page.getByText('1 of 3').waitFor();
    expect(await names(page)).toEqual([`${lost.streamSessionId}-1`]);

    await page.getByLabel('Outcome').selectOption('RECONNECTED');
    await page.getByText('No execution that is listed has this outcome and cause.').waitFor();
    await page.getByLabel('Cause').selectOption('All');
    await page.getByRole('link', { name: back.streamSessionId }).click();
    await page.getByRole('heading', { level: 1, name: back.streamSessionId }).waitFor();
    await page.locator('.row .window-end', { hasText: 'RECONNECTED' }).waitFor();
  });

  it('shows the path of a player who came back, each event, and the waits of retries', async () => {
    const { web, comesBack } = await startConsole();
    const { streamSessionId } = await comesBack();
    const page = await openPage(web.url);

    await openExecution(page, streamSessionId);

    expect(await stateBox(page, 'Reconnected').textContent()).toContain('Succeeded');
    expect(await stateBox(page, 'AwaitClient').textContent()).toContain('Caught error');
    expect(await stateBox(page, 'CheckSession').textContent()).toContain('1 retry');
    expect(await stateBox(page, 'RecordFailure').textContent()).toBe('RecordFailureTask');
    const isTaken = (way: string) => page.locator(`[data-id="${way}"] .way.taken`).count();
    expect(await isTaken('catch AwaitClient CheckSession')).toBeGreaterThan(0);
    expect(await isTaken('flow AwaitReconnection WasConnectionCreated')).toBeGreaterThan(0);
    expect(await isTaken('flow DecideByStatus RecordFailure')).toBe(0);

    await stateBox(page, 'CheckSession').press('Enter');
    const panel = page.getByRole('region', { name: 'CheckSession', exact: true });
    await panel.getByText(/^Retry waited/).waitFor();
    // The list of where the state leads names the error, too.
    const attempts = panel.getByRole('region', { name: 'Attempts' });
    expect(await attempts.getByText('ThrottlingException', { exact: true }).count()).toBe(1);

    await page.getByRole('button', { name: 'Table view' }).click();
    const steps = await page
      .getByRole('table', { name: 'States in the order' })
      .getByRole('rowheader')
      .allInnerTexts();
    expect(steps.map((text) => text.split('\n')[0])).toEqual([
      'OpenWindow',
      'LookAtOnce',
      'AwaitReconnection',
      'WasConnectionCreated',
      'AwaitClient',
      'CheckSession',
      'DecideByStatus',
      'RecordOutcome',
      'WhichOutcome',
      'Reconnected',
    ]);

    const events = page.getByRole('table', { name: 'Event history' });

    expect(await events.getByText(/^Retry of CheckSession waited/).count()).toBe(1);
    const failed = events.getByRole('button', { name: 'TaskFailed' });
    expect(await failed.getAttribute('aria-expanded')).toBe('false');
    await failed.click();

    const detail = events.getByRole('region', { name: /^Details of event/ });
    expect(JSON.parse((await detail.textContent()) ?? '')).toMatchObject({ error: 'ThrottlingException' });
    await events.getByRole('button', { name: 'ExecutionStarted' }).click();
    const input = JSON.parse(
      (await events.getByRole('region', { name: 'Input of event 1' }).textContent()) ?? '',
    );
    expect(input).toMatchObject({ streamSessionId, generation: 1 });
  });

  it('shows how it ends when nobody comes back, and when the session is unknown', async () => {
    const { web, clock, drops, report } = await startConsole();
    const lost = await drops(5);
    await report({ ...lost, streamSessionId: 'unknown12345' }, { connectionTimeoutSeconds: 5 });
    await clock.advance(30 * SECOND);
    const page = await openPage(web.url);

    await openExecution(page, lost.streamSessionId);
    expect(await stateBox(page, 'AwaitReconnection').textContent()).toContain('Caught error');
    expect(await stateBox(page, 'TimedOut').textContent()).toContain('Succeeded');
    const output = page.getByRole('region', { name: 'Execution output' });
    expect(await output.textContent()).toContain('reconnectionTimeout');

    await page.getByRole('link', { name: 'Executions' }).click();
    await openExecution(page, 'unknown12345-1');
    expect(await stateBox(page, 'WindowFailed').textContent()).toContain('Failed');
    expect(await page.getByText('SessionNotFound').count()).toBeGreaterThan(0);
  });

  it('counts the open window down, begins anew with an answer, and stops an execution when told twice', async () => {
    const { web, clock, drops, reconnect } = await startConsole();
    const session = await drops(300);
    const page = await openPage(web.url, { nowMs: clock.nowMs() });
    await openExecution(page, session.streamSessionId);
    const timer = page.getByRole('timer', { name: 'Time left' });

    // The page counts real seconds until the clock is moved below: a slow machine shows 4:48 here.
    expect(await timer.textContent()).toMatch(/^4:[0-5]\d$/);
    const said = page.getByText('Time left in the reconnection window: less than 300 seconds');
    expect(await said.getAttribute('aria-live')).toBe('polite');
    await page.clock.fastForward(100 * SECOND);
    await expect.poll(() => timer.textContent()).toMatch(/^[23]:[0-5]\d$/);

    await reconnect(session);
    await clock.idle();
    await page.getByText('The player has an answer').waitFor();
    await expect.poll(() => stateBox(page, 'AwaitClient').textContent()).toContain('In progress');

    await page.getByRole('button', { name: 'Stop execution' }).click();
    await page.getByRole('button', { name: 'Keep it running' }).click();
    expect(await page.getByText('Running', { exact: true }).count()).toBe(1);
    await page.getByRole('button', { name: 'Stop execution' }).click();
    await page.getByLabel('Cause, optional').fill('Just to see');
    await page.getByRole('button', { name: 'Stop', exact: true }).click();

    await page.getByText('Just to see').first().waitFor();
    await expect.poll(() => stateBox(page, 'AwaitClient').textContent()).toContain('Aborted');
    expect(await timer.count()).toBe(0);
  });

  it('says why Express executions are not there, and shows their machine', async () => {
    const { web } = await startConsole();
    const page = await openPage(web.url);

    await page.getByRole('link', { name: /create-connection/ }).click();

    await page.getByText('Express executions are not listed.').waitFor();
    await page.getByRole('figure', { name: 'State machine graph' }).getByText('SignalWindow').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  it('can be used by everybody, on a laptop and a phone, light and dark', async () => {
    const { web, comesBack, drops } = await startConsole();
    const { streamSessionId } = await comesBack();
    await drops(600);
    const screens = [
      ['laptop', 'light'],
      ['phone', 'dark'],
    ] as const;
    for (const [on, colorScheme] of screens) {
      const page = await openPage(web.url, { on, colorScheme });
      await page.getByRole('link', { name: streamSessionId }).waitFor();
      const where = `${on}, ${colorScheme}`;
      expect([where, 'list', await accessibilityProblems(page)]).toEqual([where, 'list', []]);
      expect([where, await sidewaysOverflow(page)]).toEqual([where, 0]);

      await openExecution(page, streamSessionId);
      await page.getByRole('button', { name: 'TaskFailed' }).click();
      expect([where, 'graph', await accessibilityProblems(page)]).toEqual([where, 'graph', []]);
      await page.getByRole('button', { name: 'Table view' }).click();
      expect([where, 'table', await accessibilityProblems(page)]).toEqual([where, 'table', []]);
      expect([where, await sidewaysOverflow(page)]).toEqual([where, 0]);
    }
  });

  it('says when the stack has gone', async () => {
    const { web } = await startConsole();
    const page = await openPage(web.url);
    await page.getByText('No session has been disconnected yet.').waitFor();
    await page.route('**/step-functions', (route) => route.fulfill({ status: 200, body: 'no JSON' }));

    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toContain('Is npm start still running?');
  });
});
