import { dirname, join, normalize } from 'node:path';
import { expect, it } from 'vitest';
import { listFiles, readText } from '../helpers/markdown.ts';

/** CONTRIBUTING.md, "Import rules": what a folder may import of the others. Left out: test, which may all. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  functions: [],
  packages: [],
  clients: ['packages'],
  feeds: ['packages'],
  cli: ['functions', 'clients', 'packages'],
  scripts: ['cli', 'functions', 'packages'],
  local: ['functions', 'clients', 'cli', 'scripts', 'packages'],
  bench: ['functions', 'local', 'cli', 'clients', 'feeds', 'scripts', 'packages'],
};

/** What a package may import of the others. Each is imported by its name, so that `exports` says what is public. */
const PACKAGE_MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'local-server-kit': [],
  'step-functions-local': ['local-server-kit'],
  'game-lift-streams-local': ['local-server-kit'],
  // Its tests alone do; the package itself depends on nothing.
  'reconnection-client': ['local-server-kit'],
};

/** What a folder of a stand-in's `src` may import of the others. */
const STAND_IN_FOLDER_MAY_IMPORT: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'game-lift-streams-local': {
    protocol: [],
    peers: [],
    sessions: ['protocol', 'peers'],
    operations: ['protocol', 'sessions'],
    control: ['protocol', 'sessions'],
  },
  'step-functions-local': {
    definition: [],
    engine: ['definition'],
    api: ['definition', 'engine'],
    // What tests of this package and of others start the stand-in with.
    testing: ['index.ts'],
  },
};

/** The files of the tools above `local` that it needs: the build, the framework's command and the command line. */
const TOOLS_OF_LOCAL: readonly string[] = [
  'cli/admin-shell/endpoint.ts',
  'cli/command-line.ts',
  'cli/run-command.ts',
  'scripts/build.ts',
  'scripts/chromium.ts',
  'scripts/serverless/run-serverless.ts',
];

const packages = new Set(
  listFiles('json')
    .map((path) => /^packages\/([^/]+)\/package\.json$/.exec(path)?.[1])
    .filter((name) => name !== undefined),
);

const imports = listFiles('ts', 'tsx', 'mjs').flatMap((from) =>
  [...readText(from).matchAll(/\b(?:from|import)\s*\(?\s*'([^']+)'/g)].flatMap(([, path = '']) => {
    if (path.startsWith('.')) return [{ from, to: normalize(join(dirname(from), path)) }];
    const [name = ''] = path.split('/', 1);
    return packages.has(name) ? [{ from, to: `packages/${path}` }] : [];
  }),
);

it('a folder imports only what is below it', () => {
  const upwards = imports.filter(({ from, to }) => {
    const allowed = MAY_IMPORT[topOf(from)];
    return topOf(from) !== topOf(to) && allowed !== undefined && !allowed.includes(topOf(to));
  });

  expect(imports.length).toBeGreaterThan(1000);
  expect(arrowsOf(upwards)).toEqual([]);
});

it('local imports of cli and scripts the named tools only', () => {
  const ofTools = imports.filter(
    ({ from, to }) => topOf(from) === 'local' && ['cli', 'scripts'].includes(topOf(to)),
  );

  expect([...new Set(ofTools.map(({ to }) => to))].sort()).toEqual(TOOLS_OF_LOCAL);
});

it('nothing imports tests but tests, and nothing but tests and benches imports benches', () => {
  const ofTests = imports.filter(
    ({ from, to }) =>
      ['test', 'bench'].includes(topOf(to)) && topOf(from) !== topOf(to) && topOf(from) !== 'test',
  );

  expect(ofTests).toEqual([]);
});

it('a package imports only packages that are below it', () => {
  const upwards = imports.filter(({ from, to }) => {
    const [top, name = ''] = from.split('/');
    const [, other = ''] = to.split('/');
    return (
      top === 'packages' &&
      topOf(to) === 'packages' &&
      name !== other &&
      !PACKAGE_MAY_IMPORT[name]?.includes(other)
    );
  });

  expect(Object.keys(PACKAGE_MAY_IMPORT).sort()).toEqual([...packages].sort());
  expect(arrowsOf(upwards)).toEqual([]);
});

it('a package is imported by its name, never by a path into its folder', () => {
  const byPath = imports.filter(
    ({ from, to }) => /^packages\/[^/]+\/(src|test)\//.test(to) && packageOf(from) !== packageOf(to),
  );

  expect(arrowsOf(byPath)).toEqual([]);
});

it.each([...packages])('%s declares what it imports, and nothing else', (name) => {
  const manifest: { dependencies: object; peerDependencies?: object; devDependencies: object } = JSON.parse(
    readText(`packages/${name}/package.json`),
  );
  const importedIn = (folder: string) =>
    listFiles('ts', 'mjs')
      .filter((path) => path.startsWith(`packages/${name}/${folder}/`))
      .flatMap((path) => [...readText(path).matchAll(/\b(?:from |import\()'([\w@][^']*)'/g)])
      .map(([, path = '']) => /^(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? '')
      .filter((imported) => !imported.startsWith('node:') && imported !== name);
  const dependencies = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });

  expect(new Set(importedIn('src'))).toEqual(new Set(dependencies));
  const ofTests = [...importedIn('test'), ...importedIn('examples')];
  expect(new Set(ofTests.filter((imported) => !dependencies.includes(imported)))).toEqual(
    new Set(Object.keys(manifest.devDependencies)),
  );
});

it.each(Object.entries(STAND_IN_FOLDER_MAY_IMPORT))(
  'a folder of %s imports only what is below it',
  (name, mayImport) => {
    const source = `packages/${name}/src/`;
    const folderOf = (path: string) => path.slice(source.length).split('/', 2)[0] ?? '';
    const upwards = imports.filter(({ from, to }) => {
      if (!from.startsWith(source) || !to.startsWith(source)) return false;
      const [folder, other] = [folderOf(from), folderOf(to)];
      // The files beside the folders put them together, so no folder imports one of them.
      return !/\.m?[jt]s$/.test(folder) && folder !== other && !mayImport[folder]?.includes(other);
    });

    expect(arrowsOf(upwards)).toEqual([]);
  },
);

it("a function's folder imports no other function's", () => {
  const sideways = imports.filter(({ from, to }) => {
    const [top, folder] = from.split('/');
    const [, other] = to.split('/');
    return top === 'functions' && topOf(to) === 'functions' && folder !== other && other !== 'shared';
  });

  expect(arrowsOf(sideways)).toEqual([]);
});

function topOf(path: string): string {
  return path.split('/')[0] ?? '';
}

function packageOf(path: string): string | undefined {
  return /^packages\/([^/]+)\//.exec(path)?.[1];
}

function arrowsOf(found: readonly { readonly from: string; readonly to: string }[]): string[] {
  return found.map(({ from, to }) => `${from} -> ${to}`);
}
