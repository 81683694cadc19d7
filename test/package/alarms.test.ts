import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { evaluate, type History } from '../../bench/alarms/evaluate.ts';
import { parseExpression } from '../../bench/alarms/expression.ts';
import { FAILURES, goodDay, trafficOf } from '../../bench/alarms/failures.ts';
import { alarmsOf, type Alarm as DeclaredAlarm } from '../../bench/alarms/read-alarms.ts';
import { DOCUMENT, failureTable, headingOf, withTable, withTimes } from '../../bench/alarms/tables.ts';
import { DISCONNECTS_PER_MONTH, type FailureTold, minutesOf, timesOf } from '../../bench/alarms/times.ts';
import { alarmTopicsOf } from '../../scripts/serverless/parameters.ts';
import { printService, REPOSITORY_DIRECTORY } from '../../scripts/serverless/run-serverless.ts';
import { packagedService, resourcesOfType, type Template } from '../helpers/packaged-service.ts';
import {
  type Alarm,
  alarmSchema,
  compositeAlarmSchema,
  environmentsOf,
  metricsOfAlarm,
  problemOf,
} from './watched-metrics.ts';

const printedResourcesSchema = z.object({
  resources: z.object({
    Resources: z.record(
      z.string(),
      z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).optional() }),
    ),
  }),
});

/** Of the alarm `watcher-silent`. */
const PARTS = ['WatcherDoesNotLook', 'WatcherHasLooked'];
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
}, 600_000);

/** Those that tell somebody: all but the parts of a composite alarm, with the composite alarms. */
const telling = () => [
  ...alarms.filter(([id]) => !PARTS.includes(id)).map(([, alarm]) => alarm),
  ...resourcesOfType(template, 'AWS::CloudWatch::CompositeAlarm').map(([, { Properties }]) =>
    compositeAlarmSchema.parse(Properties),
  ),
];

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

    const slugs = telling().map(({ AlarmName }) => AlarmName.replace(NAME_PREFIX, ''));

    expect(slugs.toSorted()).toEqual(sections.toSorted());
    expect(new Set(slugs).size).toBe(slugs.length);
  });

  it('says in its description whether it is a page, and names its section', () => {
    for (const { AlarmName, AlarmDescription } of telling()) {
      const slug = AlarmName.replace(NAME_PREFIX, '');
      expect(AlarmDescription).toMatch(
        new RegExp(`^(Page|Ticket)\\. .+\\. What to do: docs/runbook\\.md#${slug}$`),
      );
    }
  });

  it('is explained in five steps: what it means, whom it tells, what to look at and do, when it clears', () => {
    const sections = runbook.split(/^### /m).slice(1);

    for (const section of sections) {
      const steps = [...section.matchAll(/^\*\*(.+?)\.\*\* \S/gm)].map(([, step]) => step);
      expect(steps, section.split('\n')[0]).toEqual(['Means', 'Told', 'Look at', 'Do', 'Clears']);
    }
  });

  it('tells nobody where no topic is named', () => {
    for (const alarm of telling()) {
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

  it('about the watcher is there only while it watches', async () => {
    const { template: unwatched } = await packagedService('unwatched');

    const names = (of: Template) =>
      ['AWS::CloudWatch::Alarm', 'AWS::CloudWatch::CompositeAlarm']
        .flatMap((type) => resourcesOfType(of, type))
        .map(([id]) => id);
    const unwatchedNames = names(unwatched);
    expect(
      names(template)
        .filter((id) => !unwatchedNames.includes(id))
        .toSorted(),
    ).toEqual([
      'FailedWatchesAlarm',
      'NoWindowsOpenedAlarm',
      'NoWindowsOpenedInHoursAlarm',
      'StreamGroupExpiringAlarm',
      'StreamGroupsLeftOutAlarm',
      'TooManyStreamGroupsAlarm',
      'WatcherDoesNotLook',
      'WatcherFailingAlarm',
      'WatcherHasLooked',
      'WatcherLaggingAlarm',
      'WatcherSilentAlarm',
    ]);
  });
});

describe('whom an alarm tells', () => {
  const PAGERS = 'arn:aws:sns:us-west-2:111122223333:pagers';
  const TICKETS = 'arn:aws:sns:us-west-2:111122223333:tickets';

  it.each([
    [PAGERS, TICKETS, { pages: [PAGERS], tickets: [TICKETS] }],
    ['', TICKETS, { pages: [TICKETS], tickets: [TICKETS] }],
    [PAGERS, '', { pages: [PAGERS], tickets: [] }],
    ['', '', { pages: [], tickets: [] }],
  ])('is its topic, and a ticket never goes to the pager: "%s", "%s"', (page, ticket, topics) => {
    expect(alarmTopicsOf(page, ticket)).toEqual(topics);
  });

  it('is told of its end too, and where the team reads the runbook', async () => {
    const runbookUrl = 'https://example.com/runbook.md';
    const params = { pageTopicArn: PAGERS, ticketTopicArn: TICKETS, runbookUrl };

    const printed = await printService({ stage: 'dev', params });

    const { Resources } = printedResourcesSchema.parse(printed).resources;
    const told = Object.entries(Resources).filter(
      ([id, { Type }]) => /::(Composite)?Alarm$/.test(Type) && !PARTS.includes(id),
    );
    expect(told).toHaveLength(telling().length);
    for (const [, { Properties }] of told) {
      const description = String(Properties?.['AlarmDescription']);
      const topics = description.startsWith('Page. ') ? [PAGERS] : [TICKETS];
      expect(Properties).toMatchObject({ AlarmActions: topics, OKActions: topics });
      expect(description).toContain(`. What to do: ${runbookUrl}#`);
    }
  });
});

describe('what goes wrong without a trace elsewhere has an alarm', () => {
  it('that a queue has something in it; rejected events are counted when they are rejected', () => {
    const watched = alarms.flatMap(([, alarm]) => metricsOfAlarm(alarm));
    const queues = resourcesOfType(template, 'AWS::SQS::Queue').map(([id]) => id);

    const unwatched = queues.filter(
      (id) => !watched.some(({ dimensions }) => dimensions['QueueName'] === `\${${id}.QueueName}`),
    );

    // Looks that nobody makes are missed as looks.
    expect(unwatched).toEqual(['RejectedEvents', 'WatcherLooks']);
    expect(watched.some(({ name }) => name === 'EventsRejected')).toBe(true);
  });

  it('that nobody watches: the only alarm for which no data is the worst', () => {
    const breaching = alarms.filter(([, { TreatMissingData }]) => TreatMissingData === 'breaching');

    expect(breaching.map(([id]) => id)).toEqual(['WatcherDoesNotLook']);
    expect(template.Resources['WatcherSilentAlarm']?.Properties['AlarmRule']).toEqual({
      'Fn::Sub': `ALARM("\${WatcherDoesNotLook}") AND ALARM("\${WatcherHasLooked}")`,
    });
  });

  it('that a failure path itself loses what it is there for', () => {
    const names = alarms.flatMap(([, alarm]) => metricsOfAlarm(alarm).map(({ name }) => name));

    for (const lost of [
      'InvocationsFailedToBeSentToDlq',
      'DestinationDeliveryFailures',
      'AsyncEventsDropped',
    ]) {
      expect(names).toContain(lost);
    }
    expect(alarmNamed('events-lost').AlarmDescription).toMatch(/^Page\./);
  });

  it('that the index of the table is throttled', () => {
    const indexes = metricsOfAlarm(alarmNamed('table-throttled')).map(
      ({ name, dimensions }) => `${name} ${dimensions['GlobalSecondaryIndexName'] ?? ''}`,
    );

    expect(indexes).toEqual([
      'ReadThrottleEvents ',
      'WriteThrottleEvents ',
      'ReadThrottleEvents OpenWindows',
      'WriteThrottleEvents OpenWindows',
    ]);
  });
});

describe('the value of an alarm', () => {
  /** Metric math, computed. Undefined is a metric without data. */
  function computed(slug: string, values: Readonly<Record<string, number | undefined>>): unknown {
    const known: Record<string, number | undefined> = { ...values };
    for (const { Id, Expression } of alarmNamed(slug).Metrics ?? []) {
      if (Expression !== undefined) known[Id] = parseExpression(Expression)((id) => known[id]);
    }
    return known['value'];
  }

  it.each<[string, Record<string, number>, number]>([
    ['one of one at night', { terminated: 1 }, 0],
    ['nineteen of nineteen', { terminated: 19 }, 0],
    ['all of twenty', { terminated: 19, errored: 1 }, 100],
    ['one of four', { reconnected: 75, terminated: 20, errored: 5 }, 25],
    ['nobody', { reconnected: 50 }, 0],
  ])('is the share of windows lost, from twenty on: %s', (_, values, expected) => {
    expect(computed('windows-lost', values)).toBe(expected);
  });

  it('is the share of reconnection requests that failed, from twenty on', () => {
    expect(computed('connection-executions-failed', { started: 19, failed: 19 })).toBe(0);
    expect(computed('connection-executions-failed', { started: 40, failed: 3, timedOut: 1 })).toBe(10);
  });

  it.each([
    ['connection-quota-saturated', { late: 7, refused: 3 }],
    ['events-lost', { statusChanges: 3, followUps: 7 }],
    ['events-dropped', { executionFailures: 10 }],
    ['functions-throttled', { requestConnection: 9, watchSessions: 1 }],
    ['table-throttled', { reads: 1, writes: 5, indexWrites: 4 }],
    ['admin-shell-executions-failed', { failed: 9, timedOut: 1 }],
  ])('is the sum of what its metrics have: %s', (slug, values) => {
    expect(computed(slug, values)).toBe(10);
  });
});

describe('the time until an alarm', () => {
  let declaredOnce: readonly DeclaredAlarm[] | undefined;
  const declared = () => {
    declaredOnce ??= readDeclared();
    return declaredOnce;
  };
  let timesOnce: readonly FailureTold[] | undefined;
  const times = () => {
    timesOnce ??= timesOf(declared());
    return timesOnce;
  };
  const readDeclared = () => {
    const resources = Object.entries(template.Resources).map(([id, { Type, Condition, Properties }]) => [
      id,
      { Type, Condition, Properties },
    ]);
    return alarmsOf(Object.fromEntries(resources));
  };

  it('is in docs/alarms.md and the runbook as computed: npm run alarms -- --write puts it there', async () => {
    const document = await readFile(join(REPOSITORY_DIRECTORY, DOCUMENT), 'utf8');

    expect(document).toBe(withTable(document, failureTable(times())));
    expect(runbook).toBe(withTimes(runbook, declared(), times()));
    expect(
      declared().every(({ name, severity }) => !severity || runbook.includes(`### ${headingOf(name)}\n`)),
    ).toBe(true);
  });

  it('is known for each alarm, from at least one of the failures', () => {
    const told = new Set(times().flatMap(({ told: at }) => at.flat().map(({ alarm }) => alarm)));

    expect(declared().filter(({ name, severity }) => severity !== undefined && !told.has(name))).toEqual([]);
  });

  it('is of failures that change metrics which an alarm looks at, or none on purpose', () => {
    const known = new Set([
      ...Object.keys(goodDay(trafficOf(1000))),
      ...declared().flatMap((alarm) =>
        alarm.kind === 'metric' ? alarm.queries.flatMap(({ metric }) => metric?.key ?? []) : [],
      ),
    ]);
    const changed = FAILURES.flatMap(({ flows }) => Object.keys(flows(trafficOf(1000))));

    expect(changed.filter((key) => !known.has(key))).toEqual([]);
  });

  /** The minutes of a stack from its deployment on: for a quarter of an hour nothing runs at all. */
  function deployed(disconnects: number, days = 1): History {
    const flows = Object.entries(goodDay(trafficOf(disconnects)));
    const nothing = Array.from({ length: 15 }, () => undefined);
    return new Map(flows.map(([key, flow]) => [key, [...nothing, ...minutesOf(flow, days * 1440)]]));
  }

  it.each(DISCONNECTS_PER_MONTH)(
    'never comes after a first deployment or on good days, at %i a month',
    (number) => {
      const history = deployed(number);

      const raised = declared().filter(
        (alarm) =>
          alarm.severity !== undefined && evaluate(alarm, history, { alarms: declared() }).includes(true),
      );

      expect(raised.map(({ name }) => name)).toEqual([]);
    },
  );

  it('never pages for one rejected event, one failed window, or a storm', () => {
    const single = times().filter(({ failure: { what } }) =>
      /^(A feed names one session|One execution|A storm|An event has failed|A feed’s release)/.test(what),
    );

    expect(single).toHaveLength(6);
    expect(single.flatMap(({ told }) => told.flat()).filter(({ severity }) => severity === 'page')).toEqual(
      [],
    );
  });

  it('is at most six hours and a minute for a total outage at a thousand disconnects a month', () => {
    const outages = times().filter(({ failure: { what } }) =>
      /requestConnection|every connection call|every event|takes status changes|watcher’s schedule/.test(
        what,
      ),
    );

    expect(outages.length).toBeGreaterThanOrEqual(5);
    for (const { failure, told } of outages) {
      const page = told[0]?.find(({ severity }) => severity === 'page');
      expect(page?.afterMinutes, failure.what).toBeLessThanOrEqual(361);
    }
  });
});

describe('CloudWatch evaluates', () => {
  const alarm = {
    kind: 'metric',
    name: 'x',
    severity: 'page',
    onlyWithWatcher: false,
    periodMinutes: 1,
    evaluationPeriods: 3,
    datapointsToAlarm: 3,
    threshold: 1,
    comparison: 'GreaterThanOrEqualToThreshold',
    missing: 'breaching',
    queries: [{ id: 'value', metric: { key: 'x', stat: 'Sum' } }],
  } as const;
  const X = 1;
  const _ = undefined;

  // The tables of the User Guide, "How alarm state is evaluated when data is missing".
  it.each([
    [3, [0, X, _, X, _], false, false],
    [3, [0, _, _, _, _], false, false],
    [3, [_, _, _, _, _], true, false],
    [3, [0, X, X, _, X], true, true],
    [2, [0, X, X, _, X], true, true],
    [2, [0, 0, X, 0, X], true, true],
    [2, [0, _, X, _, _], true, false],
    [2, [_, _, _, _, 0], true, false],
  ])('%i of 3 over %j as its User Guide shows', (datapointsToAlarm, minutes, breaching, notBreaching) => {
    const history = new Map([['x', minutes]]);

    const at = (missing: 'breaching' | 'notBreaching') =>
      evaluate({ ...alarm, datapointsToAlarm, missing }, history).at(-1);

    expect([at('breaching'), at('notBreaching')]).toEqual([breaching, notBreaching]);
  });

  it('over periods that end with each minute, and not with the hour', () => {
    const history = new Map([['x', [_, _, _, 3, _, _, _, _, _, _]]]);

    const states = evaluate(
      {
        ...alarm,
        periodMinutes: 5,
        evaluationPeriods: 1,
        datapointsToAlarm: 1,
        threshold: 3,
        missing: 'notBreaching',
      },
      history,
    );

    // Three periods are looked back, because those between have no data.
    expect(states.indexOf(true)).toBe(3);
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
