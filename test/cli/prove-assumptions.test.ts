import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { GameLiftStreamsControl, startGameLiftStreams } from 'game-lift-streams-local';
import { seededRandom, VirtualClock } from 'local-server-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ASSUMPTIONS,
  EVENT_BUS_README,
  GUARANTEES,
  LAMBDA_README,
  README,
  REST_API_README,
  SQS_README,
  STEP_FUNCTIONS_README,
  STREAMS_README,
} from '../../cli/prove/assumptions.ts';
import { PAGES } from '../../scripts/prove-docs.ts';
import { listFiles, REPOSITORY, readText } from '../helpers/markdown.ts';

/** The sections that take a stand on AWS: each item or row must be an assumption, or be named below. */
const SECTIONS: Readonly<Record<string, readonly string[]>> = {
  [README]: ['What is not proven without an AWS account'],
  [GUARANTEES]: ['What is not promised'],
  [STREAMS_README]: ['Where the documentation is silent', 'Settings for what nobody documents'],
  [STEP_FUNCTIONS_README]: ['Where it differs, or AWS leaves room'],
  [EVENT_BUS_README]: ['What it does not'],
  [REST_API_README]: ['What functions get', 'Errors of the API itself'],
  [LAMBDA_README]: [
    'Concurrency (`concurrency.ts`)',
    'Asynchronous invocations (`asynchronous-invocations.ts`)',
  ],
};

/** Promises of this service, and ways in which a stand-in does less than AWS. No account can show them wrong. */
const NOT_ABOUT_AWS: Readonly<Record<string, readonly string[]>> = {
  [GUARANTEES]: [
    '**A disconnect that nobody saw.**',
    '**An outcome for a loss that nobody could confirm.**',
    '**An outcome other than RECONNECTED',
    '**A second window for a loss within two seconds',
    '**Two outcomes for two disconnects',
    '**A session without an owner',
    '**Which of two calls on their way',
    '**The third replacement is the last.**',
    '**Exactly once.**',
    '**What a session did while it could not be read.**',
    '**Saved players.**',
  ],
  [STEP_FUNCTIONS_README]: [
    'The last 5,000 finished Standard executions are kept',
    '$random(seed) gives other numbers',
  ],
  [EVENT_BUS_README]: ['Everything is in memory'],
};

const places = ASSUMPTIONS.flatMap(({ id, statedIn = [] }) => statedIn.map((place) => ({ id, ...place })));

let settings: Readonly<Record<string, unknown>>;
let server: Awaited<ReturnType<typeof startGameLiftStreams>>;
beforeAll(async () => {
  server = await startGameLiftStreams({ port: 0, clock: new VirtualClock(), random: seededRandom() });
  settings = { ...(await new GameLiftStreamsControl(server.url).settings()) };
});
afterAll(() => server.close());

describe('the list of assumptions', () => {
  it('gives each an id of its own, and one way to settle it', () => {
    const ids = ASSUMPTIONS.map(({ id }) => id);

    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !/^[a-z]+(-[a-z]+)*$/.test(id))).toEqual([]);
    const both = ASSUMPTIONS.filter(
      ({ settledBy, byHand }) => (settledBy === undefined) === (byHand === undefined),
    );
    expect(both.map(({ id }) => id)).toEqual([]);
  });

  it('names files that exist', () => {
    const missing = ASSUMPTIONS.flatMap(({ usedIn }) => usedIn).filter(
      (path) => !existsSync(join(REPOSITORY, path)),
    );

    expect(missing).toEqual([]);
  });

  it.each(Object.keys(SECTIONS))('has an entry for each stand of %s', (page) => {
    const entries = entriesOf(page);
    const known = [
      ...places.filter((place) => place.page === page).map(({ entry }) => entry),
      ...(NOT_ABOUT_AWS[page] ?? []),
    ];

    expect(entries.length).toBeGreaterThan(2);
    expect(entries.filter((entry) => !known.some((start) => entry.startsWith(start)))).toEqual([]);
  });

  it('names no stand that its page does not take', () => {
    const gone = places.filter(
      ({ page, entry }) => page !== SQS_README && !entriesOf(page).some((text) => text.startsWith(entry)),
    );

    expect(gone).toEqual([]);
  });

  it('knows every page of a stand-in that says where it differs from AWS', () => {
    const pages = listFiles('md').filter(
      (path) =>
        /^(packages|local)\/.*README\.md$/.test(path) &&
        /documentation is silent|Where it differs|leaves room/.test(readText(path)),
    );

    expect(pages.filter((page) => !places.some((place) => place.page === page))).toEqual([]);
  });
});

describe('a stand that is a setting of the stand-in', () => {
  const stands = ASSUMPTIONS.flatMap(({ standIn = [] }) => standIn);

  it.each(stands)('$setting has the value of the list', ({ setting, value }) => {
    expect(settings[setting]).toEqual(value);
  });

  it('is in the list, each one', () => {
    const listed = stands.map(({ setting }) => setting);

    // Not a stand: a test says how long its sessions take to start.
    expect(
      Object.keys(settings)
        .filter((name) => name !== 'activationMs')
        .sort(),
    ).toEqual(listed.sort());
  });
});

it.each(Object.entries(PAGES))('%s is what npm run prove:docs writes', (path, page) => {
  expect(readText(path)).toBe(page());
});

/** The list items and first cells in a page's sections, without emphasis on settings and code marks. */
function entriesOf(page: string): string[] {
  const sections = readText(page).split(/^## /m);
  return (SECTIONS[page] ?? []).flatMap((heading) => {
    const section = sections.find((text) => text.startsWith(`${heading}\n`));
    if (section === undefined) throw new Error(`${page} has no section "${heading}".`);
    const rows = section
      .split('\n')
      .filter((line) => /^\| (?!-)/.test(line))
      .map((line) => line.split('|')[1] ?? '')
      // The heading of the table.
      .slice(1);
    const items = [...section.matchAll(/^- ((?:.+\n?)(?: {2}.+\n?)*)/gm)].map(([, item = '']) =>
      item.replace(/\s+/g, ' '),
    );
    return [...rows, ...items].map((text) => plain(text.trim()));
  });
}

function plain(text: string): string {
  return text
    .replaceAll('`', '')
    .replace(/(?<!\*)\*(?!\*)/g, '')
    .replaceAll("'", '’');
}
