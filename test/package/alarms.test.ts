import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import jsonata from 'jsonata';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { printService, REPOSITORY_DIRECTORY } from '../../local/service/serverless-print.ts';
import { packagedService, resourcesOfType, type Template } from '../helpers/packaged-service.ts';
import { type Alarm, alarmSchema, environmentsOf, metricsOfAlarm, problemOf } from './watched-metrics.ts';

const printedResourcesSchema = z.object({
  resources: z.object({
    Resources: z.record(
      z.string(),
      z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).optional() }),
    ),
  }),
});

const NAME_PREFIX = 'stream-session-reconnection-dev-';

let template: Template;
let alarms: readonly (readonly [logicalId: string, alarm: Alarm])[] = [];
let runbook = '';

beforeAll(async () => {
  ({ template } = await packagedService());
  alarms = resourcesOfType(template, 'AWS::CloudWatch::Alarm').map(([id, { Properties }]) => [
    id,
    alarmSchema.parse(Properties),
  ]);
  runbook = await readFile(join(REPOSITORY_DIRECTORY, 'docs/runbook.md'), 'utf8');
}, 60_000);

const alarmNamed = (slug: string): Alarm => {
  const [, alarm] = alarms.find(([, { AlarmName }]) => AlarmName === `${NAME_PREFIX}${slug}`) ?? [];
  if (alarm === undefined) throw new Error(`There is no alarm ${slug}.`);
  return alarm;
};

/** A heading's anchor, as GitHub makes it. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

describe('every alarm', () => {
  it('has one section of the runbook, and every section of an alarm has one', () => {
    const sections = [...runbook.matchAll(/^### (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));

    const slugs = alarms.map(([, { AlarmName }]) => AlarmName.replace(NAME_PREFIX, ''));

    expect(slugs.toSorted()).toEqual(sections.toSorted());
    expect(new Set(slugs).size).toBe(slugs.length);
  });

  it('names its section in its description', () => {
    for (const [, { AlarmName, AlarmDescription }] of alarms) {
      const slug = AlarmName.replace(NAME_PREFIX, '');
      expect(AlarmDescription).toMatch(new RegExp(`\\. What to do: docs/runbook\\.md#${slug}$`));
    }
  });

  it('is explained in four steps: what it means, what to look at, what to do, and when it clears', () => {
    const sections = runbook.split(/^### /m).slice(1);

    for (const section of sections) {
      const steps = [...section.matchAll(/^\*\*(.+?)\.\*\* \S/gm)].map(([, step]) => step);
      expect(steps, section.split('\n')[0]).toEqual(['Means', 'Look at', 'Do', 'Clears']);
    }
  });

  it('tells nobody where no topic is named', () => {
    for (const [, alarm] of alarms) {
      expect(alarm).toMatchObject({ AlarmActions: [], OKActions: [] });
    }
  });

  it('watches metrics that the code or AWS writes, of resources that are there', () => {
    const problems = alarms.flatMap(([id, alarm]) =>
      metricsOfAlarm(alarm).map((metric) => [id, problemOf(metric, template)] as const),
    );

    expect(problems.filter(([, problem]) => problem !== undefined)).toEqual([]);
    expect(alarms.filter(([, alarm]) => metricsOfAlarm(alarm).length === 0)).toEqual([]);
  });

  it('is of one metric, or of one value of ten metrics at most that are looked at alike', () => {
    for (const [id, { Metrics, MetricName, Period }] of alarms) {
      if (Metrics === undefined) {
        expect(MetricName, id).toBeDefined();
        expect(Period, id).toBeGreaterThan(0);
        continue;
      }
      expect(MetricName, id).toBeUndefined();
      expect(
        Metrics.filter(({ ReturnData = true }) => ReturnData).map(({ Id }) => Id),
        id,
      ).toEqual(['value']);
      const stats = Metrics.flatMap(({ MetricStat }) => MetricStat ?? []);
      expect(stats.length, id).toBeLessThanOrEqual(10);
      expect(new Set(stats.map(({ Period: period }) => period)).size, id).toBe(1);
    }
  });

  it('about the watcher is there only while it watches', () => {
    const conditional = resourcesOfType(template, 'AWS::CloudWatch::Alarm').filter(
      ([, { Condition }]) => Condition === 'WatcherIsOn',
    );

    expect(conditional.map(([id]) => id).toSorted()).toEqual([
      'FailedWatchesAlarm',
      'WatcherFailingAlarm',
      'WatcherLaggingAlarm',
      'WatcherSilentAlarm',
    ]);
    expect(template.Conditions?.['WatcherIsOn']).toEqual({ 'Fn::Not': [{ 'Fn::Equals': ['', ''] }] });
  });
});

it('a topic that is named hears of every alarm and of its end, and the runbook is where the team reads it', async () => {
  const topic = 'arn:aws:sns:us-west-2:111122223333:pagers';
  const runbookUrl = 'https://example.com/runbook.md';

  const printed = await printService({ stage: 'dev', params: { alarmTopicArn: topic, runbookUrl } });

  const { Resources } = printedResourcesSchema.parse(printed).resources;
  const named = Object.values(Resources).filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm');
  expect(named).toHaveLength(alarms.length);
  for (const { Properties } of named) {
    expect(Properties).toMatchObject({ AlarmActions: [topic], OKActions: [topic] });
    expect(Properties?.['AlarmDescription']).toContain(`. What to do: ${runbookUrl}#`);
  }
});

describe('what goes wrong without a trace elsewhere has an alarm', () => {
  it('that a queue has something in it; rejected events are counted when they are rejected', () => {
    const watched = alarms.flatMap(([, alarm]) => metricsOfAlarm(alarm));
    const queues = resourcesOfType(template, 'AWS::SQS::Queue').map(([id]) => id);

    const unwatched = queues.filter(
      (id) => !watched.some(({ dimensions }) => dimensions['QueueName'] === `\${${id}.QueueName}`),
    );

    expect(unwatched).toEqual(['RejectedEvents']);
    expect(watched.some(({ name }) => name === 'EventsRejected')).toBe(true);
  });

  it('that nobody watches: the only alarm for which no data is the worst', () => {
    const breaching = alarms.filter(([, { TreatMissingData }]) => TreatMissingData === 'breaching');

    expect(breaching.map(([id]) => id)).toEqual(['WatcherSilentAlarm']);
    expect(alarmNamed('watcher-silent')).toMatchObject({
      MetricName: 'WatcherLooks',
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
    });
  });
});

describe('the value of an alarm', () => {
  /** Metric math, computed: of its functions those that the alarms use. Undefined is a metric without data. */
  async function computed(
    slug: string,
    values: Readonly<Record<string, number | undefined>>,
  ): Promise<unknown> {
    const known: Record<string, unknown> = { ...values };
    for (const { Id, Expression } of alarmNamed(slug).Metrics ?? []) {
      if (Expression === undefined) continue;
      const expression = jsonata(
        Expression.replaceAll(/FILL\((\w+), 0\)/g, '($exists($1) ? $1 : 0)').replaceAll('IF(', '$IF('),
      );
      expression.assign('IF', (condition: boolean, then: number, otherwise: number) =>
        condition ? then : otherwise,
      );
      known[Id] = await expression.evaluate(known);
    }
    return known['value'];
  }

  it.each<[string, Record<string, number>, number]>([
    ['one of one at night', { terminated: 1 }, 0],
    ['nineteen of nineteen', { terminated: 19 }, 0],
    ['all of twenty', { terminated: 19, errored: 1 }, 100],
    ['one of four', { reconnected: 75, terminated: 20, errored: 5 }, 25],
    ['nobody', { reconnected: 50 }, 0],
  ])('is the share of windows lost, from twenty on: %s', async (_, values, expected) => {
    expect(await computed('windows-lost', values)).toBe(expected);
  });

  it('is the share of reconnection requests that failed, from twenty on', async () => {
    expect(await computed('connection-executions-failed', { started: 19, failed: 19 })).toBe(0);
    expect(await computed('connection-executions-failed', { started: 40, failed: 3, timedOut: 1 })).toBe(10);
  });

  it.each([
    ['connection-quota-saturated', { late: 7, refused: 3 }],
    ['calls-throttled', { connections: 4, lists: 6 }],
    ['functions-throttled', { checkSession: 9, watchSessions: 1 }],
    ['table-throttled', { reads: 1, writes: 9 }],
    ['event-functions-failing', { statusChanges: 10 }],
    ['admin-shell-executions-failed', { failed: 9, timedOut: 1 }],
  ])('is the sum of what its metrics have: %s', async (slug, values) => {
    expect(await computed(slug, values)).toBe(10);
  });
});

it('every function writes its metrics to the namespace of its stage, under the name of the service', () => {
  const environments = environmentsOf(template);

  expect(environments.length).toBeGreaterThan(10);
  for (const environment of environments) {
    expect(environment).toMatchObject({
      POWERTOOLS_METRICS_NAMESPACE: 'stream-session-reconnection-dev',
      POWERTOOLS_SERVICE_NAME: 'stream-session-reconnection',
    });
  }
});
