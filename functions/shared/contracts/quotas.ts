/**
 * The operations of Amazon GameLift Streams that this service calls: the setting that holds the account's quota, and the
 * quota that the service publishes, in requests a second ("Amazon GameLift Streams endpoints and quotas", AWS General
 * Reference). Settings, permits, metrics and calls take an operation's name and setting from here.
 */
export const QUOTAS = {
  CreateStreamSessionConnection: { setting: 'CONNECTIONS_PER_SECOND', publishedPerSecond: 20 },
  CreateStreamSessionAdminShell: { setting: 'ADMIN_SHELLS_PER_SECOND', publishedPerSecond: 1 },
  GetStreamSession: { setting: 'READS_PER_SECOND', publishedPerSecond: 20 },
  ListStreamSessions: { setting: 'LISTS_PER_SECOND', publishedPerSecond: 20 },
  TerminateStreamSession: { setting: 'TERMINATIONS_PER_SECOND', publishedPerSecond: 20 },
  // Each of the two has a quota of its own; the same setting says how large both are.
  ListStreamGroups: { setting: 'STREAM_GROUP_CALLS_PER_SECOND', publishedPerSecond: 10 },
  ListTagsForResource: { setting: 'STREAM_GROUP_CALLS_PER_SECOND', publishedPerSecond: 10 },
} as const;

/** Operations with a quota of their own, as the service counts them. */
export type QuotaOperation = keyof typeof QUOTAS;

export type QuotaSetting<Operation extends QuotaOperation = QuotaOperation> =
  (typeof QUOTAS)[Operation]['setting'];

/** The settings that a caller of these operations needs. */
export type QuotaSettings<Operation extends QuotaOperation> = Readonly<
  Record<QuotaSetting<Operation>, number>
>;

/** Returns the account's quota for the operation, in requests a second. */
export function quotaOf<Operation extends QuotaOperation>(
  operation: Operation,
  settings: QuotaSettings<Operation>,
): number {
  const { setting }: { readonly setting: QuotaSetting<Operation> } = QUOTAS[operation];
  return settings[setting];
}
