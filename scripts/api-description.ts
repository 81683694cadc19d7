/**
 * Describes the API for tools: as an OpenAPI 3.1 document, as a service model that botocore and the AWS CLI take, and as the
 * types of the client for backends. All three come from the schemas and codes that the functions use.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import {
  createConnectionBodySchema,
  ERROR_STATUSES,
  type ErrorType,
  leavingBodySchema,
  REFUSAL_CODE_HEADER,
  REFUSALS,
  type RefusalCode,
  windowReplySchema,
} from '../functions/shared/contracts/index.ts';

const root = join(import.meta.dirname, '..');
const TITLE = 'Stream session reconnection';
const API_VERSION = '2026-11-28';

export const DESCRIPTION_FILES = {
  openApi: 'clients/openapi.json',
  serviceModel: `clients/python/reconnection_client/data/streamreconnection/${API_VERSION}/service-2.json`,
  types: 'packages/reconnection-client/src/backend/api.ts',
} as const;

const adminShellReplySchema = z
  .object({
    SessionId: z.string().describe('Names the shell to the Session Manager plugin'),
    StreamUrl: z.string().describe('Where the plugin connects, within 60 s'),
    TokenValue: z.string().describe('A credential: whoever has it has the shell'),
  })
  .meta({ title: 'Admin shell' });

const connectionReplySchema = z
  .object({ SignalResponse: z.string().describe('The WebRTC answer, for processSignalResponse()') })
  .meta({ title: 'Connection' });

/** What API Gateway itself refuses, on every route. */
const GATEWAY_CODES = [
  'CALLER_NOT_ALLOWED',
  'NOT_SIGNED',
  'INVALID_SIGNATURE',
  'CREDENTIALS_EXPIRED',
  'NO_ROUTE',
  'API_THROTTLED',
  'TIMED_OUT',
  'INVALID_REQUEST',
  'REQUEST_FAILED',
] as const satisfies readonly RefusalCode[];

const CALL_CODES = [
  'SESSION_NOT_FOUND',
  'SERVICE_ACCESS_DENIED',
  'SWITCHED_OFF',
  'PASSED_THROUGH',
  'QUOTA_USED_UP',
] as const satisfies readonly RefusalCode[];

interface HeaderParameter {
  readonly member: string;
  readonly header: string;
  readonly description: string;
  readonly pattern?: string;
}

interface Route {
  readonly operation: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly description: string;
  readonly body?: z.ZodObject;
  /** Undefined for a route that replies 204. */
  readonly reply?: z.ZodObject;
  readonly headers: readonly HeaderParameter[];
  readonly codes: readonly RefusalCode[];
  /** Samples in `events/samples` of the body and the reply. */
  readonly samples: { readonly body?: string; readonly replies: readonly string[] };
}

const SESSION = '/streamgroups/{Identifier}/streamsessions/{StreamSessionIdentifier}';

const USER_ID: HeaderParameter = {
  member: 'UserId',
  header: 'x-user-id',
  description: "The session's UserId, where the API checks that the session belongs to the player",
  pattern: '^[A-Za-z0-9_/=+-]{1,1024}$',
};

export const ROUTES: readonly Route[] = [
  {
    operation: 'CreateStreamSessionConnection',
    method: 'POST',
    path: `${SESSION}/connections`,
    description:
      'Reconnects a player: takes a new WebRTC offer and returns the answer. Send the same request again when Retry-After says so.',
    body: createConnectionBodySchema,
    reply: connectionReplySchema,
    headers: [USER_ID],
    codes: [
      ...CALL_CODES,
      'CLIENT_TOKEN_REUSED',
      'OFFER_REJECTED',
      'NOT_THE_USERS_SESSION',
      'SOMEBODY_CONNECTED',
      'NEW_OFFER_NEEDED',
      'NEWER_OFFER',
      'SESSION_ENDED',
      'SESSION_ENDING',
      'NOT_RECONNECTABLE',
      'LOSS_NOT_NOTICED',
      'SESSION_BUSY',
      'TURN_LATER',
      'NOT_IN_TIME',
      'RECONNECTION_FAILED',
      ...GATEWAY_CODES,
    ],
    samples: { body: 'create-stream-session-connection.request.json', replies: [] },
  },
  {
    operation: 'CreateStreamSessionAdminShell',
    method: 'POST',
    path: `${SESSION}/access`,
    description: 'Opens an admin shell on a live session, and records who asked for it and why.',
    reply: adminShellReplySchema,
    headers: [
      { member: 'Reason', header: 'x-reason', description: 'Why the shell is needed, for the audit trail' },
    ],
    codes: [
      ...CALL_CODES,
      'STATUS_WITHOUT_ADMIN_SHELL',
      'ADMIN_SHELL_REJECTED',
      'ADMIN_SHELL_NOT_READY',
      'ADMIN_SHELL_FAILED',
      ...GATEWAY_CODES,
    ],
    samples: { replies: [] },
  },
  {
    operation: 'TerminateStreamSession',
    method: 'DELETE',
    path: SESSION,
    description:
      'Ends a session on purpose, for a player who leaves. Its reconnection window does not count as lost. Harmless when repeated.',
    headers: [
      USER_ID,
      {
        member: 'EndedBy',
        header: 'x-ended-by',
        description: 'Who ends it: LEFT for its player, which is the default, or OPERATOR',
        pattern: '^(LEFT|OPERATOR)$',
      },
    ],
    codes: [...CALL_CODES, 'NOT_THE_USERS_SESSION', ...GATEWAY_CODES],
    samples: { replies: [] },
  },
  {
    operation: 'NoteLeaving',
    method: 'POST',
    path: `${SESSION}/leaving`,
    description:
      'Says that a page may be going away. Unless its player asks again in time, the session is ended, and does not count as lost.',
    body: leavingBodySchema,
    headers: [USER_ID],
    codes: [...CALL_CODES, 'NOT_THE_USERS_SESSION', ...GATEWAY_CODES],
    samples: { body: 'leaving.request.json', replies: [] },
  },
  {
    operation: 'GetReconnectionWindow',
    method: 'GET',
    path: `${SESSION}/window`,
    description: "Returns the session's latest reconnection window. A page may ask every second.",
    reply: windowReplySchema,
    headers: [],
    codes: ['WINDOW_NOT_FOUND', ...GATEWAY_CODES],
    samples: {
      replies: [
        'reconnection-window.awaiting-reconnection.reply.json',
        'reconnection-window.closed.reply.json',
      ],
    },
  },
];

const PARAMETERS = [
  { name: 'Identifier', description: 'The stream group: its id, or its ARN percent-encoded' },
  { name: 'StreamSessionIdentifier', description: 'The stream session: its id, or its ARN percent-encoded' },
] as const;

const ERROR_TYPES = Object.keys(ERROR_STATUSES).filter((type): type is ErrorType => type in ERROR_STATUSES);

/** The error types that a route can reply with. Those of the service come along where its errors pass through. */
function typesOf({ codes }: Route): readonly ErrorType[] {
  const types = new Set<ErrorType | undefined>(codes.map((code) => REFUSALS[code].type));
  if (types.has(undefined)) types.add('ValidationException').add('ConflictException');
  return ERROR_TYPES.filter((type) => types.has(type));
}

/** How a session ended, beside the Message of a SESSION_ENDED. */
const CONFLICT_MEMBERS = {
  Outcome: 'How the session ended: TERMINATED or ERRORED',
  Cause: 'Whose doing it was, such as TIMED_OUT, LEFT or APPLICATION',
  StatusReason: "The service's reason, such as reconnectionTimeout",
} as const;

type Json = Readonly<Record<string, unknown>>;

/** Every file with its text. */
export async function descriptionFiles(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    [DESCRIPTION_FILES.openApi, await openApiText()],
    [DESCRIPTION_FILES.serviceModel, serviceModelText()],
    [DESCRIPTION_FILES.types, typesText()],
  ]);
}

/** Returns the OpenAPI document as its file holds it. */
async function openApiText(): Promise<string> {
  const { version } = await readJson('package.json');
  const paths: Record<string, Json> = {};
  for (const route of ROUTES) {
    paths[route.path] = {
      ...paths[route.path],
      parameters: pathParameters(),
      [route.method.toLowerCase()]: await operationOf(route),
    };
  }
  return textOf({
    openapi: '3.1.0',
    info: {
      title: TITLE,
      version,
      description:
        'Reconnects players to Amazon GameLift Streams sessions. The paths, bodies and errors of POST …/connections and POST …/access are those of the service itself, and so are those of DELETE; POST …/leaving and GET …/window are ours. Requests are signed with Signature Version 4 for the service execute-api.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [
      {
        url: 'https://{api}.execute-api.{region}.amazonaws.com/{stage}',
        variables: {
          api: { default: 'a1b2c3d4e5' },
          region: { default: 'us-west-2' },
          stage: { default: 'dev' },
        },
      },
    ],
    security: [{ sigv4: [] }],
    paths,
    components: {
      securitySchemes: {
        sigv4: {
          type: 'apiKey',
          in: 'header',
          name: 'Authorization',
          'x-amazon-apigateway-authtype': 'awsSigv4',
        },
      },
      schemas: {
        Refusal: {
          type: 'object',
          required: ['Message'],
          properties: {
            Message: { type: 'string', description: 'For people. It may change: go by the code' },
            ...Object.fromEntries(
              Object.entries(CONFLICT_MEMBERS).map(([name, description]) => [
                name,
                { type: 'string', description },
              ]),
            ),
          },
        },
      },
    },
  });
}

function pathParameters(): readonly Json[] {
  return PARAMETERS.map((parameter) => ({
    ...parameter,
    in: 'path',
    required: true,
    schema: { type: 'string', minLength: 1, maxLength: 384 },
  }));
}

async function operationOf(route: Route): Promise<Json> {
  const { operation, description, headers, body, reply, samples } = route;
  return {
    operationId: operation,
    description,
    parameters: headers.map(({ header, description: what, pattern }) => ({
      name: header,
      in: 'header',
      description: what,
      schema: { type: 'string', ...(pattern === undefined ? {} : { pattern }) },
    })),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: {
              'application/json': {
                schema: schemaOf(body),
                examples: await examplesOf(samples.body === undefined ? [] : [samples.body]),
              },
            },
          },
        }),
    responses: {
      ...(reply === undefined
        ? { 204: { description: 'Done' } }
        : {
            200: {
              description: titleOf(reply),
              content: {
                'application/json': { schema: schemaOf(reply), examples: await examplesOf(samples.replies) },
              },
            },
          }),
      ...refusalsOf(route),
    },
  };
}

function refusalsOf(route: Route): Json {
  const statuses = [...new Set(typesOf(route).map((type) => ERROR_STATUSES[type]))];
  return Object.fromEntries(
    statuses.map((status) => {
      const types = typesOf(route).filter((type) => ERROR_STATUSES[type] === status);
      const codes = route.codes.filter((code) => {
        const { type } = REFUSALS[code];
        return type === undefined || types.includes(type);
      });
      const hasRetryAfter = codes.some((code) => REFUSALS[code].hasRetryAfter);
      return [
        status,
        {
          description: types.join(' or '),
          headers: {
            'x-amzn-errortype': { schema: { enum: types } },
            [REFUSAL_CODE_HEADER]: { schema: { enum: codes } },
            ...(hasRetryAfter
              ? { 'retry-after': { description: 'In seconds', schema: { type: 'integer', minimum: 1 } } }
              : {}),
          },
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Refusal' } } },
        },
      ];
    }),
  );
}

/** Returns the service model for botocore as its file holds it. */
function serviceModelText(): string {
  const shapes: Record<string, Json> = {
    String: { type: 'string' },
    Secret: { type: 'string', sensitive: true },
    Integer: { type: 'integer' },
    Double: { type: 'double' },
    Boolean: { type: 'boolean' },
  };
  const operations: Record<string, Json> = {};
  for (const route of ROUTES) {
    const input = `${route.operation}Request`;
    const output = `${route.operation}Response`;
    shapes[input] = inputShape(route);
    if (route.reply !== undefined) shapes[output] = { type: 'structure', members: membersOf(route.reply) };
    operations[route.operation] = {
      name: route.operation,
      http: {
        method: route.method,
        requestUri: route.path,
        responseCode: route.reply === undefined ? 204 : 200,
      },
      input: { shape: input },
      ...(route.reply === undefined ? {} : { output: { shape: output } }),
      errors: typesOf(route).map((shape) => ({ shape })),
      documentation: `<p>${route.description}</p>`,
    };
  }
  for (const type of ERROR_TYPES) shapes[type] = errorShape(type);
  return textOf({
    version: '2.0',
    metadata: {
      apiVersion: API_VERSION,
      auth: ['aws.auth#sigv4'],
      endpointPrefix: 'execute-api',
      protocol: 'rest-json',
      protocols: ['rest-json'],
      serviceFullName: TITLE,
      serviceId: 'StreamReconnection',
      signatureVersion: 'v4',
      signingName: 'execute-api',
      uid: `streamreconnection-${API_VERSION}`,
    },
    operations,
    shapes,
    documentation:
      '<p>Reconnects players to Amazon GameLift Streams sessions. Requests are signed for execute-api.</p>',
  });
}

function inputShape({ body, headers }: Route): Json {
  const members: Record<string, Json> = {};
  for (const { name, description } of PARAMETERS) {
    members[name] = uriOrHeader('uri', name, description);
  }
  for (const { member, header, description } of headers)
    members[member] = uriOrHeader('header', header, description);
  const required = body === undefined ? [] : requiredOf(body);
  return {
    type: 'structure',
    required: [...PARAMETERS.map(({ name }) => name), ...required],
    members: { ...members, ...(body === undefined ? {} : membersOf(body)) },
  };
}

function uriOrHeader(location: 'uri' | 'header', locationName: string, description: string): Json {
  return { shape: 'String', location, locationName, documentation: `<p>${description}.</p>` };
}

/** Offers, answers and credentials, which botocore keeps out of its logs. */
const SECRETS = ['SignalRequest', 'SignalResponse', 'StreamUrl', 'TokenValue', 'SessionId'];

function membersOf(schema: z.ZodObject): Json {
  const properties = z.record(z.string(), z.looseObject({})).parse(schemaOf(schema)['properties']);
  return Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [
      name,
      {
        shape: SECRETS.includes(name) ? 'Secret' : shapeOf(property),
        ...(name === 'ClientToken' ? { idempotencyToken: true } : {}),
        ...(typeof property['description'] === 'string'
          ? { documentation: `<p>${property['description']}.</p>` }
          : {}),
      },
    ]),
  );
}

function shapeOf({ type, const: constant }: Json): string {
  if (typeof constant === 'boolean') return 'Boolean';
  return { integer: 'Integer', number: 'Double', boolean: 'Boolean' }[String(type)] ?? 'String';
}

function errorShape(type: ErrorType): Json {
  const inHeader = (shape: string, locationName: string, documentation: string) => ({
    shape,
    location: 'header',
    locationName,
    documentation: `<p>${documentation}.</p>`,
  });
  const status = ERROR_STATUSES[type];
  return {
    type: 'structure',
    required: ['Message'],
    members: {
      Message: { shape: 'String' },
      ReconnectionCode: inHeader('String', REFUSAL_CODE_HEADER, 'Why the request was refused'),
      RetryAfterSeconds: inHeader('Integer', 'retry-after', 'When to send the same request again'),
      ...(type === 'ConflictException'
        ? Object.fromEntries(
            Object.entries(CONFLICT_MEMBERS).map(([name, description]) => [
              name,
              { shape: 'String', documentation: `<p>${description}.</p>` },
            ]),
          )
        : {}),
    },
    error: { httpStatusCode: status, ...(status < 500 ? { senderFault: true } : {}) },
    exception: true,
    ...(status >= 500 ? { fault: true } : {}),
  };
}

/** Returns the types of the client for backends as their file holds them. */
function typesText(): string {
  const codes = Object.keys(REFUSALS).map((code) => `  | '${code}'`);
  const properties = z.record(z.string(), z.looseObject({})).parse(schemaOf(windowReplySchema)['properties']);
  const required = requiredOf(windowReplySchema);
  const members = Object.entries(properties).map(([name, property]) => {
    const { description } = property;
    const comment = typeof description === 'string' ? `  /** ${description}. */\n` : '';
    const member = `  readonly ${name}${required.includes(name) ? '' : '?'}:`;
    const type = typeScriptOf(property);
    // As the formatter breaks a union that does not fit.
    const isLong = member.length + type.length > 105;
    return `${comment}${member}${isLong ? type.replaceAll(/(?:^| \| )/g, '\n    | ') : ` ${type}`};`;
  });
  return [
    '// Written by `npm run events` from the schemas that the functions use. Do not edit.',
    '',
    '/** Why the API refused a request: the header `x-reconnection-code`. */',
    'export type RefusalCode =',
    `${codes.join('\n')};`,
    '',
    '/** The reply of `GET …/window`. More members may come. */',
    'export interface ReconnectionWindow {',
    members.join('\n'),
    '}',
    '',
  ].join('\n');
}

function typeScriptOf({ type, const: constant, enum: values }: Json): string {
  if (constant !== undefined) return JSON.stringify(constant).replaceAll('"', "'");
  if (Array.isArray(values)) return values.map((value) => `'${value}'`).join(' | ');
  return { integer: 'number', number: 'number', boolean: 'boolean' }[String(type)] ?? 'string';
}

function schemaOf(schema: z.ZodType): Json {
  const {
    $schema: _,
    title: __,
    ...keywords
  } = z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' });
  return keywords;
}

function requiredOf(schema: z.ZodObject): readonly string[] {
  return z.array(z.string()).parse(schemaOf(schema)['required'] ?? []);
}

function titleOf(schema: z.ZodType): string {
  return schema.meta()?.title ?? '';
}

async function examplesOf(samples: readonly string[]): Promise<Json> {
  const examples = samples.map(async (name) => [
    name.replace(/(\.request|\.reply)?\.json$/, ''),
    { value: await readJson(join('events/samples', name)) },
  ]);
  return Object.fromEntries(await Promise.all(examples));
}

async function readJson(path: string): Promise<Json> {
  return z.record(z.string(), z.unknown()).parse(JSON.parse(await readFile(join(root, path), 'utf8')));
}

function textOf(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
