import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ownerHashOf, rememberOwner } from '../../functions/shared/api/check-user-id.ts';
import type { SessionKey } from '../../functions/shared/contracts/index.ts';
import { itemKindOf } from '../../functions/shared/contracts/table-keys.ts';
import { slowDown, takePermit } from '../../functions/shared/quota/permits.ts';
import {
  markServed,
  offerIdOf,
  offersWith,
  readPlace,
  rememberNotFound,
  writeLossRefusal,
  writePlace,
} from '../../functions/shared/quota/places.ts';
import { writeSwitchItem } from '../../functions/shared/runtime/switch.ts';
import { writeDrain } from '../../functions/shared/window/drain.ts';
import { markEnd } from '../../functions/shared/window/end-mark.ts';
import {
  rememberGroup,
  waitingNameOf,
  writeWaitingList,
} from '../../functions/shared/window/waiting-sessions.ts';
import { streamGroupsToWatch } from '../../functions/watch-sessions/stream-groups.ts';
import { memoryLog } from '../helpers/log.ts';
import { memoryMetrics } from '../helpers/metrics.ts';
import { startWorkflow } from '../helpers/workflow.ts';

const folder = join(import.meta.dirname, 'in-flight');

const record = z.record(z.string(), z.unknown());

/**
 * What one version of the service leaves behind that another may meet: docs/safe-change.md says where. The members
 * are by what they are found under, so that two versions can be compared one by one.
 */
export const inFlightSchema = z.strictObject({
  /** Windows in the table, by phase. */
  windowItems: z.record(z.string(), record),
  /** One item of each kind that the table can hold, with every attribute that a reader may find. */
  items: z.record(z.string(), record).default({}),
  /** What tells a waiting execution of a signal, by kind. */
  signals: z.record(z.string(), record),
  /** Inputs of the Express machines, by machine. */
  expressInputs: z.record(z.string(), record),
  /** Green outputs of the Express machines, by machine and result. */
  expressOutputs: z.record(z.string(), record),
  /** Payloads of the machines' tasks, by function. */
  taskPayloads: z.record(z.string(), record),
});
export type InFlight = z.infer<typeof inFlightSchema>;

/** JSON has no sets, so they are written as DynamoDB writes them. */
const setSchema = z.strictObject({ SS: z.array(z.string()) });

function encodeSet(_name: string, value: unknown): unknown {
  return value instanceof Set ? { SS: [...value] } : value;
}

function decodeSet(_name: string, value: unknown): unknown {
  const set = setSchema.safeParse(value);
  return set.success ? new Set(set.data.SS) : value;
}

/** The committed samples, the oldest first. */
export function inFlightSamples(): { readonly name: string; readonly inFlight: InFlight }[] {
  return readdirSync(folder)
    .sort()
    .map((file) => {
      const text: unknown = JSON.parse(readFileSync(join(folder, file), 'utf8'), decodeSet);
      return { name: file.replace('.json', ''), inFlight: inFlightSchema.parse(text) };
    });
}

export function writeInFlightSample(name: string, inFlight: InFlight): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(inFlight, encodeSet, 2)}\n`);
}

/** Lets today's service run, on the local stack, and takes down what is in flight meanwhile. */
export async function todaysInFlight(): Promise<InFlight> {
  const taskPayloads: InFlight['taskPayloads'] = {};
  const workflow = await startWorkflow({
    before: (functionKey, payload) => {
      const task = record.safeParse(payload);
      // Tasks of a machine have its execution's name; events and requests have contracts of their own.
      if (task.success && 'executionName' in task.data) taskPayloads[functionKey] ??= task.data;
    },
  });
  const { clock, control } = workflow;
  const windowItems: InFlight['windowItems'] = {};
  const keepWindow = async (phase: string) => {
    const item = (await workflow.items()).find((candidate) => candidate['phase'] === phase);
    if (item === undefined) throw new Error(`No window is ${phase}.`);
    windowItems[phase] = item;
  };

  const session = await workflow.session({ connectionTimeoutSeconds: 60 });
  await control.clientDrops(session.streamSessionId);
  await workflow.report(session, { connectionTimeoutSeconds: undefined });
  await keepWindow('AWAITING_RECONNECTION');
  // A report that knows the timeout corrects the deadline.
  await clock.advance(1000);
  await workflow.report(session, { statusChangedAt: new Date(clock.nowMs() - 1000).toISOString() });
  const answer = await workflow.reconnect(session);
  await keepWindow('AWAITING_CLIENT');
  await control.clientConnects(session.streamSessionId, answer);
  await clock.advance(3000);
  await keepWindow('CLOSED');

  const other = await workflow.session({ connectionTimeoutSeconds: 60 });
  await control.clientDrops(other.streamSessionId);
  const outputOf = async (functionKey: string, changes: Readonly<Record<string, unknown>> = {}) => {
    const { streamGroupId, streamSessionId } = other;
    const deadlineMs = clock.nowMs() + 20_000;
    const payload = { ...taskPayloads[functionKey], streamGroupId, streamSessionId, deadlineMs, ...changes };
    const result = await workflow.inTime(() => workflow.invoke(functionKey, payload));
    if (!result.ok) throw new Error(`${functionKey} failed: ${result.failure.errorType}.`);
    return record.parse(result.payload);
  };
  const shellSession = await workflow.session();
  await workflow.askForShell(shellSession);
  const expressOutputs = {
    'create-connection CONNECTION_CREATED': await outputOf('createConnection', {
      clientToken: 'another-request'.padEnd(64, '0'),
    }),
    'create-connection NOT_FOUND': await outputOf('createConnection', { streamSessionId: 'nobody' }),
    'create-admin-shell ADMIN_SHELL_CREATED': await outputOf('createAdminShell', {
      streamSessionId: shellSession.streamSessionId,
    }),
    'create-admin-shell NOT_FOUND': await outputOf('createAdminShell', { streamSessionId: 'nobody' }),
  };

  return {
    windowItems,
    items: await itemsOfEachKind(workflow, other),
    signals: await signalsOf(workflow),
    expressInputs: {
      'create-connection': expressInputOf(taskPayloads['createConnection']),
      'create-admin-shell': expressInputOf(taskPayloads['createAdminShell']),
    },
    expressOutputs,
    taskPayloads,
  };
}

/** Adds to the table what takes a storm, an attack or an operator, and returns the fullest item of each kind. */
async function itemsOfEachKind(
  { table, clock, control, gameLiftStreams, inTime, items }: Awaited<ReturnType<typeof startWorkflow>>,
  session: SessionKey,
): Promise<InFlight['items']> {
  const nowMs = clock.nowMs();
  const quota = { operation: 'CreateStreamSessionConnection', perSecond: 20 } as const;
  await control.changeStreamGroup(session.streamGroupId, { tags: { reconnect: 'yes' } });
  const watcher = { table, clock, gameLiftStreams, log: memoryLog(), metrics: memoryMetrics() };
  const settings = {
    WATCHED_STREAM_GROUPS: { key: 'reconnect', value: 'yes' },
    WATCH_INTERVAL_SECONDS: 5,
    LISTS_PER_SECOND: 20,
    STREAM_GROUP_CALLS_PER_SECOND: 10,
  };
  await inTime(async () => {
    await streamGroupsToWatch(settings, nowMs + 60_000)({ ...watcher, settings, random: () => 0 });
    await slowDown(quota, { table, clock });
    await takePermit({ ...quota, latestMs: nowMs + 1000 }, { table, clock });
    const place = await readPlace(table, session);
    const offerId = offerIdOf('offer');
    await writePlace(table, session, place, {
      ...offersWith(place, offerId),
      askedAtMs: nowMs,
      deadlineMs: nowMs + 60_000,
      listedAtMs: nowMs,
      lineCounter: 'G12345',
      lineNumber: 3,
    });
    await markServed(table, session, offerId);
    await rememberNotFound(table, session, nowMs);
    await writeLossRefusal(table, session, { firstAskedAtMs: nowMs, lastRefusedAtMs: nowMs });
    await markEnd(table, session, { endedBy: 'LEFT', nowMs });
    await writeDrain(table, session.streamGroupId, { endsAtMs: nowMs + 600_000, nowMs });
    await rememberOwner(table, session, ownerHashOf(session, 'player'), nowMs);
    await writeWaitingList(table, session.streamGroupId, {
      listedAtMs: nowMs,
      names: new Set([waitingNameOf(session.streamSessionId)]),
      isComplete: true,
      nextAtMs: nowMs + 500,
    });
    await rememberGroup(table, session.streamGroupId, nowMs, 700);
    await writeSwitchItem(table, {
      state: 'on',
      changedAt: new Date(nowMs).toISOString(),
      reason: 'drill',
    });
  });
  const byKind: InFlight['items'] = {};
  const size = (item: object = {}) => Object.keys(item).length;
  for (const item of await items()) {
    const kind = itemKindOf({ sk: String(item['sk']) });
    if (size(item) > size(byKind[kind])) byKind[kind] = item;
  }
  return byKind;
}

/** What the machine was given, from what it gave its task: all but what it knows by itself. */
function expressInputOf(payload: Record<string, unknown> = {}): Record<string, unknown> {
  const { executionName: _, retryCount: __, ...input } = payload;
  return input;
}

async function signalsOf(workflow: Awaited<ReturnType<typeof startWorkflow>>): Promise<InFlight['signals']> {
  const signals: InFlight['signals'] = {};
  const [execution] = await workflow.executions();
  for (const event of await workflow.history(execution?.executionArn)) {
    const { output = 'null' } = event.taskSucceededEventDetails ?? {};
    const state = record.safeParse(JSON.parse(output));
    // The result of a callback is the mailbox's state; that of a function has a Payload.
    if (!state.success || !('seq' in state.data)) continue;
    const kind =
      Number(state.data['connectionCreatedAtMs']) > 0 ? 'connection created' : 'deadline corrected';
    signals[kind] ??= state.data;
  }
  return signals;
}
