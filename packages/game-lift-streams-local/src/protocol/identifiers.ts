/** Where the resources live: the parts that every ARN of them shares. */
export interface Account {
  readonly region: string;
  readonly accountId: string;
}

const arnPrefix = ({ region, accountId }: Account) => `arn:aws:gameliftstreams:${region}:${accountId}:`;

export const streamGroupArn = (account: Account, streamGroupId: string) =>
  `${arnPrefix(account)}streamgroup/${streamGroupId}`;

export const streamSessionArn = (account: Account, streamGroupId: string, streamSessionId: string) =>
  `${arnPrefix(account)}streamsession/${streamGroupId}/${streamSessionId}`;

/** An application may be named by its id or by its ARN; the service answers the ARN. */
export const applicationArn = (account: Account, identifier: string) =>
  identifier.startsWith('arn:') ? identifier : `${arnPrefix(account)}application/${identifier}`;

/** The id in `identifier`, which may be an ARN; undefined for an ARN of anything else than our stream group. */
export function streamGroupIdIn(account: Account, identifier: string): string | undefined {
  return idIn(identifier, `${arnPrefix(account)}streamgroup/`);
}

/** The id in `identifier`, which may be an ARN; undefined for an ARN that is not of this stream group. */
export function streamSessionIdIn(
  account: Account,
  streamGroupId: string,
  identifier: string,
): string | undefined {
  return idIn(identifier, `${arnPrefix(account)}streamsession/${streamGroupId}/`);
}

function idIn(identifier: string, prefix: string): string | undefined {
  if (!identifier.startsWith('arn:')) return identifier;
  return identifier.startsWith(prefix) ? identifier.slice(prefix.length) : undefined;
}
