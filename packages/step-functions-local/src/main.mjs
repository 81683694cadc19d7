#!/usr/bin/env node
// Plain JavaScript, so that a Node too old to run TypeScript says so in words: main.ts itself would fail with
// ERR_UNKNOWN_FILE_EXTENSION, or with a syntax error.
const REQUIRED_MAJOR = 24;

if (Number(process.version.slice(1).split('.')[0]) < REQUIRED_MAJOR) {
  console.error(
    `Step Functions needs Node ${REQUIRED_MAJOR} or newer, and this is ${process.version}.\n` +
      'In its repository, after `npm ci`, `npx step-functions-local` runs with the right one.',
  );
  process.exitCode = 1;
} else {
  await import('./main.ts');
}
