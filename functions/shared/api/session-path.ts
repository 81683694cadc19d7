import type { SessionKey } from '../contracts.ts';
import { sessionKeySchema } from '../contracts.ts';
import { InvalidRequestError } from './request-error.ts';

/** Where this service runs; an ARN of anywhere else names nothing that it could reach. */
export interface Home {
  readonly region: string;
  readonly accountId: string;
}

const ARN = /^arn:aws:gameliftstreams:([^: ]*):([0-9]{12}):([^: ]*)$/;
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
  home: Home,
): SessionKey {
  const groupPath = resourcePath('Identifier', parameters, 'streamgroup', home);
  const sessionPath = resourcePath('StreamSessionIdentifier', parameters, 'streamsession', home);
  const [streamGroupId = '', ...restOfGroup] = groupPath;
  const streamSessionId = sessionPath.at(-1) ?? '';
  const groupOfSession = sessionPath.length === 2 ? sessionPath[0] : streamGroupId;
  if (restOfGroup.length > 0) throw invalid('Identifier', 'is not the ARN of a stream group');
  if (sessionPath.length > 2) throw invalid('StreamSessionIdentifier', 'is not the ARN of a stream session');
  if (groupOfSession !== streamGroupId) {
    throw invalid('StreamSessionIdentifier', 'is not of the stream group that Identifier names');
  }
  const key = sessionKeySchema.safeParse({ streamGroupId, streamSessionId });
  if (key.success) return key.data;
  const isGroup = key.error.issues[0]?.path[0] === 'streamGroupId';
  throw invalid(isGroup ? 'Identifier' : 'StreamSessionIdentifier', 'is not an id or ARN of the service');
}

/** The parts of an ARN's resource after its type; a short id is its own only part. */
function resourcePath(
  name: string,
  parameters: Readonly<Record<string, string | undefined>> | null,
  type: 'streamgroup' | 'streamsession',
  home: Home,
): string[] {
  const identifier = decode(name, parameters?.[name] ?? '');
  if (identifier.length === 0 || identifier.length > MAX_IDENTIFIER_LENGTH) {
    throw invalid(name, `must be 1 to ${MAX_IDENTIFIER_LENGTH} characters long`);
  }
  const arn = ARN.exec(identifier);
  if (arn === null) return [identifier];
  const [, region, accountId, resource = ''] = arn;
  if (region !== home.region || accountId !== home.accountId) {
    throw invalid(name, 'is of another Region or account than this service');
  }
  const [arnType, ...path] = resource.split('/');
  const isWhole = type === 'streamgroup' ? path.length === 1 : path.length === 2;
  if (arnType !== type || !isWhole) throw invalid(name, `is not the ARN of a ${type}`);
  return path;
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
