import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

/** The tests of the deciding code alone: those of stand-ins, pages and packages run other code, or the built bundles. */
export default defineConfig({
  ...base,
  test: { ...base.test, include: ['test/functions/**/*.test.ts', 'test/table/**/*.test.ts'] },
});
