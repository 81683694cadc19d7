import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { VirtualClock } from 'local-server-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../cli/switch/run.ts';
import { SWITCH_KEY } from '../../functions/shared/contracts/table-keys.ts';
import { readSwitchItem } from '../../functions/shared/runtime/switch.ts';
import { type DynamoDb, startDynamoDb } from '../../local/dynamodb/server.ts';
import { LOCAL_CLIENT, TABLE_DEFINITION, tableAt } from '../helpers/table.ts';

let server: DynamoDb;
beforeAll(async () => {
  server = await startDynamoDb({ port: 0, region: LOCAL_CLIENT.region, tables: [TABLE_DEFINITION] });
});
afterAll(() => server.close());

async function command(...args: string[]): Promise<{ code: number; told: string }> {
  const told: string[] = [];
  const code = await run(args, { clock: new VirtualClock(), tell: (text) => told.push(text) });
  return { code, told: told.join('') };
}

const onTable = (...args: string[]) =>
  command(...args, '--table', TABLE_DEFINITION.TableName, '--endpoint', server.url);

describe('npm run switch', () => {
  it('tells the state, changes it, and tells what it was', async () => {
    expect(await onTable()).toEqual({ code: 0, told: 'on; nobody has ever switched.\n' });

    expect(await onTable('passThrough', '--reason', 'incident 4711')).toEqual({
      code: 0,
      told: 'It was: on; nobody has ever switched.\nNow: passThrough. Every function knows within 5 s.\n',
    });

    expect(await onTable()).toEqual({
      code: 0,
      told: 'passThrough since 2026-01-01T00:00:00.000Z (incident 4711).\n',
    });
    expect(await readSwitchItem(tableAt(server.url))).toMatchObject({ state: 'passThrough' });
    await onTable('on');
    expect((await onTable()).told).toBe('on since 2026-01-01T00:00:00.000Z.\n');
  });

  it('shows a reason that holds terminal escapes, and does not send them', async () => {
    await onTable('passThrough', '--reason', 'a\x1b]0;b\x07\x9b2J');

    expect((await onTable()).told).toContain('(a\\x1b]0;b\\x07\\x9b2J)');
    await onTable('on');
  });

  it('finds what was written by hand, and wrong, and sets it right', async () => {
    const { documents, name } = tableAt(server.url);
    const Item = { ...SWITCH_KEY, state: 'off' };
    await documents.send(new PutCommand({ TableName: name, Item }));
    documents.destroy();

    const wrong = await onTable();
    const mended = await onTable('refuse');

    expect(wrong.code).toBe(1);
    expect(wrong.told).toContain('nothing that the service knows');
    expect(mended.code).toBe(0);
    expect((await onTable()).told).toMatch(/^refuse since /);
  });

  it.each([
    [['off', '--table', 't'], 'The switch is one of: on, passThrough, refuse.'],
    [['on', 'refuse', '--table', 't'], 'The switch is one of: on, passThrough, refuse.'],
    [['on'], '--table names'],
    [['on', '--tabel', 't'], '--tabel'],
    [['on', '--table', 't', '--reason', 'r'.repeat(257)], '--reason takes 256 characters at most.'],
    [['on', '--table', 't', '--endpoint', 'http://example.com'], 'https:'],
  ])('says what is wrong with a call, and changes nothing: %j', async (args, told) => {
    const result = await command(...args);

    expect(result.code).toBe(2);
    expect(result.told).toContain(told);
    expect(result.told).toContain('--help');
  });

  it('says that nothing has changed when the table is not there', async () => {
    const result = await command('refuse', '--table', 'Another', '--endpoint', server.url);

    expect(result.code).toBe(1);
    expect(result.told).toContain('The switch is as it was: ResourceNotFoundException');
  });

  it('explains itself', async () => {
    const { code, told } = await command('--help');

    expect(code).toBe(0);
    expect(told).toContain('passThrough');
  });
});
