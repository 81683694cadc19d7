export { GameLiftStreamsControl } from './control/client.ts';
export type { NewStreamSessions, SessionRecord } from './control/schemas.ts';
export { forkPeers, PeerProcess } from './peers/peer-process.ts';
export {
  DEFAULT_STREAM_GROUP_ID,
  type GameLiftStreamsOptions,
  type GameLiftStreamsServer,
  startGameLiftStreams,
} from './server.ts';
export { anOffer } from './sessions/an-offer.ts';
export { NO_CERTIFICATE } from './sessions/answers.ts';
export type { NewFault } from './sessions/fault.ts';
export { DEFAULT_QUOTAS, QuotaBuckets } from './sessions/quotas.ts';
export type { Settings } from './sessions/settings.ts';
