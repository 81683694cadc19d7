import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import { BatchGetCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';
import { MemoryItems } from '../dynamodb/memory-items.ts';
import type { Permission } from '../service/service.ts';
import { documentsAt } from '../simulation/documents.ts';
import { confineTo } from '../simulation/permissions.ts';

const TableName = 'table';
const keys = (...patterns: string[]) => [{ key: 'dynamodb:LeadingKeys', patterns }];

/** Clients of a function whose role has these statements. */
function clientsWith(...permissions: Permission[]) {
  const stepFunctions = new SFNClient({ region: 'us-west-2' });
  const eventBridge = new EventBridgeClient({ region: 'us-west-2' });
  mockClient(eventBridge).on(PutEventsCommand).resolves({ FailedEntryCount: 0 });
  return confineTo(permissions, {
    documents: documentsAt('http://127.0.0.1:1', new MemoryItems()),
    eventBridge,
    gameLiftStreams: new GameLiftStreamsClient({ region: 'us-west-2' }),
    sqs: new SQSClient({ region: 'us-west-2' }),
    stepFunctions,
    stepFunctionsSingleAttempt: stepFunctions,
  });
}

describe('a function of the simulation', () => {
  const denied = { name: 'AccessDeniedException' };
  const get = (pk: string) => new GetCommand({ TableName, Key: { pk, sk: 'window' } });

  it('may do what its role allows, with the items that it names', async () => {
    const { documents } = clientsWith({ actions: ['dynamodb:GetItem'], conditions: keys('session#*') });

    await expect(documents.send(get('session#sg-1/a'))).resolves.toBeDefined();
    await expect(documents.send(get('switch'))).rejects.toMatchObject(denied);
    await expect(
      documents.send(new PutCommand({ TableName, Item: { pk: 'session#sg-1/a', sk: 'window' } })),
    ).rejects.toMatchObject(denied);
  });

  it('may read many items only when it may read each', async () => {
    const { documents } = clientsWith({ actions: ['dynamodb:BatchGetItem'], conditions: keys('session#*') });
    const read = (...partitions: string[]) =>
      documents.send(
        new BatchGetCommand({
          RequestItems: { [TableName]: { Keys: partitions.map((pk) => ({ pk, sk: 'window' })) } },
        }),
      );

    await expect(read('session#sg-1/a', 'session#sg-1/b')).resolves.toBeDefined();
    await expect(read('session#sg-1/a', 'switch')).rejects.toMatchObject(denied);
  });

  it('may publish only the type of event that its role names', async () => {
    const { eventBridge } = clientsWith({
      actions: ['events:PutEvents'],
      conditions: [
        { key: 'events:source', patterns: ['ours'] },
        { key: 'events:detail-type', patterns: ['Outcome'] },
      ],
    });
    const publish = (...detailTypes: string[]) =>
      eventBridge.send(
        new PutEventsCommand({ Entries: detailTypes.map((DetailType) => ({ Source: 'ours', DetailType })) }),
      );

    await expect(publish('Outcome')).resolves.toBeDefined();
    await expect(publish('Outcome', 'Audit')).rejects.toMatchObject(denied);
  });

  it('may do nothing without a statement', async () => {
    await expect(clientsWith().documents.send(get('session#sg-1/a'))).rejects.toMatchObject(denied);
  });
});
