import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { executionUrlOf } from '../../functions/shared/contracts/names.ts';
import { packagedService, resourcesOfType, type Template } from '../helpers/packaged-service.ts';
import { type Dashboard, dashboardSchema, metricsOfWidget, problemOf } from './watched-metrics.ts';

const COLUMNS = 24;

const bodySchema = z.object({
  'Fn::Sub': z.tuple([
    z.string(),
    z.looseObject({
      ConsoleDomain: z.object({ 'Fn::FindInMap': z.tuple([z.string(), z.unknown(), z.string()]) }),
    }),
  ]),
});
const mappingsSchema = z.looseObject({
  Mappings: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.string()))),
});

let template: Template;
let dashboard: Dashboard;

beforeAll(async () => {
  ({ template } = await packagedService());
  dashboard = dashboardSchema.parse(JSON.parse(dashboardText(template)));
}, 600_000);

/** The body as CloudFormation hands it on, with its references as they are, and without the alarms that a parameter adds. */
function dashboardText(from: Template): string {
  const [[, dashboardResource] = []] = resourcesOfType(from, 'AWS::CloudWatch::Dashboard');
  const body = dashboardResource?.Properties['DashboardBody'];
  if (typeof body !== 'object' || body === null || !('Fn::Sub' in body) || !Array.isArray(body['Fn::Sub'])) {
    throw new Error('The dashboard has no body.');
  }
  const [text] = body['Fn::Sub'];
  return String(text).replace(`\${WatcherAlarms}`, '').replace(`\${InvocationsAlarm}`, '');
}

describe('the dashboard', () => {
  const metricWidgets = () => dashboard.widgets.filter((widget) => widget.type === 'metric');

  it('lies in 24 columns, in rows without gaps, and nothing lies on anything else', () => {
    const cells = new Map<string, number>();
    for (const { x, y, width, height } of dashboard.widgets) {
      expect(x + width).toBeLessThanOrEqual(COLUMNS);
      for (let column = x; column < x + width; column++) {
        for (let row = y; row < y + height; row++) {
          const cell = `${column},${row}`;
          cells.set(cell, (cells.get(cell) ?? 0) + 1);
        }
      }
    }
    const rows = Math.max(...dashboard.widgets.map(({ y, height }) => y + height));

    expect([...cells].filter(([, widgets]) => widgets > 1)).toEqual([]);
    expect(cells.size).toBe(COLUMNS * rows);
  });

  it('shows metrics that the code or AWS writes, of resources that are there', () => {
    const problems = metricWidgets().flatMap(({ properties: { title, metrics } }) =>
      metricsOfWidget(metrics).map((metric) => [title, problemOf(metric, template)] as const),
    );

    expect(problems.filter(([, problem]) => problem !== undefined)).toEqual([]);
  });

  it('gives each graph a title of its own and each line a name', () => {
    const titles = metricWidgets().map(({ properties: { title } }) => title);
    expect(new Set(titles).size).toBe(titles.length);

    for (const { properties } of metricWidgets()) {
      const labels = properties.metrics.flatMap((line) => {
        const options = line.at(-1);
        return typeof options === 'object' && options['visible'] !== false ? [options['label']] : [];
      });
      const shown = properties.metrics.filter((line) => {
        const options = line.at(-1);
        return typeof options !== 'object' || options['visible'] !== false;
      });
      expect(labels.filter((label) => typeof label === 'string')).toHaveLength(shown.length);
      expect(new Set(labels).size, properties.title).toBe(labels.length);
    }
  });

  it('answers what an operator asks', () => {
    const shown = new Set(
      metricWidgets().flatMap(({ properties }) =>
        metricsOfWidget(properties.metrics).map(({ name }) => name),
      ),
    );

    for (const asked of [
      'WindowsOpened',
      'WindowsReconnected',
      'WindowsTerminated',
      'TimeToReconnect',
      'PermitWait',
      'CallsThrottled',
      'WatcherLag',
      'ExecutionsFailed',
      'ApproximateNumberOfMessagesVisible',
      'Latency',
    ]) {
      expect(shown).toContain(asked);
    }
  });

  it('has every alarm on it, and a way to the runbook', () => {
    const body = JSON.stringify(template.Resources['Dashboard']?.Properties['DashboardBody']);
    const [header] = dashboard.widgets;

    const ids = ['AWS::CloudWatch::Alarm', 'AWS::CloudWatch::CompositeAlarm'].flatMap((type) =>
      resourcesOfType(template, type).map(([id]) => id),
    );
    // An alarm that tells nobody is a part of another, and on the dashboard with it.
    for (const id of ids.filter((each) => each.endsWith('Alarm'))) expect(body).toContain(`\${${id}.Arn}`);
    expect(header).toMatchObject({ type: 'text', x: 0, y: 0 });
    expect(JSON.stringify(header)).toContain('](docs/runbook.md)');
  });

  it.each(['aws', 'aws-cn', 'aws-us-gov'])('links to the console of the partition %s', (partition) => {
    const [text, { ConsoleDomain }] = bodySchema.parse(
      template.Resources['Dashboard']?.Properties['DashboardBody'],
    )['Fn::Sub'];
    const [map, key, name] = ConsoleDomain['Fn::FindInMap'];
    const { Mappings } = mappingsSchema.parse(template);

    expect(key).toEqual({ Ref: 'AWS::Partition' });
    const host = new URL(executionUrlOf(`arn:${partition}:states:here:111122223333:execution:m:e`) ?? '')
      .host;
    expect(`here.${Mappings[map]?.[partition]?.[name]}`).toBe(host);
    const links = [...text.matchAll(/https:\/\/([^/]+)\//g)].map(([, linked]) => linked);
    expect(links).toEqual([`\${AWS::Region}.\${ConsoleDomain}`]);
  });
});
