export {
  browserEnvironment,
  type Environment,
  type KeyValueStorage,
  type Locks,
  type PageEvent,
} from './environment.ts';
export {
  type ClientEvent,
  type ConnectionRequest,
  createReconnector,
  fetchAsk,
  fetchBackend,
  keptSession,
  type Reconnector,
  type ReconnectorEvents,
  type ReconnectorOptions,
  type State,
  type StateName,
  type StreamClient,
} from './reconnector.ts';
export { type HttpReply, type NextStep, nextStep, type Reply, readReply } from './reply.ts';
export { type WebSdkConnection, type WebSdkStream, webSdkClient } from './web-sdk.ts';
