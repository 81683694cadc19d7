/** From the repository's root. */
export const DOCUMENT = 'docs/deploy.md';

const BEGIN = '<!-- npm run bench:deploy-cost -- --write -->\n';
const END = '<!-- end -->\n';

/** The tables that the document has now. */
export function tablesIn(document: string): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${DOCUMENT} has no place for the tables.`);
  return document.slice(begin + BEGIN.length, end);
}

export function withTables(document: string, tables: string): string {
  // By a function: in a text `$2` and the like would mean something.
  return document.replace(`${BEGIN}${tablesIn(document)}${END}`, () => `${BEGIN}${tables}${END}`);
}
