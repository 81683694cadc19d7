import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import {
  BUCKET_MS,
  bucketEndMs,
  bucketOf,
  countServed,
  drawNumber,
  readLine,
} from '../../functions/shared/table/line.ts';
import type { QuotaOperation } from '../../functions/shared/table/permits.ts';
import { useTable } from '../helpers/table.ts';

const table = useTable();
const NOW_MS = Date.UTC(2026, 0, 1);
/** Each test has the line of an operation to itself. */
const line = (operation: QuotaOperation) => ({
  read: () => readLine(table(), operation),
  draw: async (bucket: number, nowMs = NOW_MS) =>
    drawNumber(table(), operation, { bucket, seen: await readLine(table(), operation), nowMs }),
  serve: (bucket: number) => countServed(table(), operation, bucket),
});

describe('the line of an operation', () => {
  it('puts deadlines of the same two seconds together', () => {
    expect([0, 1999, 2000, 3999].map((ms) => bucketOf(NOW_MS + ms) - bucketOf(NOW_MS))).toEqual([0, 0, 1, 1]);
    expect(bucketEndMs(bucketOf(NOW_MS))).toBe(NOW_MS + 2000);
  });

  it('is empty before anybody has drawn', async () => {
    expect(await line('GetStreamSession').read()).toEqual([]);
  });

  it('gives numbers from 0 for each deadline, and counts whose calls have gone out, in the order of deadlines', async () => {
    const { read, draw, serve } = line('CreateStreamSessionConnection');
    const [sooner, later] = [bucketOf(NOW_MS), bucketOf(NOW_MS + 60_000)];

    const numbers: number[] = [];
    for (const bucket of [later, later, sooner, later]) numbers.push((await draw(bucket)).number);
    await serve(later);

    expect(numbers).toEqual([0, 1, 0, 2]);
    expect(await read()).toEqual([
      { bucket: sooner, drawn: 1, served: 0 },
      { bucket: later, drawn: 3, served: 1 },
    ]);
  });

  it('tells with a number what the line is with it', async () => {
    const { draw } = line('TerminateStreamSession');
    const bucket = bucketOf(NOW_MS);

    expect(await draw(bucket)).toEqual({ number: 0, line: [{ bucket, drawn: 1, served: 0 }] });
  });

  it('knows of calls that were counted before the number was drawn: two processes may write in any order', async () => {
    const { read, serve } = line('CreateStreamSessionAdminShell');
    const bucket = bucketOf(NOW_MS);

    await serve(bucket);

    expect(await read()).toEqual([{ bucket, drawn: 0, served: 1 }]);
  });

  it('forgets a deadline a minute after it, not before: clocks differ', async () => {
    const { read, draw, serve } = line('ListStreamSessions');
    const over = bucketOf(NOW_MS);
    const next = bucketOf(NOW_MS + 120_000);
    await draw(over);
    await serve(over);

    const kept = await draw(next, bucketEndMs(over) + 60_000);
    const forgotten = await draw(next, bucketEndMs(over) + 60_001);

    expect(kept.line.map(({ bucket }) => bucket)).toEqual([over, next]);
    expect(forgotten.line).toEqual([{ bucket: next, drawn: 2, served: 0 }]);
    expect(await read()).toEqual(forgotten.line);
  });

  it('reads over what another version of the code may have left in the item', async () => {
    const { read, draw } = line('GetStreamSession');
    const bucket = bucketOf(NOW_MS);
    await draw(bucket);
    await table().documents.send(
      new UpdateCommand({
        TableName: table().name,
        Key: { pk: 'line#GetStreamSession', sk: 'line' },
        UpdateExpression: 'SET #unknown = :one, #text = :text, #longer = :one, #prefixed = :one',
        ExpressionAttributeNames: {
          '#unknown': 'unknown1',
          '#text': `served${bucket}`,
          '#longer': `drawn${bucket}x`,
          '#prefixed': `withdrawn${bucket}`,
        },
        ExpressionAttributeValues: { ':one': 1, ':text': 'text' },
      }),
    );

    expect(await read()).toEqual([{ bucket, drawn: 1, served: 0 }]);
    expect(BUCKET_MS).toBe(2000);
  });
});
