export { callback, machine, pass, task, wait } from './definitions.ts';
export {
  type Endpoint,
  fail,
  type Handler,
  inTurn,
  present,
  ROLE,
  startEndpoint,
  succeed,
} from './endpoint.ts';
