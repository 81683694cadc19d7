import type {
  ExportFilesMetadata,
  StreamSessionStatus,
  StreamSessionStatusReason,
} from '@aws-sdk/client-gameliftstreams';
import type { StartStreamSessionParameters } from '../protocol/validation.ts';
import type { Answer } from './answers.ts';
import type { ConnectionAttempt } from './connection-attempt.ts';
import type { SessionSettings } from './settings.ts';

export interface StatusChange {
  readonly status: StreamSessionStatus;
  readonly atMs: number;
  readonly reason?: StreamSessionStatusReason;
}

/** One stream session. Only `lifecycle.ts` changes its status. */
export interface StreamSession {
  /** The place in the account's list, in the order of creation. */
  readonly number: number;
  readonly streamSessionId: string;
  readonly streamGroupId: string;
  readonly arn: string;
  readonly applicationArn: string;
  readonly location: string;
  readonly createdAtMs: number;
  readonly connectionTimeoutSeconds: number;
  readonly sessionLengthSeconds: number;
  readonly parameters: StartStreamSessionParameters;
  readonly exportFilesMetadata?: ExportFilesMetadata;

  /** Where this session differs from the stand-in's settings. */
  settings: { readonly [Name in keyof SessionSettings]?: SessionSettings[Name] | undefined };

  status: StreamSessionStatus;
  statusReason?: StreamSessionStatusReason;
  /** Of the last status change. Whether the service counts other updates too is not documented. */
  lastUpdatedAtMs: number;
  readonly history: StatusChange[];

  /** To the signal request of StartStreamSession; told once the session is ACTIVE. */
  readonly firstAnswer: Answer;
  /** Of the latest connection. Whether the service keeps the first one instead is not documented. */
  signalRequest: string;
  signalResponse?: string;
  /** The call that is under way while the status is RECONNECTING. */
  attempt?: ConnectionAttempt;
  readonly attempts: ConnectionAttempt[];

  /** When the service notices that the client is lost; only while it has not. */
  lossNoticedAtMs?: number;
  /** When the player last did something, for the idle timeout. */
  inputAtMs: number;
  /** How often, over all its connections. */
  inputs: number;
  adminShells: number;
  /** What happens by itself next. */
  due?: Due;
}

export interface Due {
  readonly atMs: number;
  readonly status: StreamSessionStatus;
  readonly reason?: StreamSessionStatusReason;
}
