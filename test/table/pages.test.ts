/** Replies that come in parts: DynamoDB gives 1 MB or 16 MB at a time, and fewer items when it is busy. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';
import type { SessionKey } from '../../functions/shared/contracts/index.ts';
import { sessionPartition } from '../../functions/shared/contracts/table-keys.ts';
import { listOpenWindows, readWindows } from '../../functions/shared/window/read-windows.ts';
import type { WindowItem } from '../../functions/shared/window/window-item.ts';
import { newSession } from '../helpers/sessions.ts';

const GROUP = 'sg-1AB2C3De4';

const itemOf = (session: SessionKey): WindowItem & { readonly pk: string; readonly sk: string } => ({
  pk: sessionPartition(session),
  sk: 'window',
  generation: 1,
  phase: 'AWAITING_RECONNECTION',
  executionInput: '{}',
  running: true,
  disconnectedAtMs: 0,
  deadlineMs: 120_000,
  connectionTimeoutSeconds: 120,
  seq: 0,
  connectionCreatedAtMs: 0,
  connectionAttempts: 0,
});
const keyOf = (session: SessionKey) => ({ pk: sessionPartition(session), sk: 'window' });

function prepare() {
  const documents = DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'us-west-2' }));
  return { replies: mockClient(documents), table: { documents, name: 'Table' } };
}

describe('windows that are read together', () => {
  it('are asked for again as far as they are missing, five times at most', async () => {
    const { replies, table } = prepare();
    const [one, other] = [newSession(), newSession()];
    replies
      .on(BatchGetCommand)
      .resolvesOnce({
        Responses: { Table: [itemOf(one)] },
        UnprocessedKeys: { Table: { Keys: [keyOf(other)] } },
      })
      .resolvesOnce({ UnprocessedKeys: { Table: { Keys: [keyOf(other)] } } })
      .resolvesOnce({ UnprocessedKeys: { Table: { Keys: [keyOf(other)] } } })
      .resolvesOnce({ UnprocessedKeys: { Table: { Keys: [keyOf(other)] } } })
      .resolvesOnce({ Responses: { Table: [itemOf(other)] }, UnprocessedKeys: {} });

    const windows = await readWindows(table, [one, other]);

    expect([...windows.keys()]).toEqual([sessionPartition(one), sessionPartition(other)]);
    const asked = replies
      .commandCalls(BatchGetCommand)
      .map(({ args: [{ input }] }) => input.RequestItems?.['Table']?.Keys);
    expect(asked).toEqual([
      [keyOf(one), keyOf(other)],
      [keyOf(other)],
      [keyOf(other)],
      [keyOf(other)],
      [keyOf(other)],
    ]);
  });

  it('are a retryable failure when some are missing after five calls', async () => {
    const { replies, table } = prepare();
    const session = newSession();
    replies.on(BatchGetCommand).resolves({ UnprocessedKeys: { Table: { Keys: [keyOf(session)] } } });

    await expect(readWindows(table, [session])).rejects.toMatchObject({
      name: 'DependencyUnavailableException',
    });

    expect(replies.calls()).toHaveLength(5);
  });

  it('are those that are there, each as it is at this moment, a hundred to a call', async () => {
    const { replies, table } = prepare();
    replies.on(BatchGetCommand).resolves({ Responses: {} });

    expect((await readWindows(table, Array.from({ length: 201 }, newSession))).size).toBe(0);

    const requests = replies
      .commandCalls(BatchGetCommand)
      .map(({ args: [{ input }] }) => input.RequestItems?.['Table']);
    expect(requests.map((request) => request?.Keys?.length)).toEqual([100, 100, 1]);
    expect(requests.map((request) => request?.ConsistentRead)).toEqual([true, true, true]);
  });
});

describe('the open windows of a stream group', () => {
  it('are read to the last page of every shard', async () => {
    const { replies, table } = prepare();
    const sessions = Array.from({ length: 3 }, () => ({ ...newSession(), streamGroupId: GROUP }));
    const [first, second, third] = sessions.map(itemOf);
    replies
      .on(QueryCommand)
      .resolves({})
      .on(QueryCommand, { ExpressionAttributeValues: { ':key': `${GROUP}#3` } })
      .resolvesOnce({
        Items: [first, second].filter((item) => item !== undefined),
        LastEvaluatedKey: { pk: 'a' },
      })
      .resolvesOnce({ LastEvaluatedKey: { pk: 'b' } })
      .resolvesOnce({ Items: third === undefined ? [] : [third] });

    const windows = await listOpenWindows(table, GROUP);

    expect(windows.map(({ session }) => session)).toEqual(sessions);
    const queries = replies.commandCalls(QueryCommand).map(({ args: [{ input }] }) => input);
    expect(
      queries.map(({ ExclusiveStartKey }) => ExclusiveStartKey).filter((key) => key !== undefined),
    ).toEqual([{ pk: 'a' }, { pk: 'b' }]);
    expect(
      new Set(queries.map(({ ExpressionAttributeValues }) => ExpressionAttributeValues?.[':key'])).size,
    ).toBe(8);
  });
});
