import { toTimestamp } from '../protocol/protocol.ts';
import { WEB_SDK_PROTOCOL_URL } from '../sessions/answers.ts';
import type { StreamSession } from '../sessions/stream-session.ts';
import type { World } from '../sessions/world.ts';

/** The body of GetStreamSession and StartStreamSession. JSON leaves the undefined members out. */
export function describeSession(session: StreamSession, world: World) {
  const { parameters } = session;
  return {
    ...summarizeSession(session, world, session.lastUpdatedAtMs),
    Description: parameters.Description,
    StreamGroupId: session.streamGroupId,
    SignalRequest: session.signalRequest,
    SignalResponse: session.signalResponse,
    ConnectionTimeoutSeconds: session.connectionTimeoutSeconds,
    SessionLengthSeconds: session.sessionLengthSeconds,
    AdditionalLaunchArgs: parameters.AdditionalLaunchArgs ?? [],
    AdditionalEnvironmentVariables: parameters.AdditionalEnvironmentVariables ?? {},
    PerformanceStatsConfiguration: {
      SharedWithClient: parameters.PerformanceStatsConfiguration?.SharedWithClient ?? false,
    },
    LogFileLocationUri: `s3://stream-session-logs-${world.account.accountId}/${session.streamGroupId}/${session.streamSessionId}/`,
    WebSdkProtocolUrl: WEB_SDK_PROTOCOL_URL,
    DisplayConfiguration: parameters.DisplayConfiguration,
  };
}

/** An item of the lists. */
export function summarizeListed(session: StreamSession, world: World) {
  const { lastUpdatedAtMs } = session;
  // A list that is written later than the session is never ahead of the clock.
  const listedAtMs = Math.min(lastUpdatedAtMs + world.settings.listedLaterMs, world.nowMs());
  return summarizeSession(session, world, Math.max(lastUpdatedAtMs, listedAtMs));
}

function summarizeSession(session: StreamSession, world: World, lastUpdatedAtMs: number) {
  const { timestampUnit } = world.settings;
  return {
    Arn: session.arn,
    UserId: session.parameters.UserId,
    Status: session.status,
    StatusReason: statusReasonOf(session, world),
    Protocol: session.parameters.Protocol,
    LastUpdatedAt: toTimestamp(lastUpdatedAtMs, timestampUnit),
    CreatedAt: toTimestamp(session.createdAtMs, timestampUnit),
    ApplicationArn: session.applicationArn,
    ExportFilesMetadata: session.exportFilesMetadata,
    Location: session.location,
    RoleArn: session.parameters.RoleArn,
  };
}

function statusReasonOf(session: StreamSession, world: World): string | undefined {
  if (session.statusReason === undefined) return undefined;
  const { statusReason } = world.settingsOf(session);
  switch (statusReason.kind) {
    case 'documented':
      return session.statusReason;
    case 'text':
      return statusReason.text;
    case 'absent':
      return undefined;
  }
}
