/**
 * Public on-demand prices in US dollars, without any free tier, for us-east-1; us-west-2 has the same. Change what is
 * different for you, run `npm run bench:deploy-cost -- --write`, and docs/deploy.md has your bill.
 */
export interface Price {
  readonly what: string;
  /** US dollars. */
  readonly dollars: number;
  readonly per: number;
  readonly unit: string;
  /** Where the price was read on 2026-11-21, and of when that is; AWS's own pages show prices to browsers only. */
  readonly source: string;
}

const NOT_READ = 'not verified';

export const PRICES = {
  stateTransition: {
    what: 'Step Functions Standard',
    dollars: 0.025,
    per: 1000,
    unit: 'state transitions',
    source: "AWS's pricing page, an older copy",
  },
  expressRequest: {
    what: 'Step Functions Express, executions',
    dollars: 1,
    per: 1_000_000,
    unit: 'executions',
    source: 'wring.co, 2026-03',
  },
  expressGigabyteSecond: {
    what: 'Step Functions Express, duration',
    dollars: 0.00001667,
    per: 1,
    unit: 'GB-s',
    source: 'wring.co, 2026-03',
  },
  lambdaRequest: {
    what: 'Lambda, invocations',
    dollars: 0.2,
    per: 1_000_000,
    unit: 'invocations',
    source: 'cloudchipr.com, 2024',
  },
  lambdaGigabyteSecond: {
    what: 'Lambda, duration on arm64',
    dollars: 0.0000133334,
    per: 1,
    unit: 'GB-s',
    source: 'cloudchipr.com, 2024',
  },
  writeUnit: {
    what: 'DynamoDB on demand, writes',
    dollars: 0.625,
    per: 1_000_000,
    unit: 'write request units',
    source: 'airbyte.com, 2025-07',
  },
  readUnit: {
    what: 'DynamoDB on demand, reads',
    dollars: 0.125,
    per: 1_000_000,
    unit: 'read request units',
    source: 'airbyte.com, 2025-07',
  },
  storedGigabyte: {
    what: 'DynamoDB, storage and point-in-time recovery',
    dollars: 0.45,
    per: 1,
    unit: 'GB-month',
    source: NOT_READ,
  },
  queueRequest: {
    what: 'SQS, requests',
    dollars: 0.4,
    per: 1_000_000,
    unit: 'requests',
    source: NOT_READ,
  },
  event: {
    what: 'EventBridge, custom events',
    dollars: 1,
    per: 1_000_000,
    unit: 'events',
    source: 'cloudburn.io, 2026-03',
  },
  apiRequest: {
    what: 'API Gateway, REST',
    dollars: 3.5,
    per: 1_000_000,
    unit: 'requests',
    source: 'go-cloud.io, 2026',
  },
  dataOut: {
    what: 'Data out to the internet',
    dollars: 0.09,
    per: 1,
    unit: 'GB',
    source: 'awsforengineers.com, 2025-05',
  },
  logGigabyte: {
    what: 'CloudWatch Logs, ingestion and 30 days',
    dollars: 0.53,
    per: 1,
    unit: 'GB',
    source: 'factualminds.com, 2026-06; storage not verified',
  },
  trace: {
    what: 'X-Ray',
    dollars: 5,
    per: 1_000_000,
    unit: 'traces recorded',
    source: NOT_READ,
  },
  metric: {
    what: 'CloudWatch custom metrics, in the hours that have a value',
    dollars: 0.3,
    per: 1,
    unit: 'metrics',
    source: 'signoz.io, 2026-02',
  },
  alarm: {
    what: 'CloudWatch alarms, by the metric',
    dollars: 0.1,
    per: 1,
    unit: 'metrics of alarms',
    source: 'c3x.dev, without a date',
  },
  compositeAlarm: {
    what: 'CloudWatch composite alarms',
    dollars: 0.5,
    per: 1,
    unit: 'alarms',
    source: 'c3x.dev, without a date',
  },
  dashboard: {
    what: 'CloudWatch dashboard',
    dollars: 3,
    per: 1,
    unit: 'dashboards',
    source: 'factualminds.com, 2026-06',
  },
} as const satisfies Record<string, Price>;

export type PriceName = keyof typeof PRICES;
