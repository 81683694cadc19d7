/**
 * Keeps the functions' own log lines and metrics out of the test report; `SHOW_LOGS=1 npm test` lets them through. A test
 * that looks at them captures them before they get here.
 */
const isLogLine = (chunk: unknown) => typeof chunk === 'string' && /^\{"(level|_aws)":/.test(chunk);

if (process.env['SHOW_LOGS'] === undefined) {
  for (const stream of [process.stdout, process.stderr]) {
    stream.write = new Proxy(stream.write, {
      apply: (write, self, args: Parameters<typeof stream.write>) =>
        isLogLine(args[0]) || Reflect.apply(write, self, args),
    });
  }
}
