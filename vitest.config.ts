import { defineConfig } from 'vitest/config';

/** Tests that need neither serverless.yml nor a packaged service, so that one of them runs in about two seconds. */
const WITHOUT_SERVICE = ['test/functions/**/*.test.ts', 'test/table/**/*.test.ts', 'test/docs/**/*.test.ts'];
/** Tests with modules replaced below them, which need a registry of their own. */
const REPLACES_MODULES = ['test/model/flaws.test.ts'];
const SERVICE_SETUP = ['test/helpers/service-description.ts', 'test/helpers/packaging-folder.ts'];
const PACKAGES = 'packages/*/test/**/*.test.ts';

export default defineConfig({
  test: {
    reporters: ['default', './test/helpers/slowest-files.ts'],
    setupFiles: ['test/helpers/quiet-logs.ts', 'test/helpers/seeded-properties.ts'],
    // Two cores: more workers than that only make each test slower.
    maxWorkers: 2,
    // A test that hangs ends by these; how fast a busy machine is, is not what a test is about.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Functions that run in the test's own process: without a namespace Powertools warns at every emission.
    env: { POWERTOOLS_METRICS_NAMESPACE: 'test' },
    restoreMocks: true,
    unstubEnvs: true,
    projects: [
      // One module registry for each worker: with one for each file, most files take longer to load the SDK than to run.
      { extends: true, test: { name: 'parts', include: [...WITHOUT_SERVICE, PACKAGES], isolate: false } },
      {
        extends: true,
        test: {
          name: 'service',
          include: ['test/**/*.test.ts', 'local/test/**/*.test.ts'],
          exclude: [...WITHOUT_SERVICE, ...REPLACES_MODULES],
          isolate: false,
          globalSetup: SERVICE_SETUP,
        },
      },
      {
        extends: true,
        test: { name: 'replaced modules', include: REPLACES_MODULES, globalSetup: SERVICE_SETUP },
      },
    ],
  },
});
