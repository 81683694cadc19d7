import type { GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import { LOCAL_CREDENTIALS } from 'local-server-kit';
import { createReconnectionClient } from 'reconnection-client/backend';
import { UsageError } from '../command-line.ts';
import type { Endpoint } from './endpoint.ts';

/** API Gateway answers within 29 s. */
const REQUEST_TIMEOUT_MS = 35_000;

export interface ApiClient {
  readonly client: GameLiftStreamsClient;
  readonly region: string;
}

/**
 * The service's own client, on the API that stands before it. One attempt for each call, for a repeat mints
 * another shell.
 *
 * @throws UsageError when nothing tells the Region.
 */
export async function apiClient(endpoint: Endpoint, givenRegion: string | undefined): Promise<ApiClient> {
  const region = givenRegion ?? endpoint.region;
  const { sdk: client } = createReconnectionClient({
    endpoint: endpoint.url,
    maxAttempts: 1,
    requestHandler: { requestTimeout: REQUEST_TIMEOUT_MS, throwOnRequestTimeout: true },
    ...(region === undefined ? {} : { region }),
    ...(endpoint.isLocal ? { credentials: LOCAL_CREDENTIALS } : {}),
  });
  try {
    return { client, region: await client.config.region() };
  } catch (cause) {
    client.destroy();
    throw new UsageError('Name the Region of the API: --region, AWS_REGION or the profile.', { cause });
  }
}
