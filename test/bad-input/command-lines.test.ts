import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import fc from 'fast-check';
import { startLoopbackServer, VirtualClock } from 'local-server-kit';
import { describe, expect, it, vi } from 'vitest';
import { run as runAdminShell } from '../../cli/admin-shell/run.ts';
import { run as runSwitch } from '../../cli/switch/run.ts';
import { run as runWindows } from '../../cli/windows/run.ts';
import { readSettings, settingSchemas } from '../../functions/shared/runtime/settings.ts';
import { parametersOf, problemsOf } from '../../scripts/serverless/parameters.ts';
import { hostileText, MARKER } from './arbitraries.ts';
import { FUZZ_TIMEOUT_MS, runs } from './runs.ts';
import { watchPrototypes } from './watch.ts';

watchPrototypes();

const root = join(import.meta.dirname, '../..');

/** Who else reads arguments, and where they are sent bad ones. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'packages/game-lift-streams-local/src/main.ts': 'packages/game-lift-streams-local/test/main.test.ts',
  'packages/step-functions-local/src/main.ts': 'packages/step-functions-local/test/main.test.ts',
  'packages/game-lift-streams-local/src/peers/main.ts': 'Started by the stand-in alone.',
  'cli/run-command.ts': 'test/cli/run-command.test.ts',
};
/** What is typed here may be told again: it stands in the same terminal. */
const HERE = ['cli/admin-shell/main.ts', 'cli/command-line.ts', 'cli/switch/main.ts', 'cli/windows/main.ts'];

it('every command that reads arguments is sent bad ones', async () => {
  const folders = ['cli', 'local', 'packages', 'scripts'];
  const listed = await Promise.all(
    folders.map((folder) => readdir(join(root, folder), { recursive: true, withFileTypes: true })),
  );
  const files = listed
    .flat()
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));

  const readers = files.filter((_file, index) => /process\.argv|parseArgs\(/.test(texts[index] ?? ''));

  expect(readers.map((file) => relative(root, file)).sort()).toEqual(
    [...HERE, ...Object.keys(ELSEWHERE)].sort(),
  );
});

/** Arguments as they come from a shell: no NUL, not longer than a system takes. */
const argument = hostileText.map((text) => text.replaceAll('\0', '').slice(0, 10_000));

/** Some of the flags, in any order, with values that may be anything. */
const argumentsOf = (flags: readonly string[], words: readonly string[]) =>
  fc
    .array(
      fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom(...words).map((word) => [word]) },
        { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...flags), argument).map((pair) => [...pair]) },
        { weight: 2, arbitrary: fc.constantFrom(...flags).map((flag) => [flag]) },
        {
          weight: 1,
          arbitrary: fc
            .constantFrom('--', '-', '--=', '--__proto__=1', '--constructor', '--no-help', '-h')
            .map((word) => [word]),
        },
        { weight: 1, arbitrary: argument.map((text) => [text]) },
      ),
      { maxLength: 8 },
    )
    .map((parts) => parts.flat());

/** A server that knows nothing, in place of the API and of DynamoDB: no command reaches further than this machine. */
async function startNobody() {
  return startLoopbackServer({
    port: 0,
    maxBodyBytes: 1_000_000,
    handle: async () => ({ status: 404, body: '{}' }),
  });
}

/** How a command ends that cannot be carried out: with a code, and what to do about it; not with a stack. */
function assertTold(code: number, told: string): void {
  expect([0, 1, 2]).toContain(code);
  expect(told.trim()).not.toBe('');
  expect(told).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
}

describe('the command lines', () => {
  it(
    'npm run switch ends with a code and says why, whatever its arguments',
    async () => {
      const nobody = await startNobody();
      vi.stubEnv('AWS_REGION', 'us-west-2');
      vi.stubEnv('AWS_MAX_ATTEMPTS', '1');
      const flags = ['--table', '--reason', '--region', '--help', '--tabel'];
      await fc.assert(
        fc.asyncProperty(
          argumentsOf(flags, ['on', 'refuse', 'passThrough', '--table', 'Table']),
          async (args) => {
            const told: string[] = [];

            const code = await runSwitch([...args, '--endpoint', nobody.url], {
              clock: new VirtualClock(),
              tell: (text) => told.push(text),
            });

            assertTold(code, told.join(''));
          },
        ),
        runs(60),
      );
      await nobody.close();
    },
    FUZZ_TIMEOUT_MS,
  );

  it(
    'npm run windows ends with a code and says why, whatever its arguments',
    async () => {
      const nobody = await startNobody();
      vi.stubEnv('AWS_MAX_ATTEMPTS', '1');
      const flags = [
        '--failed-since',
        '--table',
        '--max-pages',
        '--region',
        '--dry-run',
        '--group',
        '--state',
        '--left',
        '--json',
        '--help',
        '--tabel',
      ];
      const machine = 'arn:aws:states:us-west-2:123456789012:stateMachine:windows';
      await fc.assert(
        fc.asyncProperty(
          argumentsOf(flags, [
            'retry',
            'list',
            'show',
            'sg-1/a',
            'ABC123def4567',
            '--table=Table',
            '--failed-since=2h',
          ]),
          async (args) => {
            const told: string[] = [];

            // A list takes no options of the state machine.
            const audit = ['--bus', 'bus', '--events-endpoint', nobody.url];
            const ofMachine = [
              ...['--state-machine', machine, '--step-functions-endpoint', nobody.url],
              ...(args.includes('show') ? [] : audit),
            ];
            const at = ['--region', 'us-west-2', '--endpoint', nobody.url];
            const given = [...args, ...at, ...(args.includes('list') ? [] : ofMachine)];
            const code = await runWindows(given, {
              clock: new VirtualClock(),
              tell: (text) => told.push(text),
            });

            assertTold(code, told.join(''));
          },
        ),
        runs(60),
      );
      await nobody.close();
    },
    FUZZ_TIMEOUT_MS,
  );

  it(
    'npm run admin-shell ends with a code and says why, whatever its arguments',
    async () => {
      const nobody = await startNobody();
      vi.stubEnv('AWS_REGION', 'us-west-2');
      const flags = ['--reason', '--region', '--wait', '--print', '--help', '--raeson'];
      await fc.assert(
        fc.asyncProperty(
          argumentsOf(flags, ['sg-1AB2C3De4', 'ABC123def4567', '--print', '--wait=5']),
          async (args) => {
            const told: string[] = [];
            const terminal = { isTTY: false, write: (text: string) => told.push(text) };

            const code = await runAdminShell([...args, '--endpoint', nobody.url], {
              environment: {},
              clock: new VirtualClock(),
              stdout: terminal,
              stderr: terminal,
              askReason: undefined,
              readPluginVersion: () => Promise.resolve(undefined),
              runPlugin: () => Promise.reject(new Error('There is no plugin.')),
            });

            assertTold(code, told.join(''));
          },
        ),
        runs(60),
      );
      await nobody.close();
    },
    FUZZ_TIMEOUT_MS,
  );

  it('an --endpoint is a URL of this machine or an encrypted one, or it is refused', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          argument,
          argument.map((text) => `http://${text}`),
          fc.constantFrom(
            'http://127.0.0.1.evil.example',
            'http://localhost@evil.example',
            'file:///etc/passwd',
            'javascript:1',
          ),
        ),
        async (endpoint) => {
          const told: string[] = [];

          const code = await runSwitch(['on', '--table', 'Table', `--endpoint=${endpoint}`], {
            clock: new VirtualClock(),
            tell: (text) => told.push(text),
          });

          expect(code).toBe(2);
          expect(told.join('')).toContain('--endpoint');
        },
      ),
      runs(60),
    );
  });
});

it('parameters of a deployment are taken, or refused by name with what to do', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc
          .tuple(
            fc.oneof(
              fc.constantFrom(
                'streamGroups',
                'kmsKeyArn',
                'logRetentionDays',
                '__proto__',
                'constructor',
                '',
              ),
              argument,
            ),
            argument,
          )
          .map((pair) => pair.join('=')),
        { minLength: 1, maxLength: 5 },
      ),
      (commandLine) => {
        const problems = problemsOf(parametersOf({}, 'dev', commandLine));

        const names = new Set(commandLine.map((text) => text.split('=')[0] ?? ''));
        const unknown = [...names].filter(
          (name) => !/^(streamGroups|kmsKeyArn|logRetentionDays)$/.test(name),
        );
        for (const name of unknown) {
          expect(
            problems.find((problem) => problem.startsWith(`${name}: there is no such parameter.`)),
          ).toBeDefined();
        }
      },
    ),
    runs(100),
  );
});

describe('the settings', () => {
  it('are read, or refused by their names and never by their values', async () => {
    const names = Object.keys(settingSchemas).filter(
      (name): name is keyof typeof settingSchemas => name in settingSchemas,
    );
    await fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom(...names, '__proto__', 'constructor'),
          fc.oneof(
            hostileText,
            fc.constantFrom('0', '-1', '1e9', '0x10', ' 5 ', '5.5', 'Infinity', 'TRUE', ',,,'),
          ),
        ),
        (environment) => {
          try {
            const settings = readSettings(names, environment);
            expect(Object.keys(settings).sort()).toEqual([...names].sort());
          } catch (error) {
            const message = error instanceof Error ? error.message : '';
            expect(message).toMatch(/^Environment variables to set or mend: /);
            expect(message).not.toContain(MARKER);
            expect(message.length).toBeLessThan(3_000);
          }
        },
      ),
      runs(100),
    );
  });
});
