/** Each contract as its consumers have it: the JSON Schema on disk, and the zod schema that the code parses with. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { z } from 'zod';
import {
  createConnectionBodySchema,
  leavingBodySchema,
  statusChangeEventSchema,
  windowReplySchema,
} from '../../functions/shared/contracts/index.ts';
import {
  adminShellAuditEventSchema,
  operatorAuditEventSchema,
  outcomeEventSchema,
  statusChangeRejectedEventSchema,
  windowOpenedEventSchema,
} from '../../scripts/event-schemas.ts';

export const EVENTS_FOLDER = join(import.meta.dirname, '..', '..', 'events');
const SAMPLES_FOLDER = join(EVENTS_FOLDER, 'samples');

export interface Contract {
  readonly validate: ValidateFunction;
  readonly zodSchema: z.ZodType;
}

export const contracts = {
  statusChange: contract('stream-session-status-change.v1', statusChangeEventSchema),
  windowOpened: contract('stream-session-reconnection-window-opened.v1', windowOpenedEventSchema),
  outcome: contract('stream-session-reconnection-outcome.v1', outcomeEventSchema),
  rejected: contract('stream-session-status-change-rejected.v1', statusChangeRejectedEventSchema),
  operatorAudit: contract('stream-session-operator-audit.v1', operatorAuditEventSchema),
  adminShellAudit: contract('stream-session-admin-shell-audit.v1', adminShellAuditEventSchema),
  connectionRequest: contract('create-stream-session-connection.request', createConnectionBodySchema),
  leavingRequest: contract('leaving.request', leavingBodySchema),
  windowReply: contract('reconnection-window.reply', windowReplySchema),
} satisfies Record<string, Contract>;

function contract(name: string, zodSchema: z.ZodType): Contract {
  const ajv = new Ajv2020({ strict: true, allErrors: true });
  formats.default(ajv);
  const schema: unknown = JSON.parse(readFileSync(join(EVENTS_FOLDER, `${name}.schema.json`), 'utf8'));
  if (typeof schema !== 'object' || schema === null) throw new Error(`${name} is no schema`);
  return { validate: ajv.compile(schema), zodSchema };
}

export function sampleNames(): string[] {
  return readdirSync(SAMPLES_FOLDER)
    .filter((name) => name.endsWith('.json'))
    .sort();
}

export function sample(name: string): unknown {
  return JSON.parse(readFileSync(join(SAMPLES_FOLDER, name), 'utf8'));
}

/** A sample that is an object, for tests that change a copy of it: every call reads it anew. */
export function objectSample(name: string): Record<string, unknown> {
  const value = sample(name);
  if (!isRecord(value)) throw new Error(`${name} is no JSON object`);
  return value;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export interface Refusals {
  /** Where the JSON Schema is violated, such as "detail.status"; a missing or surplus member is named itself. */
  readonly ajv: readonly string[];
  /** The same for the zod schema. */
  readonly zod: readonly string[];
}

/** Where the two schemas of a contract find fault with `value`; nothing in either when they accept it. */
export function refusals({ validate, zodSchema }: Contract, value: unknown): Refusals {
  validate(value);
  const ajv = (validate.errors ?? []).map(({ instancePath, params }) =>
    [...instancePath.split('/').slice(1), params['missingProperty'] ?? params['additionalProperty']]
      .filter((part) => part !== undefined)
      .join('.'),
  );
  const zod = (zodSchema.safeParse(value).error?.issues ?? []).flatMap((issue) =>
    (issue.code === 'unrecognized_keys' ? issue.keys : [undefined]).map((key) =>
      [...issue.path, ...(key === undefined ? [] : [key])].join('.'),
    ),
  );
  return { ajv: [...new Set(ajv)], zod: [...new Set(zod)] };
}
