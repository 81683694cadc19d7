import * as z from 'zod';
import { resourceIdSchema } from '../contracts/fields.ts';
import type { QuotaSetting } from '../contracts/quotas.ts';

const nonBlank = () => z.string().trim().min(1);
export const wholeNumber = (minimum: number, maximum: number) => {
  const error = `must be a whole number from ${minimum} to ${maximum}`;
  return nonBlank().pipe(z.coerce.number<string>({ error }).int().min(minimum).max(maximum));
};

const yesOrNo = () => z.enum(['true', 'false']).transform((text) => text === 'true');

const perSecond = () => wholeNumber(1, 100_000);

/** Requests a second that the account may make of each operation. */
const quotaSettings = {
  CONNECTIONS_PER_SECOND: perSecond,
  ADMIN_SHELLS_PER_SECOND: perSecond,
  READS_PER_SECOND: perSecond,
  LISTS_PER_SECOND: perSecond,
  TERMINATIONS_PER_SECOND: perSecond,
  STREAM_GROUP_CALLS_PER_SECOND: perSecond,
} satisfies Record<QuotaSetting, typeof perSecond>;

/** Which stream groups are meant: those with these short ids, every one of the account, or those with a tag. */
export type StreamGroupSelection =
  | readonly string[]
  | 'all'
  | { readonly key: string; readonly value: string };

export function isIds(selection: StreamGroupSelection): selection is readonly string[] {
  return typeof selection !== 'string' && !('key' in selection);
}

/** Of a tag's characters those that every service takes (AWS Tagging Reference); a key ends at the first "=". */
const TAG = /^tag:([\p{L}\p{N} _.:/+@-]{1,128})=([\p{L}\p{N} _.:/=+@-]{1,256})$/u;

/** Reads `all`, `tag:<key>=<value>`, or short ids that are separated by commas. */
export function streamGroupSelection() {
  return z.string().transform((text, context): StreamGroupSelection => {
    const trimmed = text.trim();
    if (trimmed.toLowerCase() === 'all') return 'all';
    const [, key, value] = TAG.exec(trimmed) ?? [];
    if (key !== undefined && value !== undefined) return { key, value };
    const ids = [...new Set(trimmed.split(',').map((id) => id.trim()))].filter((id) => id !== '');
    if (ids.every((id) => resourceIdSchema.safeParse(id).success && !/^(all|none)$/i.test(id))) return ids;
    context.addIssue(problemOfSelection(trimmed));
    return z.NEVER;
  });
}

function problemOfSelection(text: string): string {
  if (/^tag:/i.test(text)) {
    return 'must have one tag, with a key and a value: tag:<key>=<value>, of letters, digits, spaces and _ . : / + - @';
  }
  const choice = 'must be all, tag:<key>=<value>, or short ids such as sg-1AB2C3De4, separated by commas';
  return text.includes('arn:')
    ? `${choice}; an ARN is none of them, because only stream groups of the deployment's own account and Region can be used`
    : choice;
}

/**
 * Every environment variable that a function reads; none has a default here. `serverless.yml` sets them. A schema
 * is made when it is asked for, because a cold start needs three or four of them.
 *
 * Why: docs/decisions/deployment.md#a-bundle-builds-the-schemas-that-its-function-uses
 */
export const settingSchemas = {
  AWS_REGION: nonBlank,
  TABLE_NAME: nonBlank,
  EVENT_BUS_NAME: nonBlank,
  /** EventBridge reserves "aws." for AWS's own services and refuses the entry. */
  EVENT_SOURCE: () => nonBlank().regex(/^(?!aws\.)/i, 'must not begin with "aws."'),
  RECONNECTION_WINDOW_ARN: nonBlank,
  /** The address of the queue whose messages invoke the function. */
  QUEUE_URL: () => z.url(),
  CREATE_CONNECTION_ARN: nonBlank,
  CREATE_ADMIN_SHELL_ARN: nonBlank,
  /** Seconds; the service's own range for ConnectionTimeoutSeconds. */
  DEFAULT_CONNECTION_TIMEOUT_SECONDS: () => wholeNumber(1, 3600),
  /** Seconds after a deadline before the service is asked how the session ended. */
  WINDOW_MARGIN_SECONDS: () => wholeNumber(0, 60),
  OUTCOME_RETENTION_DAYS: () => wholeNumber(1, 3650),
  TERMINATE_ABANDONED_SESSIONS: yesOrNo,
  /** Whether a session may be terminated before its deadline because a report says so (`giveUpAfterSeconds`). */
  ALLOW_EARLY_END: yesOrNo,
  /** Whether POST …/connections must come with the session's own UserId in the header x-user-id. */
  USER_ID_CHECK: yesOrNo,
  ...quotaSettings,
  /** Seconds from one look of the watcher to the next. */
  WATCH_INTERVAL_SECONDS: () => wholeNumber(1, 60),
  /** Which stream groups the watcher watches; no text turns it off. */
  WATCHED_STREAM_GROUPS: streamGroupSelection,
};

export type Settings = {
  [Name in keyof typeof settingSchemas]: z.infer<ReturnType<(typeof settingSchemas)[Name]>>;
};

/** What a function needs to open a window: the bus to publish to, the state machine to start, and what the window keeps. */
export const OPENING_SETTINGS = [
  'EVENT_BUS_NAME',
  'EVENT_SOURCE',
  'RECONNECTION_WINDOW_ARN',
  'DEFAULT_CONNECTION_TIMEOUT_SECONDS',
  'WINDOW_MARGIN_SECONDS',
  'TERMINATE_ABANDONED_SESSIONS',
  'OUTCOME_RETENTION_DAYS',
] as const satisfies readonly (keyof Settings)[];

/**
 * Reads the named environment variables, once, when a function's module loads.
 *
 * @throws Error naming every variable that is missing or wrong, so that a bad deployment fails at its first
 *   invocation and not in the middle of a window.
 */
export function readSettings<const Name extends keyof Settings>(
  names: readonly Name[],
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Pick<Settings, Name> {
  const problems: string[] = [];
  const settings: Partial<Settings> = {};
  for (const name of names) {
    const result = settingSchemas[name]().safeParse(environment[name]);
    if (result.success) Object.assign(settings, { [name]: result.data });
    else problems.push(`${name}: ${result.error.issues[0]?.message ?? 'invalid'}`);
  }
  if (problems.length > 0) throw new Error(`Environment variables to set or mend: ${problems.join('; ')}`);
  return pick(settings, names);
}

function pick<Name extends keyof Settings>(
  settings: Partial<Settings>,
  names: readonly Name[],
): Pick<Settings, Name> {
  const hasAll = (value: Partial<Settings>): value is Partial<Settings> & Pick<Settings, Name> =>
    names.every((name) => value[name] !== undefined);
  if (!hasAll(settings)) throw new Error('A setting was neither read nor refused.');
  return settings;
}
