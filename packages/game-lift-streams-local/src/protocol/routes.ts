/** The operations that the stand-in implements. */
export const OPERATION_NAMES = [
  'StartStreamSession',
  'GetStreamSession',
  'ListStreamSessions',
  'ListStreamSessionsByAccount',
  'TerminateStreamSession',
  'CreateStreamSessionConnection',
  'CreateStreamSessionAdminShell',
  'CreateStreamGroup',
  'DeleteStreamGroup',
  'GetStreamGroup',
  'ListStreamGroups',
  'ListTagsForResource',
  'TagResource',
  'UntagResource',
] as const;

export type OperationName = (typeof OPERATION_NAMES)[number];

export interface Call {
  readonly operation: OperationName;
  /** The path's labels, decoded: an ARN has its slashes again. */
  readonly labels: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

export type RouteMatch =
  | { readonly kind: 'call'; readonly call: Call }
  /** An operation that the service has and the stand-in has not. */
  | { readonly kind: 'notImplemented'; readonly operation: string }
  | { readonly kind: 'unknown' };

const SESSION = '/streamgroups/{Identifier}/streamsessions/{StreamSessionIdentifier}';

// The service's whole model (SDK 3.1138.0), so that what is refused is refused by name.
const ROUTES: readonly (readonly [operation: string, method: string, path: string])[] = [
  ['StartStreamSession', 'POST', '/streamgroups/{Identifier}/streamsessions'],
  ['GetStreamSession', 'GET', SESSION],
  ['ListStreamSessions', 'GET', '/streamgroups/{Identifier}/streamsessions'],
  ['ListStreamSessionsByAccount', 'GET', '/streamsessions'],
  ['TerminateStreamSession', 'DELETE', SESSION],
  ['CreateStreamSessionConnection', 'POST', `${SESSION}/connections`],
  ['CreateStreamSessionAdminShell', 'POST', `${SESSION}/access`],
  ['ExportStreamSessionFiles', 'PUT', `${SESSION}/exportfiles`],
  ['AddStreamGroupLocations', 'POST', '/streamgroups/{Identifier}/locations'],
  ['AssociateApplications', 'POST', '/streamgroups/{Identifier}/associations'],
  ['CreateApplication', 'POST', '/applications'],
  ['CreateStreamGroup', 'POST', '/streamgroups'],
  ['CreateStreamUrl', 'POST', '/streamgroups/{Identifier}/streamurls'],
  ['DeleteApplication', 'DELETE', '/applications/{Identifier}'],
  ['DeleteStreamGroup', 'DELETE', '/streamgroups/{Identifier}'],
  ['DisassociateApplications', 'POST', '/streamgroups/{Identifier}/disassociations'],
  ['GetApplication', 'GET', '/applications/{Identifier}'],
  ['GetStreamGroup', 'GET', '/streamgroups/{Identifier}'],
  ['GetStreamUrl', 'GET', '/streamgroups/{Identifier}/streamurls/{StreamUrlIdentifier}'],
  ['ListApplications', 'GET', '/applications'],
  ['ListApplicationShaderCaches', 'GET', '/applications/{Identifier}/shadercaches'],
  ['ListStreamGroups', 'GET', '/streamgroups'],
  ['ListStreamUrls', 'GET', '/streamurls'],
  ['ListTagsForResource', 'GET', '/tags/{ResourceArn}'],
  ['RemoveStreamGroupLocations', 'DELETE', '/streamgroups/{Identifier}/locations'],
  ['RevokeStreamUrl', 'POST', '/streamgroups/{Identifier}/streamurls/{StreamUrlIdentifier}/revoke'],
  ['TagResource', 'POST', '/tags/{ResourceArn}'],
  ['UntagResource', 'DELETE', '/tags/{ResourceArn}'],
  ['UpdateApplication', 'PATCH', '/applications/{Identifier}'],
  ['UpdateStreamGroup', 'PATCH', '/streamgroups/{Identifier}'],
];

const COMPILED = ROUTES.map(([operation, method, path]) => ({
  operation,
  method,
  segments: path.split('/'),
}));

/** @param target the request's path and query, still encoded. */
export function matchRoute(method: string, target: string): RouteMatch {
  const [path = '', query = ''] = target.split('?', 2);
  const segments = path.split('/');
  for (const route of COMPILED) {
    if (route.method !== method) continue;
    const labels = matchSegments(route.segments, segments);
    if (labels === undefined) continue;
    const { operation } = route;
    if (!isOperationName(operation)) return { kind: 'notImplemented', operation };
    return { kind: 'call', call: { operation, labels, query: new URLSearchParams(query) } };
  }
  return { kind: 'unknown' };
}

function matchSegments(template: readonly string[], actual: readonly string[]) {
  if (template.length !== actual.length) return undefined;
  const labels: Record<string, string> = {};
  for (const [index, part] of template.entries()) {
    const value = actual[index] ?? '';
    if (!part.startsWith('{')) {
      if (part !== value) return undefined;
      continue;
    }
    const decoded = decode(value);
    // An empty label is no label: `/streamgroups//streamsessions` is nobody's path.
    if (decoded === undefined || decoded === '') return undefined;
    labels[part.slice(1, -1)] = decoded;
  }
  return labels;
}

function decode(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

function isOperationName(name: string): name is OperationName {
  return OPERATION_NAMES.some((known) => known === name);
}
