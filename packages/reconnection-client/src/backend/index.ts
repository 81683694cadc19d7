export type { ReconnectionWindow, RefusalCode } from './api.ts';
export {
  createReconnectionClient,
  type EndOptions,
  type Leaving,
  type ReconnectionClient,
  type Refusal,
  refusalOf,
  type SessionOfUser,
} from './client.ts';
export {
  type ExpressRequest,
  type ExpressResponse,
  expressHandler,
  fetchHandler,
  type HandlerOptions,
} from './handlers.ts';
