import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';
import { readSwitchItem, writeSwitchItem } from '../../functions/shared/runtime/switch.ts';
import { failNext } from '../helpers/failing-table.ts';
import { allItems, useTable } from '../helpers/table.ts';

const table = useTable();

describe('the switch', () => {
  it('is nowhere before anybody has switched, and one item from then on', async () => {
    expect(await readSwitchItem(table())).toBeUndefined();

    await writeSwitchItem(table(), { state: 'refuse', reason: 'maintenance' });
    await writeSwitchItem(table(), { state: 'passThrough', changedAt: '2026-01-01T12:00:00Z' });

    expect(await readSwitchItem(table())).toEqual({
      state: 'passThrough',
      changedAt: '2026-01-01T12:00:00Z',
    });
    expect(await allItems(table())).toEqual([
      { pk: 'switch', sk: 'switch', state: 'passThrough', changedAt: '2026-01-01T12:00:00Z' },
    ]);
  });

  it.each(['read', 'write'] as const)('is a retryable failure when the table fails: %s', async (how) => {
    failNext(table(), how === 'read' ? 'GetItemCommand' : 'PutItemCommand', 'BEFORE');

    await expect(
      how === 'read' ? readSwitchItem(table()) : writeSwitchItem(table(), { state: 'on' }),
    ).rejects.toMatchObject({ name: 'DependencyUnavailableException' });
  });

  it('is waited for as long as its reader wants', async () => {
    const documents = DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'us-west-2' }));
    const replies = mockClient(documents);
    replies.on(GetCommand).resolves({});
    const { signal } = new AbortController();

    await readSwitchItem({ documents, name: 'Table' }, signal);

    expect(replies.commandCalls(GetCommand)[0]?.args.at(1)).toEqual({ abortSignal: signal });
  });
});
