/**
 * What crosses the edge of the service: events in and out, and the API's requests. The JSON Schemas in
 * `events/` are generated from here, so that neither can drift from what the code accepts.
 *
 * One file for each event or request: a bundle builds the schemas that its function uses, and building all of them takes longer than
 * loading zod.
 */

export * from './admin-shell-audit.ts';
export * from './connection-request.ts';
export * from './fields.ts';
export * from './names.ts';
export * from './operator-audit.ts';
export * from './refusal-codes.ts';
export * from './status-change.ts';
export * from './window.ts';
