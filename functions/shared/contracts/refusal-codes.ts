/**
 * The reason of every refusal of the API, as a stable code in a header of ours. The service's own error types are too
 * few: five different refusals are a ConflictException, and an SDK drops the members of a body that its model of the
 * service does not have. Every SDK exposes the headers of a refusal. The reply table of docs/api-clients.md explains
 * each code; a test holds it against this list.
 */
export const REFUSAL_CODE_HEADER = 'x-reconnection-code';

/** Error types of the service's own API, as its SDKs know them, and the HTTP status of each. */
export const ERROR_STATUSES = {
  ValidationException: 400,
  AccessDeniedException: 403,
  ResourceNotFoundException: 404,
  ConflictException: 409,
  StreamSessionAccessNotReadyException: 409,
  ThrottlingException: 429,
  InternalServerException: 500,
  /** One of AWS's common errors. It is not in the service's model, but an SDK throws it by this name all the same. */
  ServiceUnavailableException: 503,
} as const;
export type ErrorType = keyof typeof ERROR_STATUSES;

interface Refusal {
  /** Undefined where the service's own refusal is handed on, whatever its type. */
  readonly type: ErrorType | undefined;
  /** Whether the reply has `Retry-After`: the same request may succeed then. */
  readonly hasRetryAfter: boolean;
}

const final = (type: ErrorType) => ({ type, hasRetryAfter: false });
const repeatable = (type: ErrorType) => ({ type, hasRetryAfter: true });

export const REFUSALS = {
  // Every route.
  INVALID_REQUEST: final('ValidationException'),
  SESSION_NOT_FOUND: final('ResourceNotFoundException'),
  SERVICE_ACCESS_DENIED: final('AccessDeniedException'),
  REQUEST_FAILED: repeatable('InternalServerException'),
  SWITCHED_OFF: repeatable('ServiceUnavailableException'),
  PASSED_THROUGH: { type: undefined, hasRetryAfter: false },
  // POST …/connections
  CLIENT_TOKEN_REUSED: final('ValidationException'),
  OFFER_REJECTED: final('ValidationException'),
  NOT_THE_USERS_SESSION: final('AccessDeniedException'),
  SOMEBODY_CONNECTED: final('ConflictException'),
  NEW_OFFER_NEEDED: final('ConflictException'),
  NEWER_OFFER: final('ConflictException'),
  SESSION_ENDED: final('ConflictException'),
  SESSION_ENDING: final('ConflictException'),
  NOT_RECONNECTABLE: final('ConflictException'),
  LOSS_NOT_NOTICED: repeatable('ConflictException'),
  SESSION_BUSY: repeatable('ConflictException'),
  TURN_LATER: repeatable('ThrottlingException'),
  NOT_IN_TIME: repeatable('ThrottlingException'),
  RECONNECTION_FAILED: repeatable('InternalServerException'),
  // POST …/connections, POST …/access and DELETE …
  QUOTA_USED_UP: repeatable('ThrottlingException'),
  // POST …/access
  STATUS_WITHOUT_ADMIN_SHELL: final('ValidationException'),
  ADMIN_SHELL_REJECTED: final('ValidationException'),
  ADMIN_SHELL_NOT_READY: repeatable('StreamSessionAccessNotReadyException'),
  ADMIN_SHELL_FAILED: repeatable('InternalServerException'),
  // GET …/window
  WINDOW_NOT_FOUND: final('ResourceNotFoundException'),
  // API Gateway's own, from resources/api.yml
  CALLER_NOT_ALLOWED: final('AccessDeniedException'),
  NOT_SIGNED: final('AccessDeniedException'),
  INVALID_SIGNATURE: final('AccessDeniedException'),
  CREDENTIALS_EXPIRED: final('AccessDeniedException'),
  NO_ROUTE: final('ResourceNotFoundException'),
  API_THROTTLED: repeatable('ThrottlingException'),
  TIMED_OUT: repeatable('InternalServerException'),
} as const satisfies Record<string, Refusal>;

export type RefusalCode = keyof typeof REFUSALS;
