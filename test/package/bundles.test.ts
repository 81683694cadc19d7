import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { packagedService } from '../helpers/packaged-service.ts';

const { bundles } = await packagedService();

/**
 * Bytes that a bundle may have: what it has, and 3 % for what the next version of a dependency adds. Whoever comes to
 * a limit looks at what has come in (`Bundle.inputs`) before raising it: every 100 KB is some 25 ms of a cold start.
 */
const LIMIT_BYTES: Readonly<Record<string, number>> = {
  'check-session': 408_000,
  'create-admin-shell': 397_000,
  'create-connection': 416_000,
  'get-window': 358_000,
  'leave-session': 490_000,
  'on-execution-failure': 418_000,
  'on-status-change': 508_000,
  'record-failure': 358_000,
  'record-outcome': 390_000,
  'register-task-token': 416_000,
  'request-admin-shell': 446_000,
  'request-connection': 466_000,
  'signal-window': 384_000,
  'terminate-session': 410_000,
  'watch-sessions': 512_000,
};

describe.each(bundles)('$name', ({ name, path, bytes, inputs }) => {
  it('is not larger than its limit', () => {
    expect(bytes).toBeLessThanOrEqual(LIMIT_BYTES[name] ?? 0);
  });

  it('holds nothing of the local stack, the consoles, the tests or the tools', () => {
    const own = [...inputs.keys()].filter((file) => !file.startsWith('node_modules/'));

    expect(own.length).toBeGreaterThan(0);
    expect(own.filter((file) => !file.startsWith('functions/'))).toEqual([]);
  });

  it('is minified, and says where its source map is', async () => {
    const bundle = await readFile(path, 'utf8');

    expect(bundle.trimEnd().endsWith('//# sourceMappingURL=handler.mjs.map')).toBe(true);
    expect(bundle.split('\n').length).toBeLessThan(bytes / 1000);
  });
});
