import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'packages/*/test/**/*.test.ts'],
    setupFiles: ['test/helpers/quiet-logs.ts', 'test/helpers/seeded-properties.ts'],
    globalSetup: ['test/helpers/service-description.ts', 'test/helpers/packaging-folder.ts'],
    // Two cores: more workers than that only make each test slower.
    maxWorkers: 2,
    // A test that hangs ends by these; how fast a busy machine is, is not what a test is about.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Functions that run in the test's own process: without a namespace Powertools warns at every emission.
    env: { POWERTOOLS_METRICS_NAMESPACE: 'test' },
    restoreMocks: true,
    unstubEnvs: true,
  },
});
