import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../cli/run-command.ts';
import { billOf, quantitiesOf } from './deploy-cost/bill.ts';
import { readCounts } from './deploy-cost/counts.ts';
import { DOCUMENT, withTables } from './deploy-cost/document.ts';
import { DISCONNECTS, markdownOf } from './deploy-cost/tables.ts';
import { benchedService } from './shared/benched-service.ts';

const usage = `Usage: npm run bench:deploy-cost [-- --write | --json]

Computes what a month of the deployed service costs, item by item, from what the workflow does (counted), the prices of
bench/deploy-cost/prices.ts and the assumptions of bill.ts.

  --write   puts the tables into ${DOCUMENT}
  --json    one JSON document
  --help    this text
`;
const options = {
  json: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
} as const;

async function main(values: { readonly json: boolean; readonly write: boolean }): Promise<void> {
  const counts = await readCounts(await benchedService());
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

await runCommand({ usage, options, run: main });
