import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

/**
 * The tests of the deciding code alone: those of stand-ins, pages and packages run other code, or the built bundles.
 * Test files share one module registry: with one of its own each file loads the SDK again, a second for every mutant.
 */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ['test/functions/**/*.test.ts', 'test/table/**/*.test.ts'],
    setupFiles: [...(base.test?.setupFiles ?? []), 'test/mutation/restore-clients.ts'],
    // These tests start nothing that is packaged, and read no serverless.yml.
    globalSetup: [],
    isolate: false,
  },
});
