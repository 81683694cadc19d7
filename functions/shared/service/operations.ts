/** Every call to Amazon GameLift Streams: the command, and the quota that it counts against. */
import {
  CreateStreamSessionAdminShellCommand,
  type CreateStreamSessionAdminShellCommandOutput,
  CreateStreamSessionConnectionCommand,
  type CreateStreamSessionConnectionCommandOutput,
  type GameLiftStreamsClient,
  GetStreamSessionCommand,
  type GetStreamSessionCommandOutput,
  ListStreamGroupsCommand,
  type ListStreamGroupsCommandOutput,
  ListStreamSessionsCommand,
  type ListStreamSessionsCommandOutput,
  ListTagsForResourceCommand,
  type ListTagsForResourceCommandOutput,
  type StreamSessionStatus,
  TerminateStreamSessionCommand,
  type TerminateStreamSessionCommandOutput,
} from '@aws-sdk/client-gameliftstreams';
import type { SessionKey } from '../contracts/fields.ts';
import type { QuotaOperation } from '../contracts/quotas.ts';

export interface ServiceCall<Operation extends QuotaOperation, Reply> {
  readonly operation: Operation;
  readonly send: (client: GameLiftStreamsClient, abortSignal: AbortSignal) => Promise<Reply>;
}

export function createStreamSessionConnection(
  session: SessionKey,
  offer: { readonly signalRequest: string; readonly clientToken: string },
): ServiceCall<'CreateStreamSessionConnection', CreateStreamSessionConnectionCommandOutput> {
  const command = new CreateStreamSessionConnectionCommand({
    ...identify(session),
    SignalRequest: offer.signalRequest,
    ClientToken: offer.clientToken,
  });
  return {
    operation: 'CreateStreamSessionConnection',
    send: (client, abortSignal) => client.send(command, { abortSignal }),
  };
}

export function createStreamSessionAdminShell(
  session: SessionKey,
): ServiceCall<'CreateStreamSessionAdminShell', CreateStreamSessionAdminShellCommandOutput> {
  const command = new CreateStreamSessionAdminShellCommand(identify(session));
  return {
    operation: 'CreateStreamSessionAdminShell',
    send: (client, abortSignal) => client.send(command, { abortSignal }),
  };
}

export function getStreamSession(
  session: SessionKey,
): ServiceCall<'GetStreamSession', GetStreamSessionCommandOutput> {
  const command = new GetStreamSessionCommand(identify(session));
  return {
    operation: 'GetStreamSession',
    send: (client, abortSignal) => client.send(command, { abortSignal }),
  };
}

/** @param page the status that is listed, and where the page begins. */
export function listStreamSessions(
  streamGroupId: string,
  page: {
    readonly status: StreamSessionStatus;
    readonly maxResults: number;
    readonly nextToken: string | undefined;
  },
): ServiceCall<'ListStreamSessions', ListStreamSessionsCommandOutput> {
  const command = new ListStreamSessionsCommand({
    Identifier: streamGroupId,
    Status: page.status,
    MaxResults: page.maxResults,
    NextToken: page.nextToken,
  });
  return {
    operation: 'ListStreamSessions',
    send: (client, abortSignal) => client.send(command, { abortSignal }),
  };
}

/** @param page where the page begins. */
export function listStreamGroups(page: {
  readonly maxResults: number;
  readonly nextToken: string | undefined;
}): ServiceCall<'ListStreamGroups', ListStreamGroupsCommandOutput> {
  const command = new ListStreamGroupsCommand({ MaxResults: page.maxResults, NextToken: page.nextToken });
  return {
    operation: 'ListStreamGroups',
    send: (client, abortSignal) => client.send(command, { abortSignal }),
  };
}

export function listTagsForResource(
  arn: string,
): ServiceCall<'ListTagsForResource', ListTagsForResourceCommandOutput> {
  const command = new ListTagsForResourceCommand({ ResourceArn: arn });
  return {
    operation: 'ListTagsForResource',
    send: (client, abortSignal) => client.send(command, { abortSignal }),
  };
}

export function terminateStreamSession(
  session: SessionKey,
): ServiceCall<'TerminateStreamSession', TerminateStreamSessionCommandOutput> {
  const command = new TerminateStreamSessionCommand(identify(session));
  return {
    operation: 'TerminateStreamSession',
    send: (client, abortSignal) => client.send(command, { abortSignal }),
  };
}

function identify({ streamGroupId, streamSessionId }: SessionKey) {
  return { Identifier: streamGroupId, StreamSessionIdentifier: streamSessionId };
}
