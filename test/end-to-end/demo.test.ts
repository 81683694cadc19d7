import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);

it('the demo ends right and says so in one JSON document', async () => {
  const { stdout, stderr } = await run(process.execPath, ['local/demo/main.ts', '--json'], {
    cwd: join(import.meta.dirname, '../..'),
  });

  expect(stderr).toBe('');
  const report = JSON.parse(stdout);
  expect(report.right).toBe(true);
  const outcomes = report.sessions.map(({ recorded }: { recorded: { outcome: string } }) => recorded.outcome);
  expect(outcomes).toEqual(['RECONNECTED', 'RECONNECTED', 'TERMINATED', 'TERMINATED', 'RECONNECTED']);
}, 120_000);
