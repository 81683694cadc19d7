/** Who API Gateway says has called. */
export interface Caller {
  readonly accessKey: string | null;
  readonly accountId: string | null;
  readonly caller: string | null;
  readonly user: string | null;
  readonly userArn: string | null;
}

const NOBODY: Caller = { accessKey: null, accountId: null, caller: null, user: null, userArn: null };

/**
 * The caller that a Signature Version 4 names, in the Authorization header or in the query. The signature is
 * not verified, for there is no account that could hold the key, so anybody may name anyone here. Whoever has
 * not signed is nobody, and may call too.
 */
export function callerOf(authorization: string | undefined, query: URLSearchParams, account: string): Caller {
  const credential =
    /^AWS4-HMAC-SHA256\s(?:.*[\s,])?Credential=([^,\s]+)/.exec(authorization ?? '')?.[1] ??
    query.get('X-Amz-Credential') ??
    '';
  // <access key>/<date>/<Region>/<service>/aws4_request
  const accessKey = /^([\w]{1,128})\/\d{8}\/[^/]+\/[^/]+\/aws4_request$/.exec(credential)?.[1];
  if (accessKey === undefined) return NOBODY;
  const principal = `AIDA${accessKey.slice(4)}`;
  return {
    accessKey,
    accountId: account,
    caller: principal,
    user: principal,
    userArn: `arn:aws:iam::${account}:user/local`,
  };
}
