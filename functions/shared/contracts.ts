/**
 * What crosses the edge of the service: events in and out, and the API's requests. The JSON Schemas in
 * `events/` are generated from here, so that neither can drift from what the code accepts.
 *
 * One file each: a bundle builds the schemas that its function uses, and building all of them takes longer than
 * loading zod.
 */
export * from './contracts/admin-shell-audit.ts';
export * from './contracts/admin-shell-reason.ts';
export * from './contracts/connection-request.ts';
export * from './contracts/detail-types.ts';
export * from './contracts/execution-failure.ts';
export * from './contracts/outcome.ts';
export * from './contracts/outcome-event.ts';
export * from './contracts/refusal-codes.ts';
export * from './contracts/session-key.ts';
export * from './contracts/status-change.ts';
export * from './contracts/status-change-rejected.ts';
export * from './contracts/stream-session-status.ts';
export * from './contracts/window-phase.ts';
export * from './contracts/window-reply.ts';
