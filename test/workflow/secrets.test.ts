import { anOffer } from 'game-lift-streams-local';
import { expect, it } from 'vitest';
import { secretsIn } from '../helpers/secrets.ts';
import { startWorkflow } from '../helpers/workflow.ts';

it('the offers and answers of a whole run are in no table item, no event and no window history', async () => {
  const { clock, control, report, reconnect, items, events, executions, history, ...run } =
    await startWorkflow({ adapter: 'loopback' });
  const session = await run.session({ connectionTimeoutSeconds: 20 });
  const { streamSessionId } = session;
  await control.clientDrops(streamSessionId);
  await report(session);
  const clientToken = 'a-token-of-the-caller'.padEnd(64, 'x');
  const offers = [anOffer(), anOffer()];
  await control.injectFault({
    kind: 'conflict',
    operation: 'CreateStreamSessionConnection',
    streamSessionId,
  });
  const first = await reconnect(session, { offer: offers[0] ?? '', clientToken });
  const second = await reconnect(session, { offer: offers[1] ?? '' });
  await control.clientConnects(streamSessionId, second);
  await clock.advance(30_000);

  const rested: unknown[] = [await items(), await events()];
  for (const { executionArn } of await executions()) rested.push(await history(executionArn));
  const text = JSON.stringify(rested);

  expect(text).toContain(streamSessionId);
  expect(text).toContain('RECONNECTED');
  const secrets = [...offers, first, second].flatMap(secretsIn);
  expect(secrets.length).toBeGreaterThan(12);
  for (const secret of [...secrets, clientToken]) {
    // A history holds JSON inside JSON, so a secret could be there with its quotes escaped.
    expect(text).not.toContain(secret);
    expect(text).not.toContain(JSON.stringify(secret).slice(1, -1));
  }
});
