import { ScanCommand, type ScanCommandInput } from '@aws-sdk/lib-dynamodb';
import type { SessionKey } from '../../functions/shared/contracts/index.ts';
import { sessionOfPartition } from '../../functions/shared/contracts/table-keys.ts';
import { callDependency } from '../../functions/shared/runtime/service-fault.ts';
import type { Table } from '../../functions/shared/runtime/table.ts';
import { readWindow, type WindowItem, windowItemSchema } from '../../functions/shared/window/window-item.ts';
import type { RetryArguments } from './arguments.ts';

export interface FoundWindow {
  readonly session: SessionKey;
  readonly window: WindowItem;
}

export interface FoundWindows {
  readonly windows: readonly FoundWindow[];
  /** Whether the whole table was read, as far as it had to be. */
  readonly complete: boolean;
}

/**
 * The windows that the arguments name, those that failed first first. There is no index of failed windows, so
 * all but a session with its stream group is a scan of the table.
 *
 * @throws DependencyUnavailableException, UnexpectedError
 */
export async function findWindows(
  table: Table,
  { which, maxPages }: Pick<RetryArguments, 'which' | 'maxPages'>,
): Promise<FoundWindows> {
  switch (which.kind) {
    case 'SESSION': {
      const window = await readWindow(table, which.session);
      const windows = window === undefined ? [] : [{ session: which.session, window }];
      return { windows, complete: true };
    }
    case 'SESSION_ID': {
      const { streamSessionId } = which;
      const found = await scanWindows(table, maxPages, {
        FilterExpression: 'sk = :window AND contains(pk, :id)',
        ExpressionAttributeValues: { ':window': 'window', ':id': `/${streamSessionId}` },
      });
      const windows = found.windows.filter(({ session }) => session.streamSessionId === streamSessionId);
      return { ...found, windows };
    }
    case 'FAILED_SINCE':
      return scanWindows(table, maxPages, {
        FilterExpression: 'sk = :window AND phase = :failed AND closedAtMs >= :sinceMs',
        ExpressionAttributeValues: {
          ':window': 'window',
          ':failed': 'FAILED',
          ':sinceMs': which.sinceMs,
        },
      });
  }
}

async function scanWindows(
  table: Table,
  maxPages: number,
  filter: Pick<ScanCommandInput, 'FilterExpression' | 'ExpressionAttributeValues'>,
): Promise<FoundWindows> {
  const windows: FoundWindow[] = [];
  let start: Record<string, unknown> | undefined;
  let pages = 0;
  do {
    if (pages === maxPages) return { windows: inOrder(windows), complete: false };
    const { Items = [], LastEvaluatedKey } = await callDependency(() =>
      table.documents.send(
        new ScanCommand({ TableName: table.name, ...filter, ExclusiveStartKey: start, ConsistentRead: true }),
      ),
    );
    for (const item of Items) {
      windows.push({ session: sessionOfPartition(String(item['pk'])), window: windowItemSchema.parse(item) });
    }
    start = LastEvaluatedKey;
    pages++;
  } while (start !== undefined);
  return { windows: inOrder(windows), complete: true };
}

function inOrder(windows: readonly FoundWindow[]): FoundWindow[] {
  return windows.toSorted((one, other) => (one.window.closedAtMs ?? 0) - (other.window.closedAtMs ?? 0));
}
