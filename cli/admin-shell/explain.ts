import { GameLiftStreamsServiceException } from '@aws-sdk/client-gameliftstreams';
import { REFUSAL_CODE_HEADER } from '../../functions/shared/contracts/index.ts';
import type { Endpoint } from './endpoint.ts';
import { PluginNotStartedError } from './plugin.ts';

/**
 * What to tell the operator about a failure. Of an error that is neither the API's nor the tool's own only the
 * name is told: a reply that cannot be read is quoted in its message, credentials and all.
 */
export function explain(error: unknown, { url, isLocal }: Pick<Endpoint, 'url' | 'isLocal'>): string {
  if (error instanceof PluginNotStartedError) return error.message;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND') {
    const advice = isLocal ? ' Is the local stack up (npm start)? --endpoint names another.' : '';
    return `Nobody answers at ${url} (${code}).${advice}`;
  }
  if (error instanceof GameLiftStreamsServiceException && error.$metadata.httpStatusCode !== 200) {
    const status = error.$metadata.httpStatusCode;
    // Our own permission is missing then, not the operator's.
    const isOurs = error.$response?.headers[REFUSAL_CODE_HEADER] === 'SERVICE_ACCESS_DENIED';
    const advice =
      status === 403 && !isOurs
        ? ' Your IAM identity needs execute-api:Invoke for POST …/access; docs/admin-shells.md.'
        : '';
    return `${error.name} (${status ?? 'no status'}): ${error.message}${advice}`;
  }
  const name = error instanceof Error ? error.name : typeof error;
  const advice =
    name === 'CredentialsProviderError'
      ? ' No AWS credentials were found; try aws sts get-caller-identity.'
      : '';
  return `No admin shell: ${name}.${advice}`;
}
