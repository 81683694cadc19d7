import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { beforeEach, describe, expect, it } from 'vitest';
import { publish, publishAll } from '../../../functions/shared/runtime/publish-events.ts';
import { mockClient } from '../../helpers/mock-client.ts';
import { BUS_SETTINGS } from '../../helpers/windows.ts';

const eventBridge = mockClient(EventBridgeClient);
const bus = () => ({ eventBridge: new EventBridgeClient({ region: 'us-west-2' }), settings: BUS_SETTINGS });
const TYPE = 'Stream Session Status Change';
const details = (count: number) => Array.from({ length: count }, (_, number) => ({ number }));
const taken = (count: number) => ({ Entries: Array.from({ length: count }, () => ({ EventId: 'e' })) });
const sent = () =>
  eventBridge.commandCalls(PutEventsCommand).map(({ args: [{ input }] }) => input.Entries ?? []);

beforeEach(() => {
  eventBridge.reset();
});

describe('many events', () => {
  it('go out ten to a call, each with its type and its source', async () => {
    eventBridge.on(PutEventsCommand).callsFake(({ Entries }) => taken(Entries.length));

    expect(await publishAll(bus(), TYPE, details(25))).toEqual([]);

    expect(sent().map((entries) => entries.length)).toEqual([10, 10, 5]);
    expect(sent().flat()).toEqual(
      details(25).map((detail) => ({
        EventBusName: 'bus',
        Source: 'stream-session-reconnection',
        DetailType: TYPE,
        Detail: JSON.stringify(detail),
      })),
    );
  });

  it('are as many calls as tens, and none for nobody', async () => {
    eventBridge.on(PutEventsCommand).callsFake(({ Entries }) => taken(Entries.length));

    await publishAll(bus(), TYPE, details(20));
    expect(sent()).toHaveLength(2);
    await publishAll(bus(), TYPE, []);
    expect(sent()).toHaveLength(2);
  });

  it('that the bus did not take come back: some of a call, or all of it', async () => {
    eventBridge
      .on(PutEventsCommand)
      .resolvesOnce({ FailedEntryCount: 1, Entries: [{ EventId: 'e' }, { ErrorCode: 'InternalFailure' }] })
      .resolvesOnce({})
      .rejectsOnce(new Error('socket hang up'));

    expect(await publishAll(bus(), TYPE, details(2))).toEqual([{ number: 1 }]);
    expect(await publishAll(bus(), TYPE, details(2))).toEqual(details(2));
    expect(await publishAll(bus(), TYPE, details(2))).toEqual(details(2));
  });
});

describe('one event', () => {
  it('is taken when the bus counts no failure, or counts nothing', async () => {
    eventBridge.on(PutEventsCommand).resolvesOnce({ FailedEntryCount: 0 }).resolvesOnce({});

    await publish(bus(), TYPE, { number: 1 });
    await publish(bus(), TYPE, { number: 1 });

    expect(sent()).toMatchObject([[{ Detail: '{"number":1}' }], [{ Detail: '{"number":1}' }]]);
  });

  it('is a retryable failure when the bus counts one', async () => {
    eventBridge.on(PutEventsCommand).resolves({ FailedEntryCount: 1 });

    await expect(publish(bus(), TYPE, {})).rejects.toMatchObject({ name: 'DependencyUnavailableException' });
  });

  it('is waited for as long as its caller wants', async () => {
    eventBridge.on(PutEventsCommand).resolves({});
    const { signal } = new AbortController();

    await publish(bus(), TYPE, {}, signal);

    expect(eventBridge.commandCalls(PutEventsCommand)[0]?.args.at(1)).toEqual({ abortSignal: signal });
  });
});
