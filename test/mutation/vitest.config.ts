import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

/**
 * The tests of the deciding code alone: those of stand-ins, pages and packages run other code, or the built bundles.
 * `MUTATION_TESTS='test/table/*.test.ts'` takes some of them (several: commas): quicker, and stricter, for a folder must be
 * held by its own.
 * Test files share one module registry: with one of its own each file loads the SDK again, a second for every mutant.
 */
const only = process.env['MUTATION_TESTS']?.split(',');

/** Without the projects, which would decide again which tests run and what they need. */
const { projects: _, ...shared } = base.test ?? {};

export default defineConfig({
  ...base,
  test: {
    ...shared,
    include: only ?? ['test/functions/**/*.test.ts', 'test/table/**/*.test.ts'],
    isolate: false,
  },
});
