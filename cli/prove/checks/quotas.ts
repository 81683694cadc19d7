/** The account's quotas beside the deployed parameters, and the stream groups that the service is for. */
import { ListStreamGroupsCommand } from '@aws-sdk/client-gameliftstreams';
import { GetAccountSettingsCommand } from '@aws-sdk/client-lambda';
import { ListServiceQuotasCommand, type ServiceQuota } from '@aws-sdk/client-service-quotas';
import { QUOTAS } from '../../../functions/shared/contracts/quotas.ts';
import { allPages, type DeployedAccount, resourcesOf, settingOf } from '../account.ts';
import { ask, differs, type Found, holds, skipped } from '../finding.ts';

export async function checkQuotas(account: DeployedAccount): Promise<Found[]> {
  const streams = await listQuotas(account, 'gameliftstreams');
  const states = await listQuotas(account, 'states');
  const gateway = await listQuotas(account, 'apigateway');
  return [
    ...(Array.isArray(streams) ? streamQuotas(account, streams) : [streams]),
    ...(Array.isArray(states) ? [startQuota(account, states)] : [states]),
    ...(Array.isArray(gateway) ? throttles(account, gateway) : [gateway]),
    ...(await concurrency(account)),
  ];
}

async function listQuotas({ aws }: DeployedAccount, ServiceCode: string): Promise<ServiceQuota[] | Found> {
  const answer = await ask('servicequotas:ListServiceQuotas', async () => {
    try {
      return await allPages(
        (NextToken) =>
          aws.serviceQuotas.send(new ListServiceQuotasCommand({ ServiceCode, MaxResults: 100, NextToken })),
        ({ Quotas = [], NextToken }) => ({ items: Quotas, next: NextToken }),
      );
    } catch (error) {
      if (error instanceof Error && error.name === 'NoSuchResourceException') return undefined;
      throw error;
    }
  });
  if (!answer.ok) return answer.found;
  return (
    answer.reply ??
    skipped(
      `Service Quotas does not know ${ServiceCode} in this Region.`,
      'Compare the parameters with the quotas in the console.',
    )
  );
}

function quotaNamed(quotas: readonly ServiceQuota[], ...patterns: readonly RegExp[]): number | undefined {
  return quotas.find(({ QuotaName = '' }) => patterns.every((pattern) => pattern.test(QuotaName)))?.Value;
}

/** `ListStreamSessions` as a quota's name may have it: also `List stream sessions`. Not `ListStreamSessionsByAccount`. */
function nameOf(operation: string): RegExp {
  const words = operation.replace(/(?!^)([A-Z])/g, '\\s*$1');
  return new RegExp(`\\b${words}\\b`, 'i');
}

function streamQuotas(account: DeployedAccount, quotas: readonly ServiceQuota[]): Found[] {
  const notListed: string[] = [];
  const findings = Object.entries(QUOTAS).flatMap(([operation, { setting }]) => {
    const parameter = setting.toLowerCase().replace(/_(\w)/g, (_all, letter: string) => letter.toUpperCase());
    const deployed = Number(settingOf(account, setting));
    if (!Number.isFinite(deployed)) return [];
    const quota = quotaNamed(quotas, nameOf(operation));
    if (quota === undefined) {
      notListed.push(`${operation} (${parameter}=${deployed})`);
      return [];
    }
    if (quota < deployed) {
      return [
        differs(
          `The quota of ${operation} is ${quota} a second, and ${parameter} is ${deployed}.`,
          `Set ${parameter}=${quota}, or ask for a higher quota.`,
        ),
      ];
    }
    const spare = quota > deployed ? ` It may be raised to ${quota}.` : '';
    return [holds(`${parameter}=${deployed} is within the quota of ${operation}.${spare}`)];
  });
  if (notListed.length === 0) return findings;
  return [
    ...findings,
    skipped(
      `Service Quotas does not list ${notListed.join(', ')}.`,
      'Compare them with “API rate limits” in the developer guide of Amazon GameLift Streams.',
    ),
  ];
}

/** Developer Guide of Step Functions, "Quotas related to API action throttling": refill rates of Standard workflows. */
const FAST_REGIONS = ['us-east-1', 'us-west-2', 'eu-west-1'];

function startQuota({ region }: DeployedAccount, quotas: readonly ServiceQuota[]): Found {
  const assumed = FAST_REGIONS.includes(region) ? 300 : 150;
  const starts = quotas.filter(({ QuotaName = '' }) => !/express|sync/i.test(QuotaName));
  const quota = quotaNamed(starts, /StartExecution/i, /refill|per second/i);
  if (quota === undefined) {
    return skipped(
      'Service Quotas does not list the rate of StartExecution.',
      `docs/storms.md takes ${assumed} a second for true in this Region.`,
    );
  }
  return quota < assumed
    ? differs(
        `StartExecution takes ${quota} a second, and not ${assumed}: windows open more slowly in a storm.`,
        'Ask for a higher quota of StartExecution.',
      )
    : holds(`StartExecution takes ${quota} a second.`);
}

function throttles(account: DeployedAccount, quotas: readonly ServiceQuota[]): Found[] {
  const [stage] = resourcesOf(account, 'AWS::ApiGateway::Stage');
  const settings = stage?.properties['MethodSettings'];
  const limits = (Array.isArray(settings) ? settings : []).map((entry: unknown) => ({
    rate: numberOf(entry, 'ThrottlingRateLimit'),
    burst: numberOf(entry, 'ThrottlingBurstLimit'),
  }));
  const compare = (parameter: string, deployed: number, quota: number | undefined): Found[] => {
    if (!Number.isFinite(deployed)) return [];
    if (quota === undefined)
      return [
        skipped(
          `Service Quotas does not list the account's throttle for ${parameter}.`,
          'See API Gateway’s settings in the console.',
        ),
      ];
    return [
      quota < deployed
        ? differs(
            `The account's throttle is ${quota}, and ${parameter} is ${deployed}.`,
            `Set ${parameter}=${quota}, or ask for a higher throttle.`,
          )
        : holds(`${parameter}=${deployed} is within the account's throttle of ${quota}.`),
    ];
  };
  const largest = (values: readonly (number | undefined)[]) =>
    Math.max(...values.map((value) => value ?? Number.NaN));
  const known = limits.filter(({ rate, burst }) => rate !== undefined && burst !== undefined);
  return [
    ...compare(
      'apiRequestsPerSecond',
      largest(known.map(({ rate }) => rate)),
      quotaNamed(quotas, /^Throttle rate$/i),
    ),
    ...compare(
      'apiRequestBurst',
      largest(known.map(({ burst }) => burst)),
      quotaNamed(quotas, /^Throttle burst/i),
    ),
  ];
}

/** A reconnection waits at most 3 s for its permit and its call takes at most 12 s (functions/shared/service/call-service.ts). */
const SECONDS_OF_A_CONNECTION = 15;

async function concurrency(account: DeployedAccount): Promise<Found[]> {
  const answer = await ask('lambda:GetAccountSettings', () =>
    account.aws.lambda.send(new GetAccountSettingsCommand({})),
  );
  if (!answer.ok) return [answer.found];
  const { ConcurrentExecutions = 0, UnreservedConcurrentExecutions = 0 } = answer.reply.AccountLimit ?? {};
  const [mapping] = resourcesOf(account, 'AWS::Lambda::EventSourceMapping');
  const opening = numberOf(mapping?.properties['ScalingConfig'], 'MaximumConcurrency') ?? 0;
  const connections = Number(settingOf(account, 'CONNECTIONS_PER_SECOND') ?? 0);
  const needed = opening + connections * SECONDS_OF_A_CONNECTION;
  const has = `Lambda has ${UnreservedConcurrentExecutions} of ${ConcurrentExecutions} executions unreserved`;
  return [
    UnreservedConcurrentExecutions < needed
      ? differs(
          `${has}; a storm takes ${needed} (openingConcurrency=${opening}, and ${connections} reconnections a second of up to ${SECONDS_OF_A_CONNECTION} s).`,
          `Ask for a quota “Concurrent executions” of at least ${needed + ConcurrentExecutions - UnreservedConcurrentExecutions}, or lower openingConcurrency.`,
        )
      : holds(`${has}; a storm takes ${needed}.`),
  ];
}

function numberOf(value: unknown, name: string): number | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const member: unknown = Reflect.get(value, name);
  const number = typeof member === 'string' || typeof member === 'number' ? Number(member) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}

const HOSTING = ['ACTIVE', 'ACTIVE_WITH_ERRORS', 'UPDATING_LOCATIONS'];
const DAY_MS = 86_400_000;

export async function checkStreamGroups(account: DeployedAccount): Promise<Found[]> {
  const { gameLiftStreams } = account.aws;
  const listed = await ask('gameliftstreams:ListStreamGroups', () =>
    allPages(
      (NextToken) => gameLiftStreams.send(new ListStreamGroupsCommand({ MaxResults: 100, NextToken })),
      ({ Items = [], NextToken }) => ({ items: Items, next: NextToken }),
    ),
  );
  if (!listed.ok) return [listed.found];
  const groups = new Map(listed.reply.map((group) => [group.Id ?? '', group]));
  const watched = settingOf(account, 'WATCHED_STREAM_GROUPS') ?? 'none';
  const named = /^(all|none|tag:.*)$/.test(watched) ? [] : watched.split(',').map((id) => id.trim());
  const findings = named
    .filter((id) => !groups.has(id))
    .map((id) =>
      differs(
        `There is no stream group ${id}, which the watcher is to watch.`,
        'Correct watchedStreamGroups or streamGroups, and deploy.',
      ),
    );
  if (watched === 'none')
    findings.push(
      skipped(
        'The watcher is off.',
        'Set watchedStreamGroups, unless a feed of yours reports every disconnect.',
      ),
    );
  const chosen = named.length === 0 ? [...groups.values()] : named.flatMap((id) => groups.get(id) ?? []);
  if (chosen.length === 0 && named.length === 0) {
    findings.push(skipped('The account has no stream group in this Region.', 'Check --region.'));
  }
  for (const { Id, Status = 'unknown', ExpiresAt } of chosen) {
    if (!HOSTING.includes(Status)) {
      findings.push(
        skipped(
          `The stream group ${Id} is ${Status} and hosts no session.`,
          'docs/recycling-stream-groups.md says how to replace it.',
        ),
      );
      continue;
    }
    const days =
      ExpiresAt === undefined ? undefined : Math.floor((ExpiresAt.getTime() - account.nowMs()) / DAY_MS);
    if (days !== undefined && days < 30) {
      findings.push(
        skipped(
          `The stream group ${Id} expires in ${days} days.`,
          'Replace it: docs/recycling-stream-groups.md.',
        ),
      );
    } else findings.push(holds(`The stream group ${Id} is ${Status}.`));
  }
  return findings;
}
