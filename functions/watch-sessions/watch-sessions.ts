import { defineSchedule } from '../shared/runtime/event.ts';
import { isIds, OPENING_SETTINGS } from '../shared/runtime/settings.ts';
import { measureSwitch } from '../shared/runtime/switch.ts';
import { readSwitchItem } from '../shared/runtime/switch-item.ts';
import {
  type LearnTimeoutsDependencies,
  type LookedAt,
  learnTimeouts,
  noTimeouts,
} from './learn-timeouts.ts';
import { type LookDependencies, look, type Memory } from './look.ts';
import { type StreamGroupsDependencies, streamGroupsToWatch } from './stream-groups.ts';
import { noServiceWaits } from './wake-service-waits.ts';

export type WatchSessionsDependencies = LookDependencies &
  LearnTimeoutsDependencies &
  StreamGroupsDependencies;

/** EventBridge's shortest schedule: the next invocation goes on where this one stops. */
const WATCH_MS = 60_000;

/**
 * Looks at every watched stream group, again and again for a minute, or until the clock is set back. A look that fails
 * costs only itself: the next one finds what it has missed. Looks that take longer than the interval follow each other
 * at once. Where the stream groups are not named by id, the watcher finds them between its looks.
 *
 * Why: docs/decisions/watcher.md#a-minutes-invocation-looks-every-5-s-and-two-may-overlap
 *
 * @throws the last look's error when none has worked, so that Lambda counts the invocation as failed.
 */
export async function watchSessions(dependencies: WatchSessionsDependencies): Promise<void> {
  const { table, clock, log, metrics, settings } = dependencies;
  const { WATCHED_STREAM_GROUPS: selection, WATCH_INTERVAL_SECONDS } = settings;
  if (isIds(selection) && selection.length === 0) {
    log.warn('WatcherIsOff');
    return;
  }
  const intervalMs = WATCH_INTERVAL_SECONDS * 1000;
  const endMs = clock.nowMs() + WATCH_MS;
  const groupsToWatch = streamGroupsToWatch(dependencies, endMs);
  const timeouts = noTimeouts();
  const memory: Memory = {
    reported: new Map(),
    unheard: new Map(),
    marked: new Set(),
    knownGroups: new Set(),
    serviceWaits: noServiceWaits(),
  };
  // Once a minute, for the alarm on a switch that nobody turns back; whatever it says, the watcher looks.
  const measured = readSwitchItem(table).then(
    (item) => measureSwitch(item, clock.nowMs(), metrics),
    (error: unknown) => log.error('SwitchUnreadable', error),
  );
  let anyWorked = false;
  let lastError: unknown;
  for (let nextMs = clock.nowMs(); nextMs < endMs; ) {
    await clock.sleep(Math.min(intervalMs, Math.max(0, nextMs - clock.nowMs())));
    const startMs = clock.nowMs();
    // The clock was set back, so `endMs` is too far away: the function would time out. The schedule starts the next one.
    if (startMs < nextMs - intervalMs) break;
    const lookedAt: LookedAt[] = [];
    for (const streamGroupId of await groupsToWatch()) {
      const ofGroup = log.with({ streamGroupId });
      try {
        lookedAt.push(...(await look(streamGroupId, memory, { ...dependencies, log: ofGroup })));
        anyWorked = true;
      } catch (error) {
        lastError = error;
        ofGroup.error('LookFailed', error);
        metrics.add('WatcherLooksFailed', 1);
      }
    }
    await learnTimeouts(lookedAt, timeouts, startMs + intervalMs, dependencies).catch((error: unknown) =>
      log.error('TimeoutNotLearned', error),
    );
    nextMs = Math.max(startMs + intervalMs, clock.nowMs());
  }
  await measured;
  if (!anyWorked && lastError !== undefined) throw lastError;
}

export const watchSessionsSchedule = defineSchedule({
  settings: [
    ...OPENING_SETTINGS,
    'LISTS_PER_SECOND',
    'READS_PER_SECOND',
    'STREAM_GROUP_CALLS_PER_SECOND',
    'WATCHED_STREAM_GROUPS',
    'WATCH_INTERVAL_SECONDS',
  ],
  clients: ['eventBridge', 'gameLiftStreams', 'stepFunctions'],
  decide: watchSessions,
});
