import { PutCommand } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { anOffer } from 'game-lift-streams-local';
import { describe, expect, it } from 'vitest';
import { SWITCH_KEY, sessionPartition, windowKey } from '../../functions/shared/contracts/table-keys.ts';
import { offerIdOf } from '../../functions/shared/quota/places.ts';
import { VALID_CLIENT_TOKEN } from '../../local/simulation/offers.ts';
import { apiEvent } from '../helpers/lambda.ts';
import { narrowBucket } from '../helpers/line.ts';
import { startWorkflow } from '../helpers/workflow.ts';
import { MARKER, nearly } from './arbitraries.ts';
import { FUZZ_TIMEOUT_MS, runs } from './runs.ts';
import { watchOutput, watchPrototypes } from './watch.ts';

watchPrototypes();

const session = { streamGroupId: 'sg-local0001', streamSessionId: 'ABC123def4567' };
const NOW_MS = Date.UTC(2026, 0, 1);
const pathParameters = {
  Identifier: session.streamGroupId,
  StreamSessionIdentifier: session.streamSessionId,
};
const OPERATION = 'CreateStreamSessionConnection';
const { counter: COUNTER } = narrowBucket(NOW_MS + 120_000);
const FORMER_BUCKET = (NOW_MS + 120_000) / 2000;

const WINDOW = {
  generation: 1,
  phase: 'AWAITING_RECONNECTION',
  executionInput: '{}',
  running: true,
  disconnectedAtMs: NOW_MS,
  deadlineMs: NOW_MS + 120_000,
  connectionTimeoutSeconds: 120,
  seq: 0,
  deliveredSeq: 0,
  connectionCreatedAtMs: 0,
  connectionAttempts: 0,
};
const PLACE = {
  revision: 1,
  knownOffers: new Set([offerIdOf(VALID_CLIENT_TOKEN)]),
  latestOffer: offerIdOf(VALID_CLIENT_TOKEN),
  askedAtMs: NOW_MS,
  deadlineMs: NOW_MS + 120_000,
  lineCounter: COUNTER,
  lineBucket: FORMER_BUCKET,
  lineNumber: 0,
};
const PERMIT = { bookedUntilMs: NOW_MS, slowedTo: 1, slowedAtMs: NOW_MS };

const look = { functionKey: 'getWindow', body: null };
const request = {
  functionKey: 'requestConnection',
  body: JSON.stringify({ SignalRequest: anOffer(), ClientToken: VALID_CLIENT_TOKEN }),
};

/** Each kind of item that a call of the API reads, and a call that reads it. */
const ITEMS = [
  ['window', look, windowKey(session), WINDOW],
  ['window of a request', request, windowKey(session), WINDOW],
  ['place in line', request, { pk: sessionPartition(session), sk: 'place' }, PLACE],
  [
    'line',
    request,
    { pk: `line#${OPERATION}`, sk: 'line' },
    { [COUNTER]: 10_000_000, [`drawn${FORMER_BUCKET}`]: 1, [`served${FORMER_BUCKET}`]: 0 },
  ],
  ['permit', request, { pk: `permit#${OPERATION}`, sk: 'permit' }, PERMIT],
  ['switch', request, SWITCH_KEY, { state: 'on', changedAt: '2026-01-01T00:00:00.000Z', reason: 'test' }],
] as const;

describe.each(ITEMS)('an item of the table that nobody here has written: %s', (_kind, call, key, item) => {
  it(
    'is read, or fails with a 500 that says nothing, in bounded time',
    async () => {
      const { table, clock, invoke, inTime } = await startWorkflow();
      await fc.assert(
        fc.asyncProperty(nearly(item), async (changed) => {
          const assertOutput = watchOutput();
          const Item = { ...Object(changed), ...key };
          const isStored = await table.documents.send(new PutCommand({ TableName: table.name, Item })).then(
            () => true,
            () => false,
          );
          fc.pre(isStored);
          // The switch is remembered for five seconds.
          await clock.advance(6000);
          const startMs = clock.nowMs();

          const event = apiEvent({ pathParameters, body: call.body });
          const result = await inTime(() => invoke(call.functionKey, event));

          expect(result.ok).toBe(true);
          expect(JSON.stringify(result)).toMatch(/"statusCode":(200|404|409|429|500|503)/);
          expect(JSON.stringify(result)).not.toMatch(new RegExp(`"statusCode":500.*${MARKER}`));
          expect(clock.nowMs() - startMs).toBeLessThanOrEqual(29_000);
          assertOutput();
        }),
        runs(30),
      );
    },
    FUZZ_TIMEOUT_MS,
  );
});
