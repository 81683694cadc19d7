import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { CALL_TIMEOUTS } from './timeouts.ts';

export const eventBridge = new EventBridgeClient({ maxAttempts: 5, requestHandler: CALL_TIMEOUTS });
