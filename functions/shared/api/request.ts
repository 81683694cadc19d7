import type { APIGatewayProxyEvent } from 'aws-lambda';
import { type SessionKey, sessionKeySchema } from '../contracts/index.ts';
import { InvalidRequestError } from './replies.ts';

/** Where this service runs; an ARN of anywhere else names nothing that it could reach. */
export interface Deployment {
  readonly region: string;
  readonly accountId: string;
}

const ARN = /^arn:aws:gameliftstreams:([^: ]*):([0-9]{12}):([^: ]*)$/;
const RESOURCES = {
  streamgroup: /^streamgroup\/([^/]*)$/,
  streamsession: /^streamsession\/([^/]*)\/([^/]*)$/,
} as const;
const MAX_IDENTIFIER_LENGTH = 128;

/**
 * Reads the two identifiers of the path, each a short id or an ARN. API Gateway hands path parameters on as the
 * caller wrote them, and every SDK writes an ARN's colons and slashes as %3A and %2F; neither ids nor ARNs have
 * a percent sign of their own.
 *
 * @throws InvalidRequestError naming the parameter.
 */
export function parseSessionPath(
  parameters: Readonly<Record<string, string | undefined>> | null,
  home: Deployment,
): SessionKey {
  const { id: streamGroupId } = resourceOf('Identifier', parameters, 'streamgroup', home);
  const { id: streamSessionId, group = streamGroupId } = resourceOf(
    'StreamSessionIdentifier',
    parameters,
    'streamsession',
    home,
  );
  if (group !== streamGroupId) {
    throw invalid('StreamSessionIdentifier', 'is not of the stream group that Identifier names');
  }
  const key = sessionKeySchema.safeParse({ streamGroupId, streamSessionId });
  if (key.success) return key.data;
  const isGroup = key.error.issues[0]?.path[0] === 'streamGroupId';
  throw invalid(isGroup ? 'Identifier' : 'StreamSessionIdentifier', 'is not an id or ARN of the service');
}

interface Resource {
  readonly id: string;
  /** Only the ARN of a session names its group. */
  readonly group?: string | undefined;
}

function resourceOf(
  name: string,
  parameters: Readonly<Record<string, string | undefined>> | null,
  type: keyof typeof RESOURCES,
  home: Deployment,
): Resource {
  const identifier = decode(name, parameters?.[name] ?? '');
  if (identifier.length === 0 || identifier.length > MAX_IDENTIFIER_LENGTH) {
    throw invalid(name, `must be 1 to ${MAX_IDENTIFIER_LENGTH} characters long`);
  }
  const arn = ARN.exec(identifier);
  if (arn === null) return { id: identifier };
  const [, region, accountId, resource = ''] = arn;
  if (region !== home.region || accountId !== home.accountId) {
    throw invalid(name, 'is of another Region or account than this service');
  }
  // Its id is the last part, with its group before it where there is one.
  const [id, group] = RESOURCES[type].exec(resource)?.slice(1).reverse() ?? [];
  if (id === undefined) throw invalid(name, `is not the ARN of a ${type}`);
  return { id, group };
}

function decode(name: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(name, 'is not well-formed percent-encoding');
  }
}

function invalid(name: string, problem: string): InvalidRequestError {
  return new InvalidRequestError(`${name} ${problem}.`);
}

/** Who sent a request, and what came with it beside path and body. */
export interface RequestOrigin {
  /** API Gateway's id of the request, unique. */
  readonly requestId: string;
  readonly caller: Caller;
  /** Every value of each header, by its name in lower case. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

export interface Caller {
  /** The ARN of the IAM identity, else its principal id, else its access key; "unsigned" only on a local API. */
  readonly name: string;
  readonly accessKeyId: string | null;
  readonly sourceIp: string | null;
}

/** Reads what API Gateway has found out about a request, by its signature and its connection. */
export function originOf(event: APIGatewayProxyEvent): RequestOrigin {
  const { requestId, identity } = event.requestContext;
  const { userArn, caller, accessKey, sourceIp } = identity;
  return {
    requestId,
    caller: { name: userArn ?? caller ?? accessKey ?? 'unsigned', accessKeyId: accessKey, sourceIp },
    headers: headersOf(event),
  };
}

/** Header names keep the case that the caller wrote them in, so one header may be there under two names. */
function headersOf({ multiValueHeaders }: APIGatewayProxyEvent): ReadonlyMap<string, readonly string[]> {
  const headers = new Map<string, readonly string[]>();
  for (const [name, values = []] of Object.entries(multiValueHeaders ?? {})) {
    const key = name.toLowerCase();
    headers.set(key, [...(headers.get(key) ?? []), ...values]);
  }
  return headers;
}
