import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { problemsOf } from '../../scripts/serverless/parameters.ts';
import { REPOSITORY_DIRECTORY } from '../../scripts/serverless/run-serverless.ts';
import { readStageFile } from '../../scripts/serverless/stage-file.ts';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stage-file-'));
  await mkdir(join(folder, 'config'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function read(text: string) {
  await writeFile(join(folder, 'config', 'prod.yml'), text);
  return readStageFile(folder, 'prod');
}

describe('config/<stage>.yml', () => {
  it('gives parameters as text, and the Region apart from them', async () => {
    const file = await read('region: us-west-2\nreadsPerSecond: 40\nuserIdCheck: true\neventBus: game\n');

    expect(file).toEqual({
      name: 'config/prod.yml',
      region: 'us-west-2',
      parameters: { readsPerSecond: '40', userIdCheck: 'true', eventBus: 'game' },
      problems: [],
    });
  });

  it('takes a list and a map for what --param takes with commas', async () => {
    const file = await read("streamGroups: [sg-a, sg-b]\ntags: { team: live ops, cost: 17 }\neventBus: ''\n");

    expect(file?.parameters).toEqual({
      streamGroups: 'sg-a,sg-b',
      tags: 'team=live ops,cost=17',
      eventBus: '',
    });
  });

  it('is refused when a parameter has no value, which could mean its default or none', async () => {
    const file = await read('streamGroups:\nreadsPerSecond: 40\n');

    expect(file?.problems).toEqual([
      "streamGroups of config/prod.yml: must be text, a number, true, false, a list or a map of these; '' for none",
    ]);
    expect(file?.parameters).toEqual({ readsPerSecond: '40' });
  });

  it.each([
    ['is a list', '- streamGroups\n', 'must be a map of parameters and their values'],
    ['is no YAML', 'a: [1\n', 'Flow sequence in block collection'],
    ['names a parameter twice', 'eventBus: a\neventBus: b\n', 'Map keys must be unique'],
  ])('is refused when it %s', async (_what, text, expected) => {
    const file = await read(text);

    expect(file?.problems.join()).toContain('config/prod.yml: ');
    expect(file?.problems.join()).toContain(expected);
  });

  it('may hold nothing but comments', async () => {
    expect(await read('# Nothing yet.\n')).toMatchObject({ parameters: {}, problems: [] });
  });

  it('is undefined for a stage that has none', () => {
    expect(readStageFile(folder, 'prod')).toBeUndefined();
  });
});

describe('the example in the repository', () => {
  it('is one that can be deployed', () => {
    const { parameters = {}, region, problems } = readStageFile(REPOSITORY_DIRECTORY, 'example') ?? {};

    expect(problems).toEqual([]);
    expect(Object.keys(parameters).length).toBeGreaterThan(3);
    expect(problemsOf(parameters, region)).toEqual([]);
  });

  it('is alone: no team has its values here', async () => {
    expect(await readdir(join(REPOSITORY_DIRECTORY, 'config'))).toEqual(['example.yml']);
  });
});
