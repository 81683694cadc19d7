import type { Route } from '../service/service.ts';

export type RouteMatch =
  | {
      readonly type: 'route';
      readonly route: Route;
      readonly pathParameters: Readonly<Record<string, string>>;
    }
  | { readonly type: 'none' }
  /** The path is not well-formed percent-encoding. */
  | { readonly type: 'malformed' };

/**
 * Finds the route of a path that is still percent-encoded, so that an ARN's `%2F` stays within its segment.
 *
 * Parameters are handed on as they came, still encoded: so does a deployed REST API. A request captured from
 * one has `"pathParameters": {"proxy": "capture/space%20value"}` beside a query that is decoded
 * (github.com/hotsock/voker, vokerhttp/testdata/apigwv1-request.json), and serverless/serverless#5037 reports
 * `%40` for the same reason. HTTP APIs decode, and split at the slash (fastify/aws-lambda-fastify#169).
 */
export function matchRoute(routes: readonly Route[], method: string, path: string): RouteMatch {
  const segments = path.split('/').slice(1);
  const literals = segments.map(decode);
  if (literals.includes(undefined)) return { type: 'malformed' };
  let best: { route: Route; pathParameters: Record<string, string>; rank: string } | undefined;
  for (const route of routes) {
    if (route.method !== method) continue;
    const match = matchSegments(route.path.split('/').slice(1), segments, literals);
    // A literal segment wins over a parameter in the same place, from the left.
    if (match !== undefined && (best === undefined || match.rank < best.rank)) best = { route, ...match };
  }
  if (best === undefined) return { type: 'none' };
  return { type: 'route', route: best.route, pathParameters: best.pathParameters };
}

function matchSegments(
  template: readonly string[],
  segments: readonly string[],
  literals: readonly (string | undefined)[],
): { pathParameters: Record<string, string>; rank: string } | undefined {
  if (template.length !== segments.length) return undefined;
  const pathParameters: Record<string, string> = {};
  let rank = '';
  for (const [index, part] of template.entries()) {
    const parameter = /^\{(.+)\}$/.exec(part)?.[1];
    const segment = segments[index] ?? '';
    if (parameter === undefined) {
      if (literals[index] !== part) return undefined;
      rank += '0';
    } else {
      if (segment === '') return undefined;
      pathParameters[parameter] = segment;
      rank += '1';
    }
  }
  return { pathParameters, rank };
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
