import type { ExportFilesMetadata } from '@aws-sdk/client-gameliftstreams';
import type { Clock } from 'local-server-kit';
import { type Account, applicationArn, streamGroupArn, streamSessionArn } from '../protocol/identifiers.ts';
import type { StartStreamSessionParameters } from '../protocol/validation.ts';
import { AdminShellReadiness } from './admin-shells.ts';
import { type Answer, answerTo } from './answers.ts';
import type { ConnectionAttempt } from './connection-attempt.ts';
import { CallCounters } from './counters.ts';
import { PlannedFaults } from './faults.ts';
import { ClientTokens } from './idempotency.ts';
import { become, mayBecome, setDue } from './lifecycle.ts';
import { QuotaBuckets, type Quotas } from './quotas.ts';
import { type Random, randomAlphanumeric } from './randomness.ts';
import type { Settings } from './settings.ts';
import { nextOfGroup, STREAM_GROUP_LIFETIME_MS, type StreamGroupRecord } from './stream-group.ts';
import type { Due, StreamSession } from './stream-session.ts';
import { DueTimes } from './timers.ts';

export interface WorldOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly account: Account;
  readonly quotas: Quotas;
  readonly settings: Settings;
  readonly streamGroupIds: readonly string[];
}

/** ConnectionTimeoutSeconds and SessionLengthSeconds when StartStreamSession has none. */
const DEFAULT_CONNECTION_TIMEOUT_SECONDS = 120;
const DEFAULT_SESSION_LENGTH_SECONDS = 43_200;

/** Everything that the service knows. A reset makes a new one. */
export class World {
  readonly random: Random;
  readonly account: Account;
  readonly counters = new CallCounters();
  readonly faults = new PlannedFaults();
  readonly readiness = new AdminShellReadiness();
  readonly startTokens = new ClientTokens<object>();
  readonly connectionTokens = new ClientTokens<ConnectionAttempt>();
  readonly groupTokens = new ClientTokens<object>();
  readonly quotas: QuotaBuckets;
  settings: Settings;
  /** Told of each change of a session, when it has happened. */
  onChange: (session: StreamSession) => void = () => {};

  readonly #clock: Clock;
  readonly #streamGroups = new Map<string, StreamGroupRecord>();
  /** By number, which never changes, so that a page of a list can begin where the last one ended. */
  readonly #sessions: StreamSession[] = [];
  readonly #sessionsById = new Map<string, StreamSession>();
  readonly #dueTimes = new DueTimes<() => void>();
  #serial = 0;

  constructor(options: WorldOptions) {
    this.#clock = options.clock;
    this.random = options.random;
    this.account = options.account;
    this.settings = options.settings;
    this.quotas = new QuotaBuckets(options.quotas, options.clock.nowMs());
    for (const streamGroupId of options.streamGroupIds) this.addStreamGroup(streamGroupId);
  }

  /** The present, after everything that was due by now has happened, each at its own time. */
  settle(): number {
    const nowMs = this.#clock.nowMs();
    for (let next = this.#dueTimes.takeDue(nowMs); next; next = this.#dueTimes.takeDue(nowMs)) next();
    return nowMs;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  settingsOf(session: StreamSession): Settings {
    const { connectionMs, lossNoticeMs, overstayMs, terminationMs, statusReason } = session.settings;
    const { settings } = this;
    return {
      ...settings,
      connectionMs: connectionMs ?? settings.connectionMs,
      lossNoticeMs: lossNoticeMs ?? settings.lossNoticeMs,
      overstayMs: overstayMs ?? settings.overstayMs,
      terminationMs: terminationMs ?? settings.terminationMs,
      statusReason: statusReason ?? settings.statusReason,
    };
  }

  /** A number that no other object has. */
  nextSerial(): number {
    return ++this.#serial;
  }

  /** A stream group, ACTIVE unless `given` says otherwise. */
  addStreamGroup(streamGroupId: string, given: Partial<StreamGroupRecord> = {}): StreamGroupRecord {
    const nowMs = this.settle();
    const { createdAtMs = nowMs } = given;
    return this.#keepStreamGroup({
      location: this.account.region,
      status: 'ACTIVE',
      createdAtMs,
      lastUpdatedAtMs: createdAtMs,
      expiresAtMs: createdAtMs + STREAM_GROUP_LIFETIME_MS,
      description: streamGroupId,
      streamClass: 'gen5n_high',
      tags: {},
      ...given,
      streamGroupId,
      arn: streamGroupArn(this.account, streamGroupId),
    });
  }

  /** Replaces the record, so a change that was due for the earlier record is not made. */
  changeStreamGroup(group: StreamGroupRecord, change: Partial<StreamGroupRecord>): StreamGroupRecord {
    const changed = this.#keepStreamGroup({ ...group, ...change });
    if (changed.status === 'DELETING' && group.status !== 'DELETING') this.#stopSessionsOf(changed);
    return changed;
  }

  /** Removes the stream group at once. Its sessions cannot be found without it. */
  removeStreamGroup({ streamGroupId }: Pick<StreamGroupRecord, 'streamGroupId'>): void {
    this.#streamGroups.delete(streamGroupId);
  }

  streamGroups(): StreamGroupRecord[] {
    return [...this.#streamGroups.values()];
  }

  #keepStreamGroup(group: StreamGroupRecord): StreamGroupRecord {
    this.#streamGroups.set(group.streamGroupId, group);
    const due = nextOfGroup(group, this.settings);
    if (due === undefined) return group;
    const { atMs, status } = due;
    this.#dueTimes.add(atMs, () => {
      if (this.#streamGroups.get(group.streamGroupId) !== group) return;
      if (status === 'GONE') this.removeStreamGroup(group);
      else this.changeStreamGroup(group, { status, lastUpdatedAtMs: atMs });
    });
    return group;
  }

  /** DeleteStreamGroup "stops streams in progress". The reason that is given is our assumption: the API was called. */
  #stopSessionsOf({ streamGroupId, lastUpdatedAtMs: atMs }: StreamGroupRecord): void {
    for (const session of this.#sessions) {
      if (session.streamGroupId !== streamGroupId) continue;
      if (mayBecome(session, 'TERMINATING')) this.become(session, { status: 'TERMINATING', atMs });
      else if (mayBecome(session, 'TERMINATED') && session.status !== 'TERMINATING') {
        this.become(session, { status: 'TERMINATED', atMs, reason: 'apiTerminated' });
      }
    }
  }

  streamGroup(streamGroupId: string): StreamGroupRecord | undefined {
    return this.#streamGroups.get(streamGroupId);
  }

  firstStreamGroup(): StreamGroupRecord | undefined {
    return this.#streamGroups.values().next().value;
  }

  session(streamSessionId: string): StreamSession | undefined {
    return this.#sessionsById.get(streamSessionId);
  }

  /** In the order of creation. */
  sessions(): readonly StreamSession[] {
    return this.#sessions;
  }

  addSession(
    group: StreamGroupRecord,
    parameters: StartStreamSessionParameters,
    exportFilesMetadata?: ExportFilesMetadata,
    firstAnswer?: Answer,
    settings: StreamSession['settings'] = {},
  ): StreamSession {
    const createdAtMs = this.settle();
    const number = this.#sessions.length;
    // The number makes it unique even when the randomness repeats itself.
    const streamSessionId = `${randomAlphanumeric(this.random, 8)}${number.toString(36).padStart(5, '0')}`;
    const session: StreamSession = {
      number,
      streamSessionId,
      streamGroupId: group.streamGroupId,
      arn: streamSessionArn(this.account, group.streamGroupId, streamSessionId),
      applicationArn: applicationArn(this.account, parameters.ApplicationIdentifier),
      // Capacity is not modelled: the first location always has some.
      location: parameters.Locations?.[0] ?? group.location,
      createdAtMs,
      connectionTimeoutSeconds: parameters.ConnectionTimeoutSeconds ?? DEFAULT_CONNECTION_TIMEOUT_SECONDS,
      sessionLengthSeconds: parameters.SessionLengthSeconds ?? DEFAULT_SESSION_LENGTH_SECONDS,
      parameters,
      ...(exportFilesMetadata === undefined ? {} : { exportFilesMetadata }),
      settings,
      status: 'ACTIVATING',
      lastUpdatedAtMs: createdAtMs,
      history: [{ status: 'ACTIVATING', atMs: createdAtMs }],
      firstAnswer: firstAnswer ?? answerTo(parameters.SignalRequest, this.nextSerial(), this.random),
      signalRequest: parameters.SignalRequest,
      attempts: [],
      inputAtMs: createdAtMs,
      inputs: 0,
      adminShells: 0,
    };
    setDue(session, this.settingsOf(session));
    this.#sessions.push(session);
    this.#sessionsById.set(streamSessionId, session);
    this.watch(session);
    return session;
  }

  become(session: StreamSession, change: Due): void {
    become(session, change, this.settingsOf(session));
    this.watch(session);
  }

  /** To be called after each change of a session. */
  watch(session: StreamSession): void {
    this.onChange(session);
    const { due } = session;
    if (due === undefined) return;
    this.#dueTimes.add(due.atMs, () => {
      // A session that has changed since has another `due`.
      if (session.due === due) this.become(session, due);
    });
  }
}
