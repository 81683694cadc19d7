/**
 * `npm run mutation` changes the deciding code in a few thousand ways, one at a time, and reports the changes that no
 * test notices: docs/mutation-testing.md has the last result. It takes long, so it is no part of `npm test`.
 * One file: `npm run mutation -- -m functions/watch-sessions/judge-window.ts`.
 */
export default {
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  // `related` asks Vite for every mutant which tests import its file; which tests reach it is known from the first run.
  vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
  coverageAnalysis: 'perTest',
  // What runs only while a module is loaded (settings, schemas, tables of names) would need every test, each in a
  // process of its own. Types, the schema samples and the packaged functions hold these.
  ignoreStatic: true,
  mutate: [
    'functions/**/*.ts',
    // Each imports a definition and its clients.
    '!functions/**/handler.ts',
    '!functions/shared/runtime/clients.ts',
  ],
  // Stryker rewrites tsconfig.json with TypeScript's API, which TypeScript 7 has not. Vitest needs none of it.
  tsconfigFile: 'none.json',
  ignorePatterns: ['docs', 'bench', 'dist', '.serverless', 'reports'],
  concurrency: 2,
  timeoutMS: 10_000,
  reporters: ['clear-text', 'progress-append-only', 'html', 'json'],
  clearTextReporter: { reportTests: false, allowColor: false },
  htmlReporter: { fileName: 'reports/mutation.html' },
  jsonReporter: { fileName: 'reports/mutation.json' },
};
