import { ASSUMPTIONS, billOf, type Counts, costOfFinding, priceNames, quantitiesOf } from './bill.ts';
import { PRICES } from './prices.ts';

export const DISCONNECTS = [0, 1000, 100_000, 10_000_000];

/** The bill and the prices as docs/deploy.md has them. */
export function markdownOf(counts: Counts): string {
  const months = DISCONNECTS.map((disconnects) => quantitiesOf(counts, disconnects));
  const bills = months.map(billOf);
  const totals = bills.map((bill) => dollars(priceNames.reduce((total, name) => total + bill[name], 0)));
  const bill = table([
    ['a month of', ...DISCONNECTS.map((disconnects) => `${disconnects.toLocaleString('en-US')} disconnects`)],
    ...priceNames.map((name) => [
      PRICES[name].what,
      ...bills.map((month, index) => `${dollars(month[name])} (${amount(months[index]?.[name] ?? 0)})`),
    ]),
    ['**together**', ...totals.map((total) => `**${total}**`)],
  ]);
  const prices = table([
    ['price', 'US dollars', 'per', 'read where'],
    ...priceNames.map((name) => {
      const { what, dollars: price, per, unit, source } = PRICES[name];
      return [what, String(price), `${per === 1 ? '' : `${per.toLocaleString('en-US')} `}${unit}`, source];
    }),
  ]);
  const finding = `Finding the stream group by its tag is in the bill with ${dollars(costOfFinding(counts))} for the table, and with two metrics; one that is named by id costs nothing to find.\n`;
  const counted = table([
    ['one disconnect', 'expires', 'reconnects'],
    ...(
      ['stateTransitions', 'expressExecutions', 'apiRequests', 'events', 'writeUnits', 'readUnits'] as const
    ).map((name) => [COUNTED[name], String(counts.expires[name]), String(counts.reconnects[name])]),
    [
      'Lambda invocations',
      ...[counts.expires, counts.reconnects].map(({ invocations }) =>
        String(Object.values(invocations).reduce((total, times) => total + times, 0)),
      ),
    ],
  ]);
  const assumed = table([
    ['assumed', ''],
    ['disconnects that reconnect, with one request each', `${ASSUMPTIONS.shareReconnected * 100} %`],
    ['a task’s invocation', `${ASSUMPTIONS.taskSeconds} s`],
    ['the function behind the API, which waits for the rest', `${ASSUMPTIONS.requestSeconds} s`],
    ['an Express execution', `${ASSUMPTIONS.expressSeconds} s`],
    ['log for an invocation', `${ASSUMPTIONS.logBytesPerInvocation} bytes`],
    ['… of the watcher', `${ASSUMPTIONS.logBytesPerLook} bytes`],
    ['receipts a minute of an empty queue', String(ASSUMPTIONS.idlePolls)],
    ['an answer', `${ASSUMPTIONS.answerBytes} bytes`],
    ['an item in the table, kept for 30 days', `${ASSUMPTIONS.itemBytes} bytes`],
    ['stream groups watched', String(ASSUMPTIONS.watchedStreamGroups)],
  ]);
  return [bill, finding, counted, assumed, prices].join('\n');
}

const COUNTED = {
  stateTransitions: 'state transitions (Standard)',
  expressExecutions: 'Express executions',
  apiRequests: 'API requests',
  events: 'events',
  writeUnits: 'write request units',
  readUnits: 'read request units',
} as const;

function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const rule = `|---|${'---:|'.repeat(head.length - 1)}\n`;
  return line(head) + rule + body.map(line).join('');
}

const dollars = (value: number) =>
  `$${value.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;

/** To two digits: the assumptions are worth no more. */
const amount = (value: number) =>
  value.toLocaleString('en-US', { notation: 'compact', maximumSignificantDigits: value < 100 ? 2 : 3 });
