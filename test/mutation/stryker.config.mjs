/**
 * `npm run mutation` changes the deciding code in a few thousand ways, one at a time, and reports the changes that no
 * test notices. On two cores it takes about a quarter of an hour, so it is no part of `npm test`.
 * One file: `npm run mutation -- -m functions/watch-sessions/judge-window.ts`.
 */
export default {
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'test/mutation/vitest.config.ts' },
  coverageAnalysis: 'perTest',
  mutate: [
    'functions/**/*.ts',
    // Glue, without a decision of its own.
    '!functions/**/handler.ts',
    '!functions/**/*-handler.ts',
    '!functions/shared/clients/**',
  ],
  // Stryker rewrites tsconfig.json with TypeScript's API, which TypeScript 7 has not. Vitest needs none of it.
  tsconfigFile: 'none.json',
  ignorePatterns: ['docs', 'bench', 'dist', '.serverless', 'reports'],
  concurrency: 2,
  timeoutMS: 10_000,
  reporters: ['clear-text', 'progress-append-only', 'html', 'json'],
  htmlReporter: { fileName: 'reports/mutation.html' },
  jsonReporter: { fileName: 'reports/mutation.json' },
};
