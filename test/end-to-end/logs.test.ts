import { CreateStreamSessionConnectionCommand, GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import { anOffer } from 'game-lift-streams-local';
import { LOCAL_CREDENTIALS } from 'local-server-kit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { METRICS } from '../../functions/shared/runtime/metrics.ts';
import { Player } from '../../local/demo/player.ts';
import { type LocalStack, startLocalStack } from '../../local/local-stack.ts';
import { builtService } from '../helpers/built-service.ts';
import { secretsIn } from '../helpers/secrets.ts';

let stack: LocalStack;
const lines: string[] = [];

beforeAll(async () => {
  stack = await startLocalStack({
    onProgress: () => {},
    built: await builtService(),
    onLog: (_functionName, line) => lines.push(line),
  });
}, 60_000);

afterAll(() => stack.close());

/** Waits for a log line, which the built bundle writes when it gets there; the test's timeout is the bound. */
async function logged(text: string): Promise<void> {
  while (!lines.some((line) => line.includes(text))) await new Promise((resolve) => setTimeout(resolve, 20));
}

it('the deployed bundles log no offer, answer or token, and on every line which session and execution', async () => {
  const session = await stack.control.startSession({ connectionTimeoutSeconds: 120 });
  const { streamGroupId, streamSessionId } = session;
  const player = new Player(stack, session);
  const api = new GameLiftStreamsClient({
    region: stack.service.region,
    credentials: LOCAL_CREDENTIALS,
    endpoint: stack.endpoints.api,
    maxAttempts: 1,
  });
  const operation = 'CreateStreamSessionConnection';
  for (const kind of ['throttling', 'conflict', 'internalServer'] as const) {
    await stack.control.injectFault({ kind, operation, streamSessionId });
  }
  const offer = anOffer();
  const clientToken = 'a-token-of-the-caller'.padEnd(64, 'x');

  await player.drops();
  await logged('TaskTokenRegistered');
  const { SignalResponse: answer = '' } = await api.send(
    new CreateStreamSessionConnectionCommand({
      Identifier: streamGroupId,
      StreamSessionIdentifier: streamSessionId,
      SignalRequest: offer,
      ClientToken: clientToken,
    }),
  );
  await player.connects(answer);
  await logged('OutcomeRecorded');
  // Metrics are written when the invocation ends.
  await logged('"WindowsReconnected"');
  api.destroy();
  player.close();

  const text = lines.join('\n');
  for (const secret of [...secretsIn(offer), ...secretsIn(answer), clientToken]) {
    expect(text).not.toContain(secret);
    expect(text).not.toContain(JSON.stringify(secret).slice(1, -1));
  }
  const documents: Record<string, unknown>[] = lines.map((line) => JSON.parse(line));
  const metrics = documents.filter((document) => '_aws' in document);
  const members = new Set(['_aws', 'service', 'operation', 'application', ...Object.keys(METRICS)]);
  for (const document of metrics)
    expect(Object.keys(document).filter((key) => !members.has(key))).toEqual([]);
  expect(metrics).toContainEqual(expect.objectContaining({ WindowsReconnected: 1 }));
  expect(JSON.stringify(metrics)).not.toContain(streamSessionId);
  for (const entry of documents.filter((document) => !metrics.includes(document))) {
    const line = JSON.stringify(entry);
    expect(entry, line).toMatchObject({ streamSessionId });
    // Before there is a window, no execution has a name.
    if (!['WindowSignalled', 'DisconnectNoticed'].includes(String(entry['message'])))
      expect(entry['executionName'], line).toContain(streamSessionId);
  }
  expect(lines.filter((line) => line.includes('"TaskFailed"')).length).toBe(3);
}, 60_000);
