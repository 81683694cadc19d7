/**
 * `npm run bench:deploy-cost`: what a month of the deployed service costs, item by item, from what the workflow does
 * (counted), the prices of bench/deploy-cost/prices.ts and the assumptions of bill.ts. `--write` puts the tables into
 * docs/deploy.md; `--json` prints one JSON document.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { billOf, quantitiesOf } from './deploy-cost/bill.ts';
import { readCounts } from './deploy-cost/counts.ts';
import { DOCUMENT, withTables } from './deploy-cost/document.ts';
import { DISCONNECTS, markdownOf } from './deploy-cost/tables.ts';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { json: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } },
  });
  const counts = await readCounts();
  const markdown = markdownOf(counts);
  if (values.write) {
    const file = join(import.meta.dirname, '..', DOCUMENT);
    const document = await readFile(file, 'utf8');
    await writeFile(file, withTables(document, markdown));
    console.log(`${DOCUMENT} has the tables.`);
  } else if (values.json) {
    const months = DISCONNECTS.map((disconnects) => {
      const quantities = quantitiesOf(counts, disconnects);
      return { disconnects, quantities, dollars: billOf(quantities) };
    });
    process.stdout.write(`${JSON.stringify({ counts, months }, null, 2)}\n`);
  } else {
    process.stdout.write(`\n${markdown}`);
  }
}

await main();
