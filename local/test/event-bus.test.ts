import {
  EventBridgeClient,
  ListRulesCommand,
  PutEventsCommand,
  type PutEventsRequestEntry,
} from '@aws-sdk/client-eventbridge';
import { type LambdaResult, VirtualClock } from 'local-server-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compilePattern } from '../event-bus/pattern/pattern.ts';
import {
  type EventBusOptions,
  type EventBusServer,
  InvalidEventPatternException,
  startEventBus,
} from '../event-bus/server.ts';
import type { Rule } from '../service/service.ts';

const BUS = 'shop';
const START_MS = Date.UTC(2026, 0, 1, 12, 0, 0, 250);

interface Invocation {
  readonly functionName: string;
  readonly payload: unknown;
  readonly atMs: number;
}

let server: EventBusServer | undefined;
let client: EventBridgeClient | undefined;
let clock: VirtualClock;
let invocations: Invocation[];

afterEach(async () => {
  client?.destroy();
  await server?.close();
});

function rule(overrides: Partial<Rule> = {}): Rule {
  return {
    name: 'orders',
    busName: BUS,
    pattern: { source: ['shop.orders'] },
    targets: [{ type: 'function', functionName: 'on-order', maximumRetryAttempts: 2 }],
    ...overrides,
  };
}

const toQueue: Rule['targets'] = [{ type: 'queue', queueName: 'inbox' }];

interface Started {
  readonly url: string;
  readonly bus: EventBusServer;
  readonly put: (...entries: PutEventsRequestEntry[]) => ReturnType<typeof putEvents>;
}

/** `outcomes` are of the invocations in turn; after the last all succeed. */
async function start(
  overrides: Partial<EventBusOptions> = {},
  outcomes: (LambdaResult | Error)[] = [],
): Promise<Started> {
  clock = new VirtualClock(START_MS);
  invocations = [];
  const bus = await startEventBus({
    port: 0,
    clock,
    random: Math.random,
    rules: [rule()],
    account: '123456789012',
    region: 'eu-west-1',
    invokeLambda: async (functionName, payload) => {
      invocations.push({ functionName, payload, atMs: clock.nowMs() });
      const outcome = outcomes.shift() ?? { ok: true, payload: null };
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    ...overrides,
  });
  server = bus;
  client = new EventBridgeClient({
    endpoint: bus.url,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  return { url: bus.url, bus, put: (...entries) => putEvents(entries) };
}

async function putEvents(entries: PutEventsRequestEntry[]) {
  const reply = await client?.send(new PutEventsCommand({ Entries: entries }));
  await server?.idle();
  return reply;
}

function entry(overrides: Partial<PutEventsRequestEntry> = {}): PutEventsRequestEntry {
  return {
    EventBusName: BUS,
    Source: 'shop.orders',
    DetailType: 'Order Placed',
    Detail: JSON.stringify({ order: 1 }),
    ...overrides,
  };
}

const order = (number: number) => entry({ Detail: JSON.stringify({ order: number }) });

async function get(url: string): Promise<unknown> {
  return (await fetch(url)).json();
}

const eventsSchema = z.object({ events: z.array(z.object({ detail: z.object({ order: z.number() }) })) });

function ordersDelivered(): unknown[] {
  return invocations.map(({ payload }) => Reflect.get(Object(payload), 'detail'));
}

const failed = (errorType: string): LambdaResult => ({
  ok: false,
  failure: { errorType, errorMessage: 'no' },
});

describe('an event that matches a rule', () => {
  it("reaches the rule's function in EventBridge's envelope", async () => {
    // Prepare
    const { put } = await start();

    // Act
    const reply = await put(entry({ Resources: ['arn:one'] }));

    // Assess
    expect(reply).toMatchObject({ FailedEntryCount: 0, Entries: [{ EventId: expect.any(String) }] });
    expect(invocations).toEqual([
      {
        functionName: 'on-order',
        atMs: START_MS,
        payload: {
          version: '0',
          id: reply?.Entries?.[0]?.EventId,
          'detail-type': 'Order Placed',
          source: 'shop.orders',
          account: '123456789012',
          time: '2026-01-01T12:00:00Z',
          region: 'eu-west-1',
          resources: ['arn:one'],
          detail: { order: 1 },
        },
      },
    ]);
  });

  it('keeps the time that its sender gave', async () => {
    const { put } = await start();
    await put(entry({ Time: new Date('2025-12-31T23:59:59.900Z') }));
    expect(invocations[0]?.payload).toMatchObject({ time: '2025-12-31T23:59:59Z' });
  });

  it('may name its bus by ARN', async () => {
    const { put } = await start();
    await put(entry({ EventBusName: `arn:aws:events:eu-west-1:123456789012:event-bus/${BUS}` }));
    expect(invocations).toHaveLength(1);
  });

  it('reaches every target of every rule that matches, queues too', async () => {
    // Prepare
    const { put, url } = await start({
      rules: [
        rule(),
        rule({
          name: 'all',
          pattern: { account: ['123456789012'] },
          targets: [...toQueue, ...rule().targets],
        }),
      ],
    });

    // Act
    await put(entry());

    // Assess
    expect(invocations).toHaveLength(2);
    expect(await get(`${url}/_local/queues/inbox`)).toEqual({
      messages: [{ body: invocations[0]?.payload }],
    });
  });
});

describe('an event that matches no rule', () => {
  it.each([
    ['of another source', entry({ Source: 'shop.payments' })],
    ['on another bus', entry({ EventBusName: 'default' })],
    ['on a bus that is not there', entry({ EventBusName: 'nowhere' })],
  ])('because it is %s is accepted, shown, and goes nowhere', async (_title, unmatched) => {
    // Prepare
    const { put, url } = await start();

    // Act
    const reply = await put(unmatched);

    // Assess
    expect(reply).toMatchObject({ FailedEntryCount: 0, Entries: [{ EventId: expect.any(String) }] });
    expect(invocations).toEqual([]);
    expect(await get(`${url}/_local/events`)).toMatchObject({
      events: [
        { source: unmatched.Source, busName: unmatched.EventBusName, detail: { order: 1 }, rules: [] },
      ],
    });
  });
});

describe('an event of a service of AWS', () => {
  const stopped = {
    source: 'aws.states',
    detailType: 'Step Functions Execution Status Change',
    resources: ['arn:aws:states:us-east-1:123456789012:execution:m:e'],
    detail: { status: 'ABORTED' },
  } as const;

  it('reaches the rules of the default bus, and no others', async () => {
    // Prepare
    const pattern = { source: ['aws.states'], detail: { status: ['ABORTED'] } };
    const { url, bus } = await start({
      rules: [rule({ name: 'stopped', busName: 'default', pattern }), rule({ name: 'elsewhere', pattern })],
    });

    // Act
    bus.publishServiceEvent(stopped);
    bus.publishServiceEvent({ ...stopped, detail: { status: 'RUNNING' } });
    await bus.idle();

    // Assess
    expect(invocations).toMatchObject([
      {
        payload: {
          source: 'aws.states',
          'detail-type': stopped.detailType,
          resources: stopped.resources,
          detail: { status: 'ABORTED' },
        },
      },
    ]);
    // Nobody has a rule for the other: it is not on record.
    const listed: unknown = await (await fetch(`${url}/_local/events`)).json();
    expect(listed).toMatchObject({ events: [{ busName: 'default', rules: ['stopped'] }] });
  });
});

describe('PutEvents', () => {
  it('takes entries one by one, and counts what it refused', async () => {
    // Prepare
    const { put } = await start();

    // Act
    const reply = await put(
      entry(),
      entry({ Source: 'aws.ec2' }),
      entry({ Detail: '[1]' }),
      entry({ Detail: '{"order":' }),
      { DetailType: 'a', Detail: '{}' },
      { Source: 'a', Detail: '{}' },
      { Source: 'a', DetailType: 'a' },
    );

    // Assess
    expect(reply?.FailedEntryCount).toBe(6);
    expect(reply?.Entries?.map(({ EventId, ErrorCode }) => ErrorCode ?? typeof EventId)).toEqual([
      'string',
      'NotAuthorizedForSourceException',
      'MalformedDetail',
      'MalformedDetail',
      'InvalidArgument',
      'InvalidArgument',
      'InvalidArgument',
    ]);
    expect(reply?.Entries?.[4]?.ErrorMessage).toContain('Source');
    expect(invocations).toHaveLength(1);
  });

  it.each([
    ['no entries', []],
    ['more than 10 entries', Array.from({ length: 11 }, () => entry())],
    ['more than 256 KB', [entry({ Detail: JSON.stringify({ text: 'x'.repeat(256 * 1024) }) })]],
  ])('refuses %s as a whole', async (_title, entries) => {
    const { put } = await start();
    await expect(put(...entries)).rejects.toMatchObject({ name: 'ValidationException' });
    expect(invocations).toEqual([]);
  });

  it('is the only operation; the others are refused by name', async () => {
    await start();
    await expect(client?.send(new ListRulesCommand({}))).rejects.toMatchObject({
      name: 'UnknownOperationException',
      message: expect.stringContaining('ListRules'),
    });
  });

  it('answers a body that is not JSON, and one of another shape, as AWS JSON errors', async () => {
    // Prepare
    const { url } = await start();
    const post = async (body: string) => {
      const headers = { 'x-amz-target': 'AWSEvents.PutEvents' };
      const response = await fetch(url, { method: 'POST', headers, body });
      return { status: response.status, body: await response.json() };
    };

    // Act and assess
    expect(await post('{')).toMatchObject({ status: 400, body: { __type: 'SerializationException' } });
    expect(await post('{"Entries":[{"Source":1}]}')).toMatchObject({
      status: 400,
      body: { __type: 'ValidationException' },
    });
  });
});

describe('a function that fails', () => {
  it('is invoked again after one minute and after two more, with the same event', async () => {
    // Prepare
    const { put, url } = await start({}, [failed('ThrottlingException'), new TypeError('lost')]);

    // Act
    await put(entry());
    await clock.advance(180_000);

    // Assess
    expect(invocations.map(({ atMs }) => atMs - START_MS)).toEqual([0, 60_000, 180_000]);
    expect(new Set(invocations.map(({ payload }) => JSON.stringify(payload))).size).toBe(1);
    expect(await get(`${url}/_local/dead-letters`)).toEqual({ deadLetters: [] });
  });

  it('three times leaves a dead letter with the name of the error, and not the detail', async () => {
    // Prepare
    const { put, url } = await start(
      {},
      Array.from({ length: 3 }, () => failed('ThrottlingException')),
    );

    // Act
    const reply = await put(entry());
    await clock.advance(86_400_000);

    // Assess
    expect(invocations).toHaveLength(3);
    expect(await get(`${url}/_local/dead-letters`)).toEqual({
      deadLetters: [
        {
          id: reply?.Entries?.[0]?.EventId,
          source: 'shop.orders',
          detailType: 'Order Placed',
          rule: 'orders',
          functionName: 'on-order',
          errorName: 'ThrottlingException',
          attempts: 3,
        },
      ],
    });
  });

  it('is not invoked again when it is configured so', async () => {
    // Prepare
    const targets: Rule['targets'] = [
      { type: 'function', functionName: 'on-order', maximumRetryAttempts: 0 },
    ];
    const { put, url } = await start({ rules: [rule({ targets })] }, [failed('Error')]);

    // Act
    await put(entry());

    // Assess
    expect(await get(`${url}/_local/dead-letters`)).toMatchObject({ deadLetters: [{ attempts: 1 }] });
  });

  it('is not invoked again once the server is closed', async () => {
    const { put, bus } = await start({}, [failed('Error')]);
    await put(entry());
    await bus.close();
    await clock.advance(180_000);
    expect(invocations).toHaveLength(1);
  });
});

describe('disturbances', () => {
  it('make the next deliveries twice', async () => {
    const { put, bus } = await start();
    bus.disturb({ duplicateNext: 1 });
    await put(order(1), order(2));
    expect(ordersDelivered()).toEqual([{ order: 1 }, { order: 1 }, { order: 2 }]);
  });

  it('make the next deliveries late, and so after others', async () => {
    // Prepare
    const { put, bus } = await start();
    bus.disturb({ delayNext: { count: 1, delayMs: 5_000 } });

    // Act
    await put(order(1), order(2));
    const early = ordersDelivered();
    await clock.advance(5_000);

    // Assess
    expect(early).toEqual([{ order: 2 }]);
    expect(ordersDelivered()).toEqual([{ order: 2 }, { order: 1 }]);
  });

  it('make the next deliveries in reverse, as soon as all are there or no more are awaited', async () => {
    // Prepare
    const { put, bus } = await start();
    bus.disturb({ reverseNext: 3 });

    // Act
    await put(order(1), order(2));
    const held = ordersDelivered();
    await put(order(3), order(4));
    bus.disturb({ reverseNext: 2 });
    await put(order(5));
    bus.disturb({ reverseNext: 0 });

    // Assess
    expect(held).toEqual([]);
    expect(ordersDelivered()).toEqual([3, 2, 1, 4, 5].map((number) => ({ order: number })));
  });

  it('can be planned over HTTP, but not from a web page', async () => {
    // Prepare
    const { put, url } = await start();
    const plan = (contentType: string, body: string) =>
      fetch(`${url}/_local/disturbances`, { method: 'POST', headers: { 'content-type': contentType }, body });

    // Act
    const refusals = await Promise.all([
      plan('text/plain', '{"duplicateNext":1}'),
      plan('application/json', '{"duplicateNext":-1}'),
      plan('application/json', '{"dropNext":1}'),
      plan('application/json', '{'),
    ]);
    const accepted = await plan('application/json', '{"duplicateNext":1}');
    await put(entry());

    // Assess
    expect(refusals.map(({ status }) => status)).toEqual([415, 400, 400, 400]);
    expect(accepted.status).toBe(200);
    expect(invocations).toHaveLength(2);
  });
});

describe('the local API', () => {
  it('lists the latest events, within its bound', async () => {
    // Prepare
    const { put, url } = await start();
    for (let batch = 0; batch < 101; batch++) {
      await put(...Array.from({ length: 10 }, (_, index) => order(batch * 10 + index)));
    }
    const list = async (query: string) =>
      eventsSchema.parse(await get(`${url}/_local/events${query}`)).events.map(({ detail }) => detail.order);

    // Act and assess
    expect(await list('?limit=2')).toEqual([1008, 1009]);
    expect(await list('')).toHaveLength(100);
    const all = await list('?limit=5000');
    expect(all).toHaveLength(1_000);
    expect(all[0]).toBe(10);
  });

  it.each([
    ['events?limit=none', 400],
    ['queues/nobody', 404],
    ['queues', 404],
    ['everything', 404],
  ])('answers %s with %i', async (path, status) => {
    const { url } = await start();
    expect((await fetch(`${url}/_local/${path}`)).status).toBe(status);
  });
});

describe('a pattern', () => {
  const event = {
    source: 'shop.orders',
    resources: ['arn:one', 'arn:two'],
    detail: {
      status: 'PENDING',
      total: 12.5,
      paid: false,
      note: null,
      empty: '',
      list: [],
      ip: '10.0.0.200',
      file: 'images/cat.png',
      buyer: { name: 'Anna', address: { city: 'Ghent' } },
      items: [
        { sku: 'a', count: 1 },
        { sku: 'b', count: 2 },
      ],
    },
  };
  const detail = (fields: Record<string, unknown>) => ({ detail: fields });

  it.each([
    ['an exact text', { source: ['other', 'shop.orders'] }],
    [
      'fields of several levels',
      { source: ['shop.orders'], detail: { buyer: { address: { city: ['Ghent'] } } } },
    ],
    ['any element of a list', { resources: ['arn:two'] }],
    [
      'a number, false, null and the empty text',
      detail({ total: [12.5], paid: [false], note: [null], empty: [''] }),
    ],
    ['one element of a list of objects', detail({ items: { sku: ['b'], count: [2] } })],
    ['prefix', detail({ status: [{ prefix: 'PEND' }] })],
    ['prefix without case', detail({ status: [{ prefix: { 'equals-ignore-case': 'pend' } }] })],
    ['suffix', detail({ file: [{ suffix: '.png' }] })],
    ['suffix without case', detail({ file: [{ suffix: { 'equals-ignore-case': '.PNG' } }] })],
    ['equals-ignore-case', detail({ status: [{ 'equals-ignore-case': 'pending' }] })],
    ['wildcard', detail({ file: [{ wildcard: '*/cat.*' }] })],
    ['anything-but a value', detail({ status: [{ 'anything-but': 'ACTIVE' }] })],
    ['anything-but a list', detail({ status: [{ 'anything-but': ['ACTIVE', 'DONE'] }] })],
    ['anything-but numbers, for another number', detail({ total: [{ 'anything-but': [1, 2] }] })],
    ['anything-but prefix', detail({ status: [{ 'anything-but': { prefix: 'ACT' } }] })],
    ['anything-but suffix of a list', detail({ file: [{ 'anything-but': { suffix: ['.jpg', '.gif'] } }] })],
    [
      'anything-but equals-ignore-case',
      detail({ status: [{ 'anything-but': { 'equals-ignore-case': ['active'] } }] }),
    ],
    ['anything-but wildcard', detail({ file: [{ 'anything-but': { wildcard: '*/dog.*' } }] })],
    ['anything-but, when one element of a list is another', { resources: [{ 'anything-but': 'arn:one' }] }],
    ['numeric equality', detail({ total: [{ numeric: ['=', 12.5] }] })],
    ['numeric range', detail({ total: [{ numeric: ['>', 10, '<=', 12.5] }] })],
    ['exists', detail({ note: [{ exists: true }], list: [{ exists: false }], gone: [{ exists: false }] })],
    ['exists: false under a field that is not there', detail({ gone: { deep: [{ exists: false }] } })],
    ['exists: false on a field that has fields', detail({ buyer: [{ exists: false }] })],
    ['cidr', detail({ ip: [{ cidr: '10.0.0.0/24' }] })],
    ['$or', { $or: [{ source: ['other'] }, { detail: { paid: [false] } }] }],
    [
      '$or beside fields, inside a field',
      detail({ status: ['PENDING'], $or: [{ total: [1] }, { paid: [false] }] }),
    ],
  ])('matches by %s', (_title, pattern) => {
    expect(compilePattern(pattern, 'pattern')(event)).toBe(true);
  });

  it.each([
    ['a part of a text', { source: ['shop'] }],
    ['text for a number', detail({ total: ['12.5'] })],
    ['one field of two', { source: ['shop.orders'], detail: { status: ['ACTIVE'] } }],
    ['a field of the prototype', detail({ toString: [{ exists: true }] })],
    ['fields of different elements', detail({ items: { sku: ['a'], count: [2] } })],
    ['a field that is not there', detail({ gone: [{ 'anything-but': 'x' }] })],
    ['null for a field that is not there', detail({ gone: [null] })],
    ['prefix of another case', detail({ status: [{ prefix: 'pend' }] })],
    ['suffix in the middle', detail({ file: [{ suffix: 'cat' }] })],
    ['a wildcard that covers too little', detail({ file: [{ wildcard: 'images/*.jpg' }] })],
    ['a wildcard with an escaped star', detail({ file: [{ wildcard: 'images/\\*' }] })],
    ['a dot as any character', detail({ file: [{ wildcard: 'images/cat?png' }] })],
    ['anything-but its own value', detail({ status: [{ 'anything-but': ['PENDING'] }] })],
    ['anything-but its own prefix', detail({ status: [{ 'anything-but': { prefix: ['A', 'P'] } }] })],
    ['a numeric range above it', detail({ total: [{ numeric: ['>', 12.5] }] })],
    ['numeric for a text', detail({ status: [{ numeric: ['>', 0] }] })],
    ['exists on a field that has fields', detail({ buyer: [{ exists: true }] })],
    ['exists on an empty list', detail({ list: [{ exists: true }] })],
    ['cidr of elsewhere', detail({ ip: [{ cidr: '10.0.1.0/24' }] })],
    ['cidr for a text that is no address', detail({ status: [{ cidr: '::/0' }] })],
    ['$or with nothing true', { $or: [{ source: ['other'] }, { detail: { paid: [true] } }] }],
  ])('does not match by %s', (_title, pattern) => {
    expect(compilePattern(pattern, 'pattern')(event)).toBe(false);
  });

  it.each([
    ['no fields', {}, 'pattern'],
    ['an empty object', { detail: {} }, 'pattern.detail'],
    ['a value outside a list', { source: 'shop' }, 'pattern.source'],
    ['an empty list', { source: [] }, 'pattern.source'],
    ['a list in a list', { source: [['shop']] }, 'pattern.source.0'],
    ['an unknown operator', detail({ status: ['A', { contains: 'x' }] }), 'pattern.detail.status.1.contains'],
    ['two operators in one', detail({ status: [{ prefix: 'a', suffix: 'b' }] }), 'pattern.detail.status.0'],
    ['an operator of another kind', detail({ status: [{ prefix: 1 }] }), 'pattern.detail.status.0.prefix'],
    [
      'a nested operator of another kind',
      detail({ a: [{ prefix: { suffix: 'x' } }] }),
      'pattern.detail.a.0.prefix.suffix',
    ],
    ['exists of another kind', detail({ a: [{ exists: 'yes' }] }), 'pattern.detail.a.0.exists'],
    [
      'anything-but of mixed kinds',
      detail({ a: [{ 'anything-but': ['x', 1] }] }),
      'pattern.detail.a.0.anything-but',
    ],
    ['anything-but of nothing', detail({ a: [{ 'anything-but': [] }] }), 'pattern.detail.a.0.anything-but'],
    [
      'anything-but numeric',
      detail({ a: [{ 'anything-but': { numeric: ['>', 1] } }] }),
      'pattern.detail.a.0.anything-but.numeric',
    ],
    ['half a comparison', detail({ a: [{ numeric: ['>'] }] }), 'pattern.detail.a.0.numeric'],
    ['an unknown comparison', detail({ a: [{ numeric: ['!=', 1] }] }), 'pattern.detail.a.0.numeric'],
    [
      'a range the wrong way round',
      detail({ a: [{ numeric: ['<', 1, '>', 0] }] }),
      'pattern.detail.a.0.numeric',
    ],
    ['an empty range', detail({ a: [{ numeric: ['>', 1, '<', 1] }] }), 'pattern.detail.a.0.numeric'],
    ['two wildcards in a row', detail({ a: [{ wildcard: 'a**' }] }), 'pattern.detail.a.0.wildcard'],
    ['an escape of nothing', detail({ a: [{ wildcard: 'a\\b' }] }), 'pattern.detail.a.0.wildcard'],
    ['a cidr without bits', detail({ a: [{ cidr: '10.0.0.0' }] }), 'pattern.detail.a.0.cidr'],
    ['a cidr with too many bits', detail({ a: [{ cidr: '10.0.0.0/33' }] }), 'pattern.detail.a.0.cidr'],
    ['a cidr of one address', detail({ a: [{ cidr: '10.0.0.1/32' }] }), 'pattern.detail.a.0.cidr'],
    ['a cidr of one IPv6 address', detail({ a: [{ cidr: '::1/128' }] }), 'pattern.detail.a.0.cidr'],
    ['an empty prefix', detail({ a: [{ prefix: '' }] }), 'pattern.detail.a.0.prefix'],
    ['an empty suffix', detail({ a: [{ suffix: '' }] }), 'pattern.detail.a.0.suffix'],
    [
      'an empty prefix without case',
      detail({ a: [{ prefix: { 'equals-ignore-case': '' } }] }),
      'pattern.detail.a.0.prefix.equals-ignore-case',
    ],
    [
      'anything-but an empty suffix',
      detail({ a: [{ 'anything-but': { suffix: ['x', ''] } }] }),
      'pattern.detail.a.0.anything-but.suffix',
    ],
    ['a field in $or and beside it', { a: ['a'], $or: [{ b: ['b'] }, { a: ['c'] }] }, 'pattern.$or.1'],
    [
      'a deeper field in $or and beside it',
      { $or: [{ detail: { a: ['a'] } }, { source: ['b'] }], ...detail({ a: ['c'], b: ['d'] }) },
      'pattern.$or.0',
    ],
    [
      'a field in a $or of a $or and beside both',
      { a: ['a'], $or: [{ b: ['b'] }, { $or: [{ c: ['c'] }, { a: ['d'] }] }] },
      'pattern.$or.1',
    ],
    ['$or of one', { $or: [{ source: ['a'] }] }, 'pattern.$or'],
    [
      '$or with something unknown in it',
      { $or: [{ a: ['a'] }, { b: [{ like: 'b' }] }] },
      'pattern.$or.1.b.0.like',
    ],
  ])('with %s is refused by its path', (_title, pattern, path) => {
    expect(() => compilePattern(pattern, 'pattern')).toThrow(
      expect.objectContaining({ name: 'InvalidEventPatternException', path }),
    );
  });

  it.each([
    detail({ items: { gone: [{ exists: false }] } }),
    detail({ items: { of: { gone: ['x', { exists: false }] } } }),
    detail({ items: { $or: [{ sku: ['z'] }, { gone: [{ exists: false }] }] } }),
  ])('is refused when an event has a list of objects where exists: false looks (%#)', (pattern) => {
    const matches = compilePattern(pattern, 'pattern');

    expect(() => matches(event)).toThrow('exists: false on a field of a list of objects');
    expect(matches({ ...event, detail: { items: [{ sku: 'a' }] } })).toBe(true);
  });

  it('may name other fields of one object in $or and beside it', () => {
    const pattern = {
      ...detail({ status: ['PENDING'] }),
      $or: [{ detail: { total: [12.5] } }, { source: ['x'] }],
    };

    expect(compilePattern(pattern, 'pattern')(event)).toBe(true);
  });

  it('that is not known stops the server from starting, and names the rule', async () => {
    const starting = start({ rules: [rule({ pattern: { detail: { status: [{ like: 'x' }] } } })] });
    await expect(starting).rejects.toThrow(InvalidEventPatternException);
    await expect(starting).rejects.toThrow('rules.orders.pattern.detail.status.0.like');
  });
});
