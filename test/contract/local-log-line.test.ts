import { expect, it } from 'vitest';
import { createMetrics } from '../../functions/shared/runtime/metrics.ts';
import { describeLogLine } from '../../local/start/log-line.ts';
import { captureOutput } from '../helpers/lambda.ts';
import { memoryLog } from '../helpers/log.ts';

it('metrics are no lines for someone who watches: what they count has log lines of its own', () => {
  const output = captureOutput();
  const metrics = createMetrics(memoryLog);
  metrics.add('WindowsOpened', 1);
  metrics.emit();
  const [emitted = ''] = output.text().split('\n');

  expect(emitted).toContain('WindowsOpened');
  expect(describeLogLine(emitted)).toBeUndefined();
});

it('a log line is shown as time, event, execution and the fields that matter', () => {
  const line = JSON.stringify({
    level: 'INFO',
    message: 'OutcomeRecorded',
    timestamp: '2026-01-01T12:00:41.500Z',
    executionName: 'ABC123def4567-1',
    outcome: 'RECONNECTED',
    durationMs: 41_500,
  });

  expect(describeLogLine(line)).toBe('12:00:41  OutcomeRecorded      ABC123def4567-1  outcome=RECONNECTED');
});
