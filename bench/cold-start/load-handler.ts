/** Loads one bundle in this fresh process and prints how long that took, in ms, by the wall clock and of CPU time. */
const [path = ''] = process.argv.slice(2);
const cpuBefore = process.cpuUsage();
const startMs = performance.now();
const { handler }: { readonly handler?: unknown } = await import(path);
const readyMs = performance.now() - startMs;
const { user, system } = process.cpuUsage(cpuBefore);
if (typeof handler !== 'function') throw new Error(`${path} exports no handler.`);
process.stdout.write(JSON.stringify({ readyMs, cpuMs: (user + system) / 1000 }));
// An open socket or timer of a client must not keep the process.
process.exit(0);
