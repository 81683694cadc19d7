import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packagedService, resourcesOfType } from '../helpers/packaged-service.ts';
import { textOf } from '../helpers/template-view.ts';

const { template } = await packagedService();
const page = await readFile(join(import.meta.dirname, '../../docs/personal-data.md'), 'utf8');
const rows = page.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| what'));

/** The cells of the row that names this thing. */
function rowOf(name: string): string {
  return rows.find((row) => row.includes(`\`${name}\``)) ?? '';
}

describe('the page on personal data', () => {
  it('has every queue, and for how long it keeps a message at most', () => {
    const queues = resourcesOfType(template, 'AWS::SQS::Queue');

    expect(queues.length).toBeGreaterThan(5);
    for (const [logicalId, { Properties }] of queues) {
      const seconds = Number(Properties['MessageRetentionPeriod']);
      expect(rowOf(logicalId), logicalId).toContain(
        seconds < 86_400 ? `${seconds / 60} minutes` : `${seconds / 86_400} days`,
      );
    }
  });

  it('has the days that logs are kept by default', () => {
    const days = resourcesOfType(template, 'AWS::Logs::LogGroup').map(
      ([logicalId, { Properties }]) => [logicalId, textOf(Properties['RetentionInDays'])] as const,
    );

    for (const [logicalId, retention] of days) {
      const parameter =
        logicalId === 'RequestAdminShellLogGroup' ? 'adminShellAuditDays' : 'logRetentionDays';
      expect(rowOf(parameter), logicalId).toContain(`\`${parameter}\` (${retention})`);
    }
  });

  it('is right about what logs never get: no execution data, no address in the access log', () => {
    const stage = resourcesOfType(template, 'AWS::ApiGateway::Stage')[0]?.[1];
    expect(JSON.stringify(stage?.Properties['AccessLogSetting'])).not.toMatch(
      /sourceIp|userAgent|identity\.user"/,
    );
    for (const [id, { Properties }] of resourcesOfType(template, 'AWS::StepFunctions::StateMachine')) {
      expect(JSON.stringify(Properties['LoggingConfiguration']), id).toContain(
        '"IncludeExecutionData":false',
      );
    }
  });
});
