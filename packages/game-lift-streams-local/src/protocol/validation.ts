import {
  ExportFilesStatus,
  Protocol,
  StreamClass,
  StreamSessionStatus,
} from '@aws-sdk/client-gameliftstreams';
import { z } from 'zod';
import { serialization, validation } from './service-error.ts';

/*
 * Every member's documented constraints (API model 2018-05-10: lengths, patterns, ranges, enums). The SDK
 * checks none of them before it sends.
 */

const identifier = z
  .string()
  .min(1)
  .max(128)
  .regex(/^(?:[a-zA-Z0-9-]+|arn:aws:gameliftstreams:[^: ]*:[0-9]{12}:[^: ]*)$/);
const clientToken = z
  .string()
  .min(32)
  .max(128)
  .regex(/^[\x21-\x7E]+$/);
const signalRequest = z.string().min(1);
const description = z
  .string()
  .min(1)
  .max(80)
  .regex(/^[a-zA-Z0-9-_.!+@/][a-zA-Z0-9-_.!+@/ ]*$/);
const seconds = (max: number) => z.int().min(1).max(max);

/** 1920 × 1080: more pixels than that the virtual monitor has not. */
const MAX_PIXELS = 2_073_600;
const evenPixels = z
  .int()
  .min(320)
  .max(4096)
  .refine((pixels) => pixels % 2 === 0, 'Member must be an even number');
const resolution = z
  .object({ Width: evenPixels, Height: evenPixels })
  .refine(
    ({ Width, Height }) => Width * Height <= MAX_PIXELS,
    `Member must have at most ${MAX_PIXELS} pixels`,
  );

const environmentVariables = z
  .record(
    z
      .string()
      .min(1)
      .max(256)
      .regex(/^[_a-zA-Z][_a-zA-Z0-9]*$/),
    z.string().max(4096),
  )
  .refine((map) => Object.keys(map).length <= 50, 'Member must have length less than or equal to 50');

export const startStreamSessionInput = z.object({
  Identifier: identifier,
  Protocol: z.enum(Protocol),
  SignalRequest: signalRequest,
  ApplicationIdentifier: identifier,
  ClientToken: clientToken.optional(),
  Description: description.optional(),
  UserId: z
    .string()
    .max(1024)
    .regex(/^[-_a-zA-Z0-9/=+]*$/)
    .optional(),
  Locations: z
    .array(
      z
        .string()
        .min(1)
        .max(20)
        .regex(/^[a-zA-Z0-9-]+$/),
    )
    .min(1)
    .optional(),
  ConnectionTimeoutSeconds: seconds(3600).optional(),
  SessionLengthSeconds: seconds(86_400).optional(),
  AdditionalLaunchArgs: z.array(z.string()).max(100).optional(),
  AdditionalEnvironmentVariables: environmentVariables.optional(),
  PerformanceStatsConfiguration: z.object({ SharedWithClient: z.boolean().optional() }).optional(),
  RoleArn: z
    .string()
    .min(20)
    .max(2048)
    .regex(/^arn:aws[a-zA-Z-]*:iam::\d{12}:role\/.+$/)
    .refine(
      (arn) => arn.slice(arn.lastIndexOf('/') + 1).startsWith('GameLiftStreams-'),
      'The role name must start with GameLiftStreams-',
    )
    .optional(),
  DisplayConfiguration: z.object({ Resolution: resolution.optional() }).optional(),
});

export const streamSessionInput = z.object({ Identifier: identifier, StreamSessionIdentifier: identifier });

export const createConnectionInput = streamSessionInput.extend({
  SignalRequest: signalRequest,
  ClientToken: clientToken.optional(),
});

export const listByAccountInput = z.object({
  Status: z.enum(StreamSessionStatus).optional(),
  ExportFilesStatus: z.enum(ExportFilesStatus).optional(),
  MaxResults: z.int().min(1).max(100).optional(),
  NextToken: z.string().optional(),
});

export const listInput = listByAccountInput.extend({ Identifier: identifier });

/** "aws:" is reserved for AWS's own tags, as for every service that has tags. */
const tagKey = z
  .string()
  .min(1)
  .max(128)
  .refine((key) => !key.toLowerCase().startsWith('aws:'), 'Tag keys must not begin with aws:');
const MOST_TAGS = 50;
const tags = z.record(tagKey, z.string().max(256)).refine((map) => {
  const count = Object.keys(map).length;
  return count >= 1 && count <= MOST_TAGS;
}, `Member must have length between 1 and ${MOST_TAGS}`);
const capacity = z.int().min(0);

export const createStreamGroupInput = z.object({
  Description: description,
  StreamClass: z.enum(StreamClass),
  DefaultApplicationIdentifier: identifier.optional(),
  LocationConfigurations: z
    .array(
      z.object({
        LocationName: z
          .string()
          .min(1)
          .max(20)
          .regex(/^[a-zA-Z0-9-]+$/),
        AlwaysOnCapacity: capacity.optional(),
        OnDemandCapacity: capacity.optional(),
        TargetIdleCapacity: capacity.optional(),
        MaximumCapacity: capacity.optional(),
      }),
    )
    .min(1)
    .max(100)
    .optional(),
  Tags: tags.optional(),
  ClientToken: clientToken.optional(),
});

export const streamGroupInput = z.object({ Identifier: identifier });

export const listStreamGroupsInput = z.object({
  MaxResults: z.int().min(1).max(100).optional(),
  NextToken: z.string().optional(),
});

const resourceArn = z
  .string()
  .min(1)
  .max(128)
  .regex(/^arn:aws:gameliftstreams:[^: ]*:[0-9]{12}:[^: ]*$/);
export const listTagsInput = z.object({ ResourceArn: resourceArn });
export const tagInput = listTagsInput.extend({ Tags: tags });
export const untagInput = listTagsInput.extend({ TagKeys: z.array(z.string().min(1).max(128)).max(50) });

/** @throws ServiceError ValidationException for more tags than a resource may have. */
export function checkTagCount(map: Readonly<Record<string, string>>): void {
  if (Object.keys(map).length > MOST_TAGS) {
    throw validation(`A resource has at most ${MOST_TAGS} tags.`);
  }
}

export type StartStreamSessionParameters = z.output<typeof startStreamSessionInput>;
export type ListParameters = z.output<typeof listByAccountInput>;

/**
 * The members as `schema` has them; what it does not know is left out, as restJson1 does.
 *
 * @throws ServiceError SerializationException when a member has another JSON type, ValidationException when
 *   it breaks a constraint. No message holds a value: one of them is an offer.
 */
export function parseInput<Schema extends z.ZodType>(
  schema: Schema,
  members: Readonly<Record<string, unknown>>,
): z.output<Schema> {
  const result = schema.safeParse(members);
  if (result.success) return result.data;
  const problems = firstOfEachMember(result.error.issues.map((issue) => describe(issue, members)));
  const wrongType = problems.find((problem) => problem.isWrongType);
  if (wrongType !== undefined) throw serialization(`The member ${wrongType.path} has the wrong type.`);
  const texts = problems.map(({ path, text }) => `Value at '${path}' failed to satisfy constraint: ${text}`);
  const noun = problems.length === 1 ? 'error' : 'errors';
  throw validation(`${problems.length} validation ${noun} detected. ${texts.join('; ')}`);
}

interface Problem {
  readonly path: string;
  readonly text: string;
  readonly isWrongType: boolean;
}

/** An empty Description breaks its pattern too: one constraint is enough to say what is wrong. */
function firstOfEachMember(problems: readonly Problem[]): Problem[] {
  return problems.filter(({ path }, index) => problems.findIndex((other) => other.path === path) === index);
}

function describe(issue: z.core.$ZodIssue, members: unknown): Problem {
  const path = memberPath(issue.path);
  const of = (text: string): Problem => ({ path, text, isWrongType: false });
  switch (issue.code) {
    case 'invalid_type':
      if (valueAt(members, issue.path) === undefined) return of('Member must not be null');
      return { path, text: '', isWrongType: true };
    case 'too_small':
      return of(`Member must ${atLeast(issue.origin)} or equal to ${issue.minimum}`);
    case 'too_big':
      return of(`Member must ${atMost(issue.origin)} or equal to ${issue.maximum}`);
    case 'invalid_format':
      return of(`Member must satisfy regular expression pattern: ${issue.pattern ?? issue.format}`);
    case 'invalid_value': {
      const value = valueAt(members, issue.path);
      if (value === undefined) return of('Member must not be null');
      if (typeof value !== 'string') return { path, text: '', isWrongType: true };
      return of(`Member must satisfy enum value set: [${issue.values.map(String).join(', ')}]`);
    }
    case 'invalid_key':
      return of(
        path === '/Tags'
          ? 'Map keys must have length between 1 and 128 and must not begin with aws:'
          : 'Map keys must have length between 1 and 256 and match ^[_a-zA-Z][_a-zA-Z0-9]*$',
      );
    case 'custom':
      return of(issue.message);
    default:
      return of('Member is not valid');
  }
}

const isNumber = (origin: string) => origin === 'number' || origin === 'int';
const atLeast = (origin: string) => (isNumber(origin) ? 'be greater than' : 'have length greater than');
const atMost = (origin: string) => (isNumber(origin) ? 'be less than' : 'have length less than');

/** `/DisplayConfiguration/Resolution/Width`; a map's key is the caller's own text and is left out. */
function memberPath(path: readonly PropertyKey[]): string {
  const isMap = path[0] === 'AdditionalEnvironmentVariables' || path[0] === 'Tags';
  const shown = isMap ? path.slice(0, 1) : path;
  return `/${shown.map(String).join('/')}`;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, key);
  }
  return value ?? undefined;
}

/** The query's members, with the one number that is among them. */
export function listMembers(query: URLSearchParams): Record<string, unknown> {
  const members: Record<string, unknown> = Object.fromEntries(query);
  const maxResults = members['MaxResults'];
  if (typeof maxResults !== 'string') return members;
  if (!/^-?\d{1,9}$/.test(maxResults)) throw serialization('The member /MaxResults has the wrong type.');
  return { ...members, MaxResults: Number(maxResults) };
}
