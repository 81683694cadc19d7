import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  GameLiftStreamsClient,
  ListStreamGroupsCommand,
  ListTagsForResourceCommand,
} from '@aws-sdk/client-gameliftstreams';
import { SFNClient } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { VirtualClock } from 'local-server-kit';
import { describe, expect, it } from 'vitest';
import { recordOutcome } from '../../functions/record-outcome/record-outcome.ts';
import { bindClientToken } from '../../functions/request-connection/offer.ts';
import { ownerHashOf, rememberOwner } from '../../functions/shared/api/check-user-id.ts';
import { ITEM_BOUNDS } from '../../functions/shared/contracts/table-keys.ts';
import { counterIn, drawNumber, readLine } from '../../functions/shared/quota/line.ts';
import { slowDown, takePermit } from '../../functions/shared/quota/permits.ts';
import {
  offerIdOf,
  offersWith,
  readPlace,
  writeLossRefusal,
  writePlace,
} from '../../functions/shared/quota/places.ts';
import { writeSwitchItem } from '../../functions/shared/runtime/switch.ts';
import type { Table } from '../../functions/shared/runtime/table.ts';
import { writeDrain } from '../../functions/shared/window/drain.ts';
import { markEnd } from '../../functions/shared/window/end-mark.ts';
import { registerTaskToken, signalWindow } from '../../functions/shared/window/mailbox.ts';
import {
  claimList,
  rememberGroup,
  waitingNameOf,
  writeWaitingList,
} from '../../functions/shared/window/waiting-sessions.ts';
import { streamGroupsToWatch } from '../../functions/watch-sessions/stream-groups.ts';
import { MemoryItems } from '../../local/dynamodb/memory-items.ts';
import { largestItems } from '../../local/simulation/largest-items.ts';
import { sendThrough } from '../../local/simulation/send-through.ts';
import { memoryLog } from '../helpers/log.ts';
import { memoryMetrics } from '../helpers/metrics.ts';
import { BUS_SETTINGS, givenOpenWindow, OUTCOME_RETENTION_DAYS } from '../helpers/windows.ts';

const NOW_MS = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;
/** Four deadlines for each width of a bucket, up to an hour: every bucket that there can be. */
const TIMES_LEFT_MS = [2, 6, 18, 54, 162, 300].flatMap((width) =>
  [4.1, 6, 8, 11.9].map((share) => width * share * 1000),
);
const session = { streamGroupId: 'g'.repeat(128), streamSessionId: 's'.repeat(128) };
const operation = 'CreateStreamSessionConnection';
/** Of the characters that count as one, these take the most bytes. */
const LONGEST_REASON = '€'.repeat(256);
const LONGEST_APPLICATION = 'arn:aws:gameliftstreams:us-west-2:111122223333:application/'.padEnd(128, 'a');

const stepFunctions = new SFNClient({ region: 'us-west-2' });
mockClient(stepFunctions).resolves({});
const eventBridge = new EventBridgeClient({ region: 'us-west-2' });
mockClient(eventBridge)
  .on(PutEventsCommand)
  .resolves({ FailedEntryCount: 0, Entries: [{ EventId: 'event' }] });

function openedWindow(table: Table) {
  return givenOpenWindow(table, session, {
    disconnectedAtMs: NOW_MS,
    connectionTimeoutSeconds: 3600,
    sessionEndsAtMs: NOW_MS + HOUR_MS,
  });
}

/** Writes the items of each kind as an hour with a client, a feed and an operator who never stop would. */
const FILL: Readonly<Record<string, (table: Table) => Promise<unknown>>> = {
  async line(table) {
    for (let nowMs = NOW_MS; nowMs < NOW_MS + 120_000; nowMs += 2000) {
      for (const leftMs of TIMES_LEFT_MS) {
        for (const rank of ['CONFIRMED', 'REPORTED', 'UNKNOWN'] as const) {
          const seen = await readLine(table, operation);
          const removable = { overBeforeMs: nowMs };
          const counter = counterIn(seen, { deadlineMs: nowMs + leftMs, nowMs, rank }, removable);
          if (counter !== undefined) await drawNumber(table, operation, { counter, seen, ...removable });
        }
      }
    }
  },
  async permit(table) {
    const clock = new VirtualClock(NOW_MS);
    const at = (nowMs: number) => ({
      table,
      clock: Object.assign(Object.create(clock), { nowMs: () => nowMs }),
    });
    for (let second = 0; second < 600; second++) {
      const nowMs = NOW_MS + second * 997;
      await slowDown({ operation, perSecond: 7 }, at(nowMs));
      await takePermit({ operation, perSecond: 7, latestMs: nowMs }, at(nowMs));
    }
    // A caller whose clock is behind doubts the booking.
    await takePermit({ operation, perSecond: 7, latestMs: 0 }, at(NOW_MS));
  },
  async window(table) {
    const { generation } = await openedWindow(table);
    const dependencies = { table, stepFunctions, log: memoryLog() };
    const registration = { taskToken: 't'.repeat(2048), generation, phase: 'AWAITING_CLIENT' } as const;
    const times = { deadlineMs: NOW_MS + HOUR_MS, pendingSinceMs: NOW_MS, seenWaitingAtMs: NOW_MS };
    const order = { ackSeq: 0, waitNumber: 900, retryCount: 900, serviceChecks: 900 };
    await registerTaskToken(session, { ...registration, ...times, ...order }, dependencies);
    for (let second = 0; second < 500; second++) {
      const connection = { createdAtMs: NOW_MS + second * 1000, attempts: 1 };
      await signalWindow(session, { id: `${second}`.padStart(80, '-'), connection }, dependencies);
    }
  },
  async place(table) {
    for (let second = 0; second < 600; second++) {
      const seen = await readPlace(table, session);
      await writePlace(table, session, seen, {
        ...offersWith(seen, offerIdOf(`offer ${second}`)),
        askedAtMs: NOW_MS + second * 1000,
        deadlineMs: NOW_MS + HOUR_MS,
        lineCounter: 'F12345678',
        lineNumber: 10_000,
        listedAtMs: NOW_MS + second * 1000,
        windowEndedAtMs: NOW_MS + second * 1000,
      });
    }
    await writeLossRefusal(table, session, { firstAskedAtMs: NOW_MS, lastRefusedAtMs: NOW_MS });
  },
  'client-token': (table) =>
    bindClientToken(table, session, {
      clientToken: 't'.repeat(128),
      signalRequest: 'offer',
      nowMs: NOW_MS,
      caller: 'arn:aws:iam::111122223333:user/jo',
    }),
  end: (table) => markEnd(table, session, { endedBy: 'OPERATOR', nowMs: NOW_MS }),
  async outcome(table) {
    const { generation } = await openedWindow(table);
    const input = { executionName: 'n'.repeat(80), generation, ackSeq: 0, disconnectedAtMs: NOW_MS };
    const end = { outcome: 'NOT_DISCONNECTED', status: 'TERMINATED', statusReason: LONGEST_REASON } as const;
    const story = { applicationArn: LONGEST_APPLICATION, location: 'l'.repeat(64) };
    await recordOutcome(
      { ...session, ...input, ...end, ...story, endedAtMs: NOW_MS + HOUR_MS, connectionAttempts: 3600 },
      {
        table,
        eventBridge,
        clock: new VirtualClock(NOW_MS),
        log: memoryLog(),
        metrics: memoryMetrics(),
        settings: { ...BUS_SETTINGS, OUTCOME_RETENTION_DAYS },
      },
    );
  },
  owner: (table) => rememberOwner(table, session, ownerHashOf(session, 'u'.repeat(1024)), NOW_MS),
  async waiting(table) {
    const names = new Set(Array.from({ length: 10_000 }, (_, index) => waitingNameOf(`session${index}`)));
    const list = { listedAtMs: NOW_MS, names, isComplete: true, nextAtMs: NOW_MS + 500 };
    await writeWaitingList(table, session.streamGroupId, list);
    await claimList(table, session.streamGroupId, NOW_MS + 500, 500);
    await rememberGroup(table, session.streamGroupId, NOW_MS, 100_000);
  },
  'stream-groups': fillStreamGroups,
  'tag-matches': fillStreamGroups,
  drain: (table) => writeDrain(table, session.streamGroupId, { endsAtMs: 9e15, nowMs: 9e15 }),
  switch: (table) =>
    writeSwitchItem(table, {
      state: 'passThrough',
      changedAt: new Date(NOW_MS).toISOString(),
      reason: LONGEST_REASON,
    }),
};

/** Finds as many stream groups as an account may have, with ids as long as they may be. */
async function fillStreamGroups(table: Table) {
  const clock = new VirtualClock(NOW_MS);
  const gameLiftStreams = new GameLiftStreamsClient({ region: 'us-west-2' });
  const all = Array.from({ length: 10_000 }, (_, index) => `${index}`.padStart(128, 'g'));
  mockClient(gameLiftStreams)
    .on(ListStreamGroupsCommand)
    .callsFake(({ NextToken = '0' }) => ({
      Items: all.slice(Number(NextToken), Number(NextToken) + 100).map((id) => ({
        Arn: `arn:aws:gameliftstreams:us-west-2:123456789012:streamgroup/${id}`,
        Status: 'ACTIVE',
      })),
      ...(Number(NextToken) < 9900 && { NextToken: String(Number(NextToken) + 100) }),
    }))
    .on(ListTagsForResourceCommand)
    .resolves({ Tags: { reconnect: 'yes' } });
  const settings = {
    WATCHED_STREAM_GROUPS: { key: 'reconnect', value: 'yes' },
    WATCH_INTERVAL_SECONDS: 60,
    LISTS_PER_SECOND: 1000,
    STREAM_GROUP_CALLS_PER_SECOND: 100_000,
  };
  const surroundings = { table, clock, gameLiftStreams, log: memoryLog(), metrics: memoryMetrics() };
  const dependencies = { ...surroundings, settings, random: () => 0 };
  const groupsToWatch = streamGroupsToWatch(settings, NOW_MS + HOUR_MS);
  // Calls take no time here, so one look is enough for all of them.
  const looking = clock.track(() => groupsToWatch(dependencies));
  await clock.advance(60_000);
  await looking;
}

describe('an item', () => {
  it('has a bound whatever its kind', () => {
    expect(Object.keys(FILL)).toEqual(Object.keys(ITEM_BOUNDS));
  });

  it.each(Object.entries(FILL))('of the kind %s stays within its bound, however full', async (kind, fill) => {
    const { largestBytes, onWrite } = largestItems();
    const items = new MemoryItems({ onWrite });
    const documents = sendThrough(
      DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'us-west-2' })),
      async (command, input) => items.answer(command, input),
    );

    await fill({ documents, name: 'Table' });

    const bound = ITEM_BOUNDS[kind] ?? 0;
    expect(largestBytes[kind]).toBeLessThanOrEqual(bound);
    // The item is as full as it gets, so a larger bound would be looser than it need be.
    expect(largestBytes[kind]).toBeGreaterThan(bound / 2);
  });
});
