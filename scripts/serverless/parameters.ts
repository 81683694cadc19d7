/**
 * The rules of `serverless.yml`'s parameters, so that a wrong one is refused before anything is packaged, and not by
 * CloudFormation in the middle of a deployment or by a function at its first invocation.
 */
import { z } from 'zod';
import {
  isIds,
  type StreamGroupSelection,
  settingSchemas,
  streamGroupSelection,
  wholeNumber,
} from '../../functions/shared/runtime/settings.ts';
import { MONITORING } from './template.ts';

/** CloudWatch Logs takes no other: API reference, PutRetentionPolicy. */
const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

const retentionDays = wholeNumber(1, 3653).refine((days) => RETENTION_DAYS.includes(days), {
  error: `must be one of ${RETENTION_DAYS.join(', ')}: CloudWatch Logs keeps logs no other number of days`,
});
/** A comma, which a name may have, separates the ARNs of a list. */
const PRINCIPAL_ARN = /^arn:aws[a-z-]*:iam::[\d*]{1,12}:(role|user)\/[\w+=.@/*-]{1,512}$/;
const switchSchema = z.enum(['true', 'false']);
const topicSchema = z
  .string()
  .regex(
    /^(arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256})?$/,
    'must be the ARN of an SNS topic (arn:aws:sns:<Region>:<account>:<name>); FIFO topics take no alarms',
  );

/** What a function checks again when it starts has its rule there; the rest is the template's alone. */
const parameterSchemas: Readonly<Record<string, z.ZodType>> = {
  eventSource: settingSchemas.EVENT_SOURCE(),
  defaultConnectionTimeoutSeconds: settingSchemas.DEFAULT_CONNECTION_TIMEOUT_SECONDS(),
  windowMarginSeconds: settingSchemas.WINDOW_MARGIN_SECONDS(),
  outcomeRetentionDays: settingSchemas.OUTCOME_RETENTION_DAYS(),
  terminateAbandonedSessions: settingSchemas.TERMINATE_ABANDONED_SESSIONS(),
  allowEarlyEnd: settingSchemas.ALLOW_EARLY_END(),
  userIdCheck: settingSchemas.USER_ID_CHECK(),
  connectionsPerSecond: settingSchemas.CONNECTIONS_PER_SECOND(),
  readsPerSecond: settingSchemas.READS_PER_SECOND(),
  terminationsPerSecond: settingSchemas.TERMINATIONS_PER_SECOND(),
  listsPerSecond: settingSchemas.LISTS_PER_SECOND(),
  streamGroupCallsPerSecond: settingSchemas.STREAM_GROUP_CALLS_PER_SECOND(),
  adminShellsPerSecond: settingSchemas.ADMIN_SHELLS_PER_SECOND(),
  openingConcurrency: wholeNumber(2, 1_000),
  openingReservedConcurrency: z.union([z.literal(''), wholeNumber(1, 100_000)], {
    error: 'must be a whole number from 1 to 100000, or nothing',
  }),
  watchedStreamGroups: z
    .string()
    .transform((text) => (isNone(text) ? '' : text))
    .pipe(streamGroupSelection()),
  watchIntervalSeconds: settingSchemas.WATCH_INTERVAL_SECONDS(),
  streamGroups: streamGroupSelection(),
  eventBus: z
    .string()
    .regex(
      /^([A-Za-z0-9._-]{1,256})?$/,
      'must be the name of an event bus of this account and Region: what its ARN has after "event-bus/"',
    ),
  kmsKeyArn: z
    .string()
    .regex(
      /^(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+)?$/,
      'must be the ARN of a KMS key (arn:aws:kms:<Region>:<account>:key/<id>); an alias will not do, for IAM knows keys only',
    ),
  pageTopicArn: topicSchema,
  ticketTopicArn: topicSchema,
  // It stands in a description and in a dashboard's JSON.
  runbookUrl: z
    .string()
    .regex(/^[\w./:~%?=&-]{1,300}$/, 'must be an address or a path, without spaces, quotes and "#"'),
  watchInvocations: switchSchema,
  adminShellPrincipals: z.string().refine((text) => listOf(text).every((arn) => PRINCIPAL_ARN.test(arn)), {
    error:
      'must be ARNs of IAM roles and users (arn:aws:iam::<account>:role/<name>), separated by commas; for whoever assumes a role, the role',
  }),
  lostWindowsPercent: wholeNumber(1, 100),
  logRetentionDays: retentionDays,
  adminShellAuditDays: retentionDays,
  apiRequestsPerSecond: wholeNumber(1, 100_000),
  apiRequestBurst: wholeNumber(1, 100_000),
  manageApiGatewayAccount: switchSchema,
  monitoring: z.enum(MONITORING),
  tableDeletionPolicy: z.enum(['Retain', 'RetainExceptOnCreate', 'Delete']),
  // DynamoDB's API reference, CreateTable.
  tableName: z
    .string()
    .regex(/^([A-Za-z0-9._-]{3,255})?$/, 'must be the name of a DynamoDB table of this account and Region'),
  adoptAdminShellLog: switchSchema,
  deletionProtection: switchSchema,
  permissionsBoundaryArn: z
    .string()
    .regex(/^(arn:aws[a-z-]*:iam::(\d{12}|aws):policy\/[\w+=,.@/-]{1,512})?$/, {
      error: 'must be the ARN of an IAM policy (arn:aws:iam::<account>:policy/<name>)',
    }),
  // IAM's API reference, CreateRole.
  rolePath: z
    .string()
    .regex(/^(\/|\/[\w+=,.@/-]{1,510}\/)?$/, 'must begin and end with "/", such as /games/reconnection/'),
  tags: z.string().refine((text) => tagsOf(text) !== undefined, {
    error: 'must be key=value, separated by commas: 40 at most, and no key that begins with "aws:"',
  }),
  // S3's User Guide, "General purpose bucket naming rules".
  deploymentBucket: z
    .string()
    .regex(/^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$/, 'must be the name of an S3 bucket'),
  deploymentRoleArn: z
    .string()
    .regex(
      /^(arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,576})?$/,
      'must be the ARN of an IAM role (arn:aws:iam::<account>:role/<name>)',
    ),
};

/** Parameters of earlier releases, and what to give instead. */
const REPLACED: Readonly<Record<string, string>> = {
  alarmTopicArn:
    'is now two: pageTopicArn, for what somebody must act on now, and ticketTopicArn, for the rest. Give both; the same topic twice is as it was.',
};

export type Parameters = Readonly<Record<string, string>>;

/** `params` of `serverless.yml`: by stage, and `default`. */
const paramsSchema = z.record(z.string(), z.record(z.string(), z.unknown()));

/** The parameters of a stage: the command line's, else the stage's, else the default. */
export function parametersOf(
  params: unknown,
  stage: string,
  commandLine: readonly string[] = [],
): Parameters {
  return { ...defaultsOf(params), ...givenOf(params, stage, commandLine) };
}

export function defaultsOf(params: unknown): Parameters {
  return textsOf(paramsSchema.parse(params ?? {})['default']);
}

/** The parameters that a deployment is given, by the stage's file and by the command line, also where they equal the default. */
export function givenOf(params: unknown, stage: string, commandLine: readonly string[] = []): Parameters {
  const ofCommandLine = commandLine.map((text): [string, string] => {
    const [name = '', ...value] = text.split('=');
    return [name, value.join('=').trimEnd()];
  });
  return {
    ...textsOf(paramsSchema.parse(params ?? {})[stage]),
    ...Object.fromEntries(ofCommandLine),
  };
}

function textsOf(values: Readonly<Record<string, unknown>> = {}): Parameters {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

/**
 * What is wrong with the parameters, each with its name and what to do; none when they will do.
 *
 * @param region where the service is deployed, where it is known.
 */
export function problemsOf(parameters: Parameters, region?: string): string[] {
  const problems = region === undefined ? [] : problemsOfRegion(parameters, region);
  for (const [name, value] of Object.entries(parameters)) {
    // Not by index: `constructor` is nobody's parameter, and every object has one.
    const schema = Object.hasOwn(parameterSchemas, name) ? parameterSchemas[name] : undefined;
    if (schema === undefined) {
      const known = Object.keys(parameterSchemas).sort().join(', ');
      const replaced = Object.hasOwn(REPLACED, name) ? REPLACED[name] : undefined;
      problems.push(`${name}: ${replaced ?? `there is no such parameter. There are ${known}.`}`);
      continue;
    }
    const result = schema.safeParse(value);
    if (!result.success) {
      problems.push(`${name}, "${value}": ${result.error.issues[0]?.message ?? 'is not valid'}`);
    }
  }
  return [...problems, ...problemsOfWatched(parameters)];
}

/** The watcher's roles and windows are this service's, so it watches no stream group that the service is not for. */
function problemsOfWatched(parameters: Parameters): string[] {
  const allowed = streamGroupSelection().safeParse(streamGroupsText(parameters));
  const watched = streamGroupSelection().safeParse(watchedStreamGroupsText(parameters));
  if (!allowed.success || !watched.success) return [];
  const named = isIds(watched.data) ? watched.data : [watchedStreamGroupsText(parameters)];
  const strangers = named.filter((one) => !mayBeWatched(one, watched.data, allowed.data));
  return strangers.length === 0
    ? []
    : [`watchedStreamGroups: ${strangers.join(', ')} must be among streamGroups too`];
}

function mayBeWatched(id: string, watched: StreamGroupSelection, allowed: StreamGroupSelection): boolean {
  if (allowed === 'all') return true;
  if (isIds(allowed)) return isIds(watched) && allowed.includes(id);
  // Whether a stream group has the tag, only the account knows.
  if (watched === 'all') return false;
  return isIds(watched) || (watched.key === allowed.key && watched.value === allowed.value);
}

const isNone = (text: string) => text.trim().toLowerCase() === 'none';

/** Which stream groups the service is for: every one of the account where nothing is said. */
export function streamGroupsText({ streamGroups = '' }: Parameters): string {
  return streamGroups.trim() === '' ? 'all' : streamGroups;
}

/** Which of them the watcher watches, as its setting says it: all of them unless the parameter says otherwise. */
export function watchedStreamGroupsText(parameters: Parameters): string {
  const watched = (parameters['watchedStreamGroups'] ?? '').trim();
  if (isNone(watched)) return '';
  return watched === '' ? streamGroupsText(parameters) : watched;
}

/** `sg-a, sg-b` → `['sg-a', 'sg-b']`, each once. */
export function listOf(text = ''): string[] {
  return [...new Set(text.split(',').map((id) => id.trim()))].filter((id) => id !== '');
}

/** Returns the topics of pages and tickets. A page without its own topic goes to the tickets'; a ticket never goes to the pages' topic. */
export function alarmTopicsOf(
  pageTopicArn: string,
  ticketTopicArn: string,
): { readonly pages: string[]; readonly tickets: string[] } {
  const listed = (arn: string) => (arn === '' ? [] : [arn]);
  return {
    pages: listed(pageTopicArn === '' ? ticketTopicArn : pageTopicArn),
    tickets: listed(ticketTopicArn),
  };
}

/**
 * Where Amazon GameLift Streams has its control plane; other Regions only stream. Developer Guide, "AWS Regions and
 * streaming locations supported by Amazon GameLift Streams", read on 2026-11-28. AWS may have added some since: add
 * them here.
 */
const REGIONS_OF_SERVICE = ['us-east-2', 'us-west-2', 'ap-northeast-1', 'eu-central-1'];

/** Keys and topics must be of the Region that they are used in; an ARN of IAM names none. */
function problemsOfRegion(parameters: Parameters, region: string): string[] {
  const problems = REGIONS_OF_SERVICE.includes(region)
    ? []
    : [
        `region, "${region}": Amazon GameLift Streams is not there. It is in ${REGIONS_OF_SERVICE.join(', ')}; ` +
          'scripts/serverless/parameters.ts has the list and its date',
      ];
  for (const [name, value] of Object.entries(parameters)) {
    const [, regionOfArn] = /^arn:[^:]*:[^:]*:([^:]+):/.exec(value) ?? [];
    if (regionOfArn === undefined || regionOfArn === region) continue;
    problems.push(`${name}, "${value}": is of ${regionOfArn}, and the service is deployed in ${region}`);
  }
  return problems;
}

/** `team=games,cost=17` → `{ team: 'games', cost: '17' }`; undefined when the text is not of that form. */
export function tagsOf(text = ''): Readonly<Record<string, string>> | undefined {
  const pairs = text
    .split(',')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')
    .map((pair) => /^(?!aws:)([\w.:/+@ -]{1,128})=([\w.:/=+@ -]{0,256})$/i.exec(pair));
  const tags: Record<string, string> = {};
  for (const pair of pairs) {
    if (pair === null) return undefined;
    const [, key = '', value = ''] = pair;
    tags[key] = value;
  }
  // Of the 50 that AWS lets a resource have, some are the stack's.
  return pairs.length > 40 ? undefined : tags;
}
