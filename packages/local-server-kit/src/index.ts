export { type CancelTimer, type Clock, systemClock } from './clock.ts';
export { LOCAL_CREDENTIALS } from './credentials.ts';
export { describeIssues, nameToTell } from './describe-issues.ts';
export { InProcessNetwork, type Serve } from './in-process-network.ts';
export type { InvokeLambda, LambdaFailure, LambdaResult } from './invoke-lambda.ts';
export {
  HANG_UP,
  isLoopbackHost,
  isOwnOrigin,
  type LoopbackReply,
  type LoopbackRequest,
  type LoopbackServer,
  type LoopbackServerOptions,
  type StartServer,
  startLoopbackServer,
} from './loopback-server.ts';
export { isObject, parseJson } from './parse-json.ts';
export { seededRandom } from './seeded-random.ts';
export { type Rate, TokenBucket } from './token-bucket.ts';
export { VirtualClock } from './virtual-clock.ts';
