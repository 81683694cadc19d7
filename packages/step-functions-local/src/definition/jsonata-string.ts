/** The expression inside `{% … %}`; undefined for any other value, which then stands for itself. */
export function jsonataSource(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length < 4) return undefined;
  return value.startsWith('{%') && value.endsWith('%}') ? value.slice(2, -2).trim() : undefined;
}
