import { GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';

/**
 * One attempt for each call: backoff belongs to the state machine, and two retry layers multiply. A local
 * endpoint comes from AWS_ENDPOINT_URL_GAMELIFTSTREAMS, which the SDK reads by itself.
 */
export const gameLiftStreams = new GameLiftStreamsClient({ maxAttempts: 1 });
