import fc from 'fast-check';
import { anOffer } from 'game-lift-streams-local';
import { type LoopbackReply, seededRandom, startLoopbackServer } from 'local-server-kit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { windowExecutionName } from '../../functions/shared/contracts/names.ts';
import { simulateFunctions } from '../../local/simulation/functions.ts';
import { VALID_CLIENT_TOKEN } from '../../local/simulation/offers.ts';
import { startWorkflow } from '../helpers/workflow.ts';
import { MARKER, nearlyText } from './arbitraries.ts';
import { FUZZ_TIMEOUT_MS, runs } from './runs.ts';
import { watchOutput, watchPrototypes } from './watch.ts';

watchPrototypes();

const session = { streamGroupId: 'sg-local0001', streamSessionId: 'ABC123def4567' };
const task = { ...session, executionName: windowExecutionName(session, 1) };
const NOW_MS = Date.UTC(2026, 0, 1);

const READ = {
  Arn: `arn:aws:gameliftstreams:us-west-2:123456789012:streamsession/sg-local0001/${session.streamSessionId}`,
  Status: 'PENDING_CLIENT_RECONNECTION',
  StatusReason: 'reconnectionTimeout',
  CreatedAt: NOW_MS / 1000,
  LastUpdatedAt: NOW_MS / 1000,
  ConnectionTimeoutSeconds: 120,
  SessionLengthSeconds: 43_200,
  UserId: 'player-1',
};

/** A message of the queue WatcherLooks, as Lambda hands it over. */
const ONE_LOOK = {
  Records: [
    {
      eventSource: 'aws:sqs',
      messageId: 'look',
      receiptHandle: 'look',
      body: JSON.stringify({ orderedAtMs: NOW_MS }),
      attributes: { SentTimestamp: String(NOW_MS) },
    },
  ],
};

/** What each function that calls the service gets from it when all is well. */
const CALLS: Readonly<Record<string, { readonly input: object; readonly reply: object }>> = {
  checkSession: {
    input: {
      ...task,
      pendingSinceMs: NOW_MS,
      connectionCreatedAtMs: 0,
      connectionTimeoutSeconds: 120,
      marginSeconds: 2,
    },
    reply: READ,
  },
  createConnection: {
    input: {
      ...task,
      signalRequest: anOffer(),
      clientToken: VALID_CLIENT_TOKEN,
      deadlineMs: NOW_MS + 1e12,
      retryCount: 0,
    },
    reply: { SignalResponse: '{"type":"answer","sdp":"v=0","webSdkProtocolUrl":"https://x.example/a.js"}' },
  },
  createAdminShell: {
    input: { ...task, deadlineMs: NOW_MS + 1e12 },
    reply: { SessionId: 'shell-1', StreamUrl: 'wss://x.example', TokenValue: 'token' },
  },
  terminateSession: {
    input: { ...task, pendingSinceMs: NOW_MS, marginSeconds: 2 },
    reply: { ...READ, LastUpdatedAt: (NOW_MS - 3_600_000) / 1000 },
  },
  watchSessions: { input: ONE_LOOK, reply: { Items: [READ], NextToken: 'next' } },
};

/** The status and the headers may be wrong as well. */
const repliesLike = (sample: object): fc.Arbitrary<LoopbackReply> =>
  fc.record({
    status: fc.oneof(
      { weight: 5, arbitrary: fc.constant(200) },
      {
        weight: 2,
        arbitrary: fc.constantFrom(201, 204, 301, 400, 403, 404, 409, 413, 418, 429, 500, 503, 599),
      },
    ),
    headers: fc.constantFrom<Record<string, string>>(
      { 'content-type': 'application/json' },
      { 'content-type': 'text/html', 'retry-after': MARKER },
      { 'x-amzn-errortype': MARKER },
      { 'x-amzn-errortype': 'ConflictException:http://internal.amazon.com/' },
      { 'x-amzn-errortype': '__proto__' },
      { 'x-amzn-errortype': 'ThrottlingException', 'retry-after': '1e9' },
    ),
    body: nearlyText(sample),
  });

async function start() {
  const workflow = await startWorkflow({ adapter: 'loopback' });
  const { service, endpoints, clock } = workflow;
  let replies: readonly LoopbackReply[] = [];
  let calls = 0;
  const amazon = await startLoopbackServer({
    port: 0,
    maxBodyBytes: 1_000_000,
    handle: async () => replies[calls++ % replies.length] ?? { status: 500 },
  });
  const host = simulateFunctions({
    service,
    endpoints: { ...endpoints, gameLiftStreams: amazon.url },
    clock,
    random: seededRandom(),
  });
  onTestFinished(async () => {
    await host.close();
    await amazon.close();
  });
  const nameOf = (key: string) => service.functions.find((fn) => fn.key === key)?.name ?? '';
  return {
    ...workflow,
    /** Invokes a function while the service gives these replies in turn. */
    async ask(key: string, input: object, given: readonly LoopbackReply[]) {
      replies = given;
      calls = 0;
      const startMs = clock.nowMs();
      const result = await workflow.inTime(() => host.invoke(nameOf(key), input));
      return { result, calls, tookMs: clock.nowMs() - startMs };
    },
  };
}

const HISTORY_ERRORS = /^(UnexpectedError|[A-Za-z]*Exception|WindowNotOpenError)$/;

describe.each(Object.entries(CALLS))('what the service replies to %s', (key, { input, reply }) => {
  it(
    'is taken, or becomes one of the known errors, in a bounded number of calls',
    async () => {
      const { ask } = await start();
      await fc.assert(
        fc.asyncProperty(fc.array(repliesLike(reply), { minLength: 1, maxLength: 3 }), async (replies) => {
          const assertOutput = watchOutput();

          const { result, calls, tookMs } = await ask(key, input, replies);

          if (!result.ok) {
            expect(result.failure.errorType).toMatch(HISTORY_ERRORS);
            expect(result.failure.errorMessage).not.toContain(MARKER);
          }
          // A status is told in the log: it is what an operator looks for when the service has a new one.
          if (key !== 'checkSession') assertOutput();
          expect(calls).toBeLessThan(500);
          expect(tookMs).toBeLessThanOrEqual(60_000);
        }),
        runs(key === 'watchSessions' ? 4 : 30),
      );
    },
    FUZZ_TIMEOUT_MS,
  );
});

it('a page that leads back to itself ends the listing', async () => {
  const { ask } = await start();
  const body = JSON.stringify({ Items: [], NextToken: 'the same' });

  const { result, calls, tookMs } = await ask('watchSessions', ONE_LOOK, [{ status: 200, body }]);

  expect(result).toMatchObject({ ok: true });
  expect(calls).toBeGreaterThan(1);
  expect(calls).toBeLessThan(500);
  expect(tookMs).toBeLessThanOrEqual(60_000);
});
