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
import { become, setDue } from './lifecycle.ts';
import { QuotaBuckets, type Quotas } from './quotas.ts';
import { type Random, randomAlphanumeric } from './randomness.ts';
import type { Settings } from './settings.ts';
import type { StreamGroupRecord } from './stream-group.ts';
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
  readonly quotas: QuotaBuckets;
  settings: Settings;
  /** Told of each change of a session, when it has happened. */
  onChange: (session: StreamSession) => void = () => {};

  readonly #clock: Clock;
  readonly #streamGroups = new Map<string, StreamGroupRecord>();
  /** By number, which never changes, so that a page of a list can begin where the last one ended. */
  readonly #sessions: StreamSession[] = [];
  readonly #sessionsById = new Map<string, StreamSession>();
  readonly #dueTimes = new DueTimes<{ readonly session: StreamSession; readonly due: Due }>();
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
    for (let next = this.#dueTimes.takeDue(nowMs); next; next = this.#dueTimes.takeDue(nowMs)) {
      // A session that has changed since has another `due`.
      if (next.session.due === next.due) this.become(next.session, next.due);
    }
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

  addStreamGroup(streamGroupId: string, location: string = this.account.region): StreamGroupRecord {
    const record = { streamGroupId, arn: streamGroupArn(this.account, streamGroupId), location };
    this.#streamGroups.set(streamGroupId, record);
    return record;
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
    if (session.due !== undefined) this.#dueTimes.add(session.due.atMs, { session, due: session.due });
  }
}
