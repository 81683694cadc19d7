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

export interface LastHeaders {
  /** A header of the latest reply, when it is a whole number. */
  number(name: string): number | undefined;
}

/** Adds headers to every request of the client before it is signed, and keeps the headers of the latest reply. */
export function onTheWay(
  client: GameLiftStreamsClient,
  added: Readonly<Record<string, string>>,
): LastHeaders {
  let latest: object = {};
  client.middlewareStack.add(
    (next) => async (args) => {
      Object.assign(headersOf(args.request), added);
      return next(args);
    },
    { step: 'build', name: 'addHeaders' },
  );
  client.middlewareStack.add(
    (next) => async (args) => {
      latest = {};
      const result = await next(args);
      latest = headersOf(result.response);
      return result;
    },
    // Closest to the wire: the replies that become errors pass here as well.
    { step: 'deserialize', priority: 'low', name: 'keepHeaders' },
  );
  return {
    number(name) {
      const value: unknown = Object.entries(latest).find(([key]) => key.toLowerCase() === name)?.[1];
      return typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : undefined;
    },
  };
}

function headersOf(message: unknown): object {
  if (typeof message !== 'object' || message === null || !('headers' in message)) return {};
  return typeof message.headers === 'object' && message.headers !== null ? message.headers : {};
}
