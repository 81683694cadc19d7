/** Takes the functions' log lines off the standard output, and keeps them. */
export function captureLogs(): { readonly lines: readonly string[]; release(): void } {
  const lines: string[] = [];
  const { write } = process.stdout;
  process.stdout.write = new Proxy(write, {
    apply: (target, self, args: Parameters<typeof write>) => {
      const [chunk] = args;
      if (typeof chunk === 'string' && chunk.startsWith('{"level":')) {
        lines.push(chunk);
        return true;
      }
      return Reflect.apply(target, self, args);
    },
  });
  return {
    lines,
    release: () => {
      process.stdout.write = write;
    },
  };
}
