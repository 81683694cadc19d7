import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EVENT_CONTRACTS, schemaFileText } from '../../scripts/event-schemas.ts';
import { outdatedSchemaFiles, run, writeSchemaFiles } from '../../scripts/write-event-schemas.ts';
import { EVENTS_FOLDER } from './contracts.ts';

const OUTCOME_SCHEMA = 'stream-session-reconnection-outcome.v1.schema.json';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'event-schemas-'));
  await writeSchemaFiles(folder);
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe('the schema files', () => {
  it('are those that the code generates', async () => {
    expect(await outdatedSchemaFiles(EVENTS_FOLDER)).toEqual([]);
  });

  it.each(EVENT_CONTRACTS)('name themselves, their dialect and their meaning: $fileName', (contract) => {
    const schema: unknown = JSON.parse(schemaFileText(contract));
    expect(schema).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: `urn:stream-session-reconnection:${contract.fileName.replace('.schema.json', '')}`,
      title: expect.stringMatching(/./),
      description: expect.stringMatching(/./),
    });
  });
});

describe('write-event-schemas', () => {
  it('names a changed, a missing and a surplus file with --check, and exits 1', async () => {
    // Prepare
    const print = vi.spyOn(console, 'error').mockReturnValue();
    const windowSchema = join(folder, 'reconnection-window.reply.schema.json');
    await writeFile(
      windowSchema,
      (await readFile(windowSchema, 'utf8')).replace('"minimum": 1', '"minimum": 0'),
    );
    await rm(join(folder, OUTCOME_SCHEMA));
    await writeFile(join(folder, 'forgotten.v1.schema.json'), '{}');
    // Act
    const exitCode = await run({ check: true }, folder);
    // Assess
    expect(exitCode).toBe(1);
    expect(print.mock.calls.flat()).toEqual([
      'out of date: events/forgotten.v1.schema.json',
      'out of date: events/reconnection-window.reply.schema.json',
      `out of date: events/${OUTCOME_SCHEMA}`,
    ]);
  });

  it('exits 0 with --check when nothing is out of date', async () => {
    expect(await run({ check: true }, folder)).toBe(0);
  });

  it('writes what is missing', async () => {
    await rm(join(folder, OUTCOME_SCHEMA));
    expect(await run({ check: false }, folder)).toBe(0);
    expect(await outdatedSchemaFiles(folder)).toEqual([]);
  });
});
