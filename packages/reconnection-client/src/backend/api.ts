// Written by `npm run events` from the schemas that the functions use. Do not edit.

/** Why the API refused a request: the header `x-reconnection-code`. */
export type RefusalCode =
  | 'INVALID_REQUEST'
  | 'SESSION_NOT_FOUND'
  | 'SERVICE_ACCESS_DENIED'
  | 'REQUEST_FAILED'
  | 'SWITCHED_OFF'
  | 'PASSED_THROUGH'
  | 'CLIENT_TOKEN_REUSED'
  | 'OFFER_REJECTED'
  | 'NOT_THE_USERS_SESSION'
  | 'SOMEBODY_CONNECTED'
  | 'NEW_OFFER_NEEDED'
  | 'NEWER_OFFER'
  | 'SESSION_ENDED'
  | 'SESSION_ENDING'
  | 'NOT_RECONNECTABLE'
  | 'LOSS_NOT_NOTICED'
  | 'SESSION_BUSY'
  | 'TURN_LATER'
  | 'NOT_IN_TIME'
  | 'RECONNECTION_FAILED'
  | 'QUOTA_USED_UP'
  | 'STATUS_WITHOUT_ADMIN_SHELL'
  | 'ADMIN_SHELL_REJECTED'
  | 'ADMIN_SHELL_NOT_READY'
  | 'ADMIN_SHELL_FAILED'
  | 'WINDOW_NOT_FOUND'
  | 'CALLER_NOT_ALLOWED'
  | 'NOT_SIGNED'
  | 'INVALID_SIGNATURE'
  | 'CREDENTIALS_EXPIRED'
  | 'NO_ROUTE'
  | 'API_THROTTLED'
  | 'TIMED_OUT';

/** The reply of `GET …/window`. More members may come. */
export interface ReconnectionWindow {
  readonly phase: 'AWAITING_RECONNECTION' | 'AWAITING_CLIENT' | 'AWAITING_END' | 'CLOSED' | 'FAILED';
  readonly generation: number;
  /** Until when the service keeps the session in the present phase. */
  readonly deadline: string;
  readonly remainingSeconds: number;
  readonly outcome?: 'RECONNECTED' | 'TERMINATED' | 'ERRORED' | 'NOT_DISCONNECTED';
  readonly statusReason?: string;
  /** Why it ended so. LEFT and OPERATOR: on purpose, nobody was lost. Take a value that you do not know for UNKNOWN. */
  readonly cause?:
    | 'RECONNECTED'
    | 'TIMED_OUT'
    | 'LEFT'
    | 'OPERATOR'
    | 'APPLICATION'
    | 'SERVICE'
    | 'NOT_DISCONNECTED'
    | 'UNKNOWN';
  /** The application that the session ran. */
  readonly applicationArn?: string;
  /** Where the session was streamed from. */
  readonly location?: string;
  /** Why the player's connection broke, as reported. */
  readonly dropCause?: 'NETWORK' | 'CRASH' | 'IDLE' | 'CLOSED' | 'UNKNOWN';
  /** How long after the loss the session was to be kept for its player, as reported. */
  readonly giveUpAfterSeconds?: number;
  /** Only while the service cannot be read: the window goes on by itself when it can. */
  readonly waitingForService?: true;
  /** Only while the service is switched off: what it does with calls. */
  readonly switch?: 'passThrough' | 'refuse';
}
