/** A JSON document, laid out. Text that is no JSON is shown as it is. */
export function JsonView({ value, label }: { value: unknown; label: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and a keyboard must reach what lies outside
    <section className="json" tabIndex={0} aria-label={label}>
      <pre>{JSON.stringify(unfolded(value), null, 2) ?? 'none'}</pre>
    </section>
  );
}

/** Documents travel as text inside documents; each is shown as what it holds. */
function unfolded(value: unknown): unknown {
  if (typeof value !== 'string' || !/^[[{"]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
