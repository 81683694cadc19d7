/**
 * The mutation run does not isolate test files from each other: what one file mocks on an SDK client's class, the next
 * would find mocked.
 */
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import { SFNClient } from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll } from 'vitest';

afterAll(() => {
  mockClient(EventBridgeClient).restore();
  mockClient(GameLiftStreamsClient).restore();
  mockClient(SFNClient).restore();
});
