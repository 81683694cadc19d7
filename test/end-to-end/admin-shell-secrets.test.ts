import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SessionRecord } from 'game-lift-streams-local';
import { type LambdaResult, type LoopbackRequest, systemClock } from 'local-server-kit';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { listEvents } from '../../local/event-bus/local-client.ts';
import { hostBundles } from '../../local/host-bundles.ts';
import { type Stack, startStack } from '../../local/stack.ts';
import { buildFunctions } from '../../scripts/build.ts';
import { cutOff, lost, type Mishap, quotedInError, startMishapProxy } from '../helpers/mishap-proxy.ts';
import { allItems, tableAt } from '../helpers/table.ts';

const CREATE = 'CreateStreamSessionAdminShell';
const credentialsSchema = z.object({ SessionId: z.string(), StreamUrl: z.string(), TokenValue: z.string() });
type Credentials = z.infer<typeof credentialsSchema>;
type Proxy = Awaited<ReturnType<typeof startMishapProxy>>;

/** Every shell that the service has minted, whatever became of its reply. */
const minted: Credentials[] = [];
/** Everything that was written outside of the one reply that may hold credentials. */
const logLines: string[] = [];
const failures: string[] = [];
const refusals: string[] = [];

let folder: string;
let stack: Stack;
let service: Proxy;
let stepFunctions: Proxy;
let eventBus: Proxy;
let dynamoDb: Proxy;
let session: SessionRecord;
/** The next invocation of create-admin-shell ends like this, after the function has done all its work. */
let nextEnd: LambdaResult | undefined;

const isAccess = ({ target }: LoopbackRequest) => target.endsWith('/access');
const isOperation =
  (name: string) =>
  ({ headers }: LoopbackRequest) =>
    String(headers['x-amz-target']).endsWith(`.${name}`);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'admin-shell-secrets-'));
  await buildFunctions(folder);
  service = await startMishapProxy((request, body) => {
    const shell = isAccess(request) ? credentialsSchema.safeParse(JSON.parse(body)) : undefined;
    if (shell?.success === true) minted.push(shell.data);
  });
  [stepFunctions, eventBus, dynamoDb] = await Promise.all([
    startMishapProxy(),
    startMishapProxy(),
    startMishapProxy(),
  ]);
  stack = await startStack({
    service: inject('service'),
    clock: systemClock,
    random: Math.random,
    hostFunctions: (endpoints) => {
      const proxied = {
        ...endpoints,
        gameLiftStreams: service.before(endpoints.gameLiftStreams),
        stepFunctions: stepFunctions.before(endpoints.stepFunctions),
        eventBus: eventBus.before(endpoints.eventBus),
        dynamoDb: dynamoDb.before(endpoints.dynamoDb),
      };
      const host = hostBundles(inject('service'), proxied, folder, (_, line) => logLines.push(line));
      return {
        close: () => host.close(),
        async invoke(name, payload) {
          const result = await host.invoke(name, payload);
          const isShell = name.includes('createAdminShell');
          const end = isShell && nextEnd !== undefined ? nextEnd : result;
          if (isShell) nextEnd = undefined;
          if (!end.ok) failures.push(JSON.stringify(end.failure));
          return end;
        },
      };
    },
  });
  session = await stack.control.startSession();
}, 60_000);

afterEach(async () => {
  for (const proxy of [service, stepFunctions, eventBus, dynamoDb]) proxy.forgetPlans();
  await stack.control.clearFaults();
});

afterAll(async () => {
  await stack.close();
  await Promise.all([service, stepFunctions, eventBus, dynamoDb].map((proxy) => proxy.close()));
  await rm(folder, { recursive: true, force: true });
});

/** One operator's request; what a refusal says is kept, for it may hold no credential either. */
async function ask(headers: Record<string, string> = { 'x-reason': 'incident 4711' }) {
  const path = `streamgroups/${session.streamGroupId}/streamsessions/${session.streamSessionId}/access`;
  const response = await fetch(`${stack.endpoints.api}/${path}`, { method: 'POST', headers });
  const body = await response.text();
  const inHeaders = JSON.stringify([...response.headers]);
  refusals.push(response.ok ? inHeaders : `${inHeaders} ${body}`);
  if (response.ok) expect(minted).toContainEqual(credentialsSchema.parse(JSON.parse(body)));
  return response.status;
}

describe('a request, through everything that can go wrong', () => {
  const shellReply = (mishap: Mishap) => () => service.plan(mishap, isAccess);
  const garbled: Mishap = ({ status, body }) => {
    const { SessionId, TokenValue } = credentialsSchema.parse(JSON.parse(body));
    const odd = { SessionId: [SessionId], StreamUrl: { url: TokenValue }, TokenValue: null };
    return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(odd) };
  };
  const withoutToken: Mishap = ({ status, body }) => {
    const { SessionId, StreamUrl } = credentialsSchema.parse(JSON.parse(body));
    return {
      status,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ SessionId, StreamUrl }),
    };
  };

  it.each<[string, () => unknown, number]>([
    ['nothing goes wrong', () => {}, 200],
    ['access is not ready at first', () => stack.control.adminShellsNotReady({ notReadySeconds: 1 }), 200],
    [
      'the service throttles',
      () => stack.control.injectFault({ operation: CREATE, kind: 'throttling' }),
      200,
    ],
    ['the reply with the shell is lost', shellReply(lost), 200],
    ['the reply with the shell has no token', shellReply(withoutToken), 200],
    ['a 500 quotes the shell', shellReply(quotedInError(500, 'InternalServerException')), 200],
    ['a 409 quotes the shell', shellReply(quotedInError(409, 'StreamSessionAccessNotReadyException')), 200],
    ['a 400 quotes the shell', shellReply(quotedInError(400, 'ValidationException')), 400],
    ['a 403 quotes the shell', shellReply(quotedInError(403, 'AccessDeniedException')), 403],
    ['an error that nobody knows quotes the shell', shellReply(quotedInError(418, 'TeapotException')), 500],
    ['the request cannot be recorded', () => eventBus.plan(lost, isOperation('PutEvents'), 100), 500],
    ['the table fails once', () => dynamoDb.plan(lost, isOperation('UpdateItem')), 200],
    [
      'the execution is answered with nothing',
      () => stepFunctions.plan(lost, isOperation('StartSyncExecution')),
      500,
    ],
    [
      "the execution's answer is cut off",
      () => stepFunctions.plan(cutOff, isOperation('StartSyncExecution')),
      500,
    ],
    [
      "an error quotes the execution's answer",
      () => stepFunctions.plan(quotedInError(400, 'InvalidName'), isOperation('StartSyncExecution')),
      500,
    ],
    [
      'the function dies when its work is done',
      () => {
        nextEnd = { ok: false, failure: { errorType: 'Lambda.Unknown', errorMessage: 'It died.' } };
      },
      500,
    ],
    [
      'the function answers with something else',
      () => {
        nextEnd = { ok: true, payload: { result: 'ADMIN_SHELL_CREATED' } };
      },
      500,
    ],
  ])(
    'is answered, or refused, when %s',
    async (_, goWrong, status) => {
      await goWrong();

      expect(await ask()).toBe(status);
    },
    60_000,
  );

  it.each([
    ['is cut off', cutOff],
    ['has another form', garbled],
  ])(
    'gives no shell that it cannot read, and quotes nothing, when the reply with the shell %s',
    async (_, mishap) => {
      service.plan(mishap, isAccess, 20);

      expect(await ask()).toBe(500);
    },
    60_000,
  );

  it('gives the shell although its grant cannot be published', async () => {
    eventBus.plan(({ status, body }) => ({ status, body }), isOperation('PutEvents'));
    eventBus.plan(lost, isOperation('PutEvents'), 100);

    expect(await ask()).toBe(200);
  }, 60_000);

  it('is refused for its reason', async () => {
    expect(await ask({ 'x-reason': 'a'.repeat(300) })).toBe(400);
  });
});

it('leaves its credentials nowhere: no log, no table item, no event, no error, no refusal has a part of them', async () => {
  const { endpoints } = stack;
  const table = { ...tableAt(endpoints.dynamoDb), name: stack.service.tables[0]?.name ?? '' };
  const items = await allItems(table);
  table.documents.destroy();
  const events = await listEvents(endpoints.eventBus);
  const written = [...logLines, ...failures, ...refusals, JSON.stringify(items), JSON.stringify(events)].join(
    '\n',
  );

  // It was all there to be searched.
  for (const trace of [
    session.streamSessionId,
    '"AdminShellGranted"',
    '"AdminShellRefused"',
    '"TaskFailed"',
    '"RequestFailed"',
    'permit#CreateStreamSessionAdminShell',
    '"result":"GRANTED"',
    '"result":"REFUSED"',
    '"errorType":"Lambda.Unknown"',
    'StreamSessionAccessNotReadyException',
  ]) {
    expect(written).toContain(trace);
  }
  expect(minted.length).toBeGreaterThan(15);
  const parts = minted.flatMap(({ SessionId, TokenValue }) => [
    ...partsOf(TokenValue),
    ...partsOf(SessionId.split('-').at(-1) ?? ''),
  ]);
  for (const { StreamUrl } of minted) parts.push(new URL(StreamUrl).host);
  expect(parts.filter((part) => written.includes(part))).toEqual([]);
});

const PART_LENGTH = 10;

/** Every stretch of ten characters: a JSON parser's message quotes about as much. */
function partsOf(secret: string): string[] {
  return Array.from({ length: Math.max(1, secret.length - PART_LENGTH + 1) }, (_, start) =>
    secret.slice(start, start + PART_LENGTH),
  );
}
