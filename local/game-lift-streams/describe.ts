import { WEB_SDK_PROTOCOL_URL } from './answers.ts';
import { toTimestamp } from './protocol.ts';
import type { StreamSession } from './stream-session.ts';

/** The body of GetStreamSession and StartStreamSession. JSON leaves the undefined members out. */
export function describeSession(session: StreamSession, accountId: string) {
  const { parameters } = session;
  return {
    ...summarizeSession(session),
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
    LogFileLocationUri: `s3://stream-session-logs-${accountId}/${session.streamGroupId}/${session.streamSessionId}/`,
    WebSdkProtocolUrl: WEB_SDK_PROTOCOL_URL,
    DisplayConfiguration: parameters.DisplayConfiguration,
  };
}

/** An item of the lists. */
export function summarizeSession(session: StreamSession) {
  return {
    Arn: session.arn,
    UserId: session.parameters.UserId,
    Status: session.status,
    StatusReason: session.statusReason,
    Protocol: session.parameters.Protocol,
    LastUpdatedAt: toTimestamp(session.lastUpdatedAtMs),
    CreatedAt: toTimestamp(session.createdAtMs),
    ApplicationArn: session.applicationArn,
    ExportFilesMetadata: session.exportFilesMetadata,
    Location: session.location,
    RoleArn: session.parameters.RoleArn,
  };
}
