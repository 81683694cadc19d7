import { dirname, join, normalize } from 'node:path';
import { expect, it } from 'vitest';
import { listFiles, readText } from '../helpers/markdown.ts';

/** CONTRIBUTING.md, "Import rules": what a folder may import of the others. Left out: test and bench, which may all. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  functions: [],
  packages: [],
  clients: ['packages'],
  feeds: ['packages'],
  cli: ['functions', 'clients', 'packages'],
  scripts: ['functions', 'local', 'packages'],
  local: ['functions', 'clients', 'packages'],
};

/** What is left from before the rules. Take a line out with its import; add none. */
const EXCEPTIONS = new Set([
  'local/local-stack.ts -> scripts/build.ts',
  'local/start/welcome.ts -> cli/admin-shell/endpoint.ts',
  'local/web/player/stream-client.ts -> scripts/web-sdk-offer.ts',
  'functions/on-execution-failure/on-execution-failure.ts -> functions/record-outcome/record-outcome.ts',
]);

const packages = new Set(
  listFiles('json')
    .map((path) => /^packages\/([^/]+)\/package\.json$/.exec(path)?.[1])
    .filter((name) => name !== undefined),
);

const imports = listFiles('ts', 'tsx', 'mjs').flatMap((from) =>
  [...readText(from).matchAll(/\b(?:from|import)\s*\(?\s*'([^']+)'/g)].flatMap(([, path = '']) => {
    if (path.startsWith('.')) return [{ from, to: normalize(join(dirname(from), path)) }];
    return packages.has(path) ? [{ from, to: `packages/${path}` }] : [];
  }),
);

it('a folder imports only what is below it', () => {
  const upwards = imports.filter(({ from, to }) => {
    const allowed = MAY_IMPORT[topOf(from)];
    const isTest = from.startsWith('packages/') && from.split('/')[2] === 'test';
    return topOf(from) !== topOf(to) && allowed !== undefined && !isTest && !allowed.includes(topOf(to));
  });

  expect(imports.length).toBeGreaterThan(1000);
  expect(newOnes(upwards)).toEqual([]);
});

it('nothing imports tests or benches but they themselves', () => {
  const ofTests = imports.filter(
    ({ from, to }) =>
      ['test', 'bench'].includes(topOf(to)) && !['test', 'bench', 'packages'].includes(topOf(from)),
  );

  expect(ofTests).toEqual([]);
});

it("a function's folder imports no other function's", () => {
  const sideways = imports.filter(({ from, to }) => {
    const [top, folder] = from.split('/');
    const [, other] = to.split('/');
    return top === 'functions' && topOf(to) === 'functions' && folder !== other && other !== 'shared';
  });

  expect(newOnes(sideways)).toEqual([]);
});

function topOf(path: string): string {
  return path.split('/')[0] ?? '';
}

function newOnes(found: readonly { readonly from: string; readonly to: string }[]): string[] {
  return found.map(({ from, to }) => `${from} -> ${to}`).filter((arrow) => !EXCEPTIONS.has(arrow));
}
