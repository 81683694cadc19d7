/** Far deeper than anything that the workflow says, and far from where recursion ends. */
const MAX_DEPTH = 1_000;

/**
 * JSON.parse takes any depth, but what is made of its result by recursion does not: JSON.stringify itself throws
 * at some thousands, long after the value was accepted.
 *
 * @throws SyntaxError for what is no JSON, and for what is nested more than 1,000 deep. The former may quote the text.
 */
export function parseJson(text: string): unknown {
  if (isTooDeep(text)) throw new SyntaxError(`The JSON is nested more than ${MAX_DEPTH} deep.`);
  return JSON.parse(text);
}

/** Brackets inside strings do not count; text that is no JSON may be judged either way. */
function isTooDeep(text: string): boolean {
  // Each level takes a character at least.
  if (text.length <= MAX_DEPTH) return false;
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (inString) {
      if (character === '\\') index++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth--;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
