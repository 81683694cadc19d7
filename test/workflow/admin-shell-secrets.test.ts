import type { SessionRecord } from 'game-lift-streams-local';
import { HANG_UP, type LambdaResult, type LoopbackReply, type LoopbackRequest } from 'local-server-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { type Simulation, startSimulation } from '../../local/simulation/simulation.ts';
import { captureOutput } from '../helpers/lambda.ts';

const CREATE = 'CreateStreamSessionAdminShell';
const credentialsSchema = z.object({ SessionId: z.string(), StreamUrl: z.string(), TokenValue: z.string() });
type Credentials = z.infer<typeof credentialsSchema>;

/** What becomes of a reply on its way back: another reply, or none. */
type Mishap = (reply: LoopbackReply) => LoopbackReply | typeof HANG_UP;

/** The call is carried out, and nobody hears of it. */
const lost: Mishap = () => HANG_UP;
/** The reply ends in the middle. */
const cutOff: Mishap = ({ body = '', ...reply }) => ({
  ...reply,
  body: String(body).slice(0, Math.floor(body.length * 0.7)),
});
/** The call is carried out, and answered with an error that quotes the reply. */
const quotedInError =
  (status: number, type: string): Mishap =>
  ({ body }) => ({
    status,
    headers: { 'content-type': 'application/json', 'x-amzn-errortype': type },
    body: JSON.stringify({ Message: `It went wrong after ${body}`, message: body }),
  });

/** Every shell that the service has minted, whatever became of its reply. */
const minted: Credentials[] = [];
/** Everything that was written outside of the one reply that may hold credentials. */
const written: string[] = [];

let simulation: Simulation;
let session: SessionRecord;
let output: ReturnType<typeof captureOutput>;
/** Replies that will be spoiled. */
const planned: { readonly mishap: Mishap; readonly isMeant: (request: LoopbackRequest) => boolean }[] = [];
/** The next call of the table fails after it was carried out. */
let tableFails = false;
/** The next invocation of create-admin-shell ends like this, after the function has done all its work. */
let nextEnd: LambdaResult | undefined;

const isAccess = ({ target, headers }: LoopbackRequest) =>
  target.endsWith('/access') && headers.host === new URL(simulation.endpoints.gameLiftStreams).host;
const isOperation =
  (name: string) =>
  ({ headers }: LoopbackRequest) =>
    String(headers['x-amz-target']).endsWith(`.${name}`);

/** The next replies to such requests meet the mishap. */
function plan(mishap: Mishap, isMeant: (request: LoopbackRequest) => boolean, times = 1): void {
  for (let time = 0; time < times; time++) planned.push({ mishap, isMeant });
}

beforeAll(async () => {
  simulation = await startSimulation({
    service: inject('service'),
    adapter: 'inProcess',
    async serve(request, handle) {
      const reply = await handle(request);
      if (reply === HANG_UP) return reply;
      if (isAccess(request) && reply.status === 200) {
        minted.push(credentialsSchema.parse(JSON.parse(String(reply.body))));
      }
      const index = planned.findIndex(({ isMeant }) => isMeant(request));
      const [plan] = index < 0 ? [] : planned.splice(index, 1);
      return plan === undefined ? reply : plan.mishap(reply);
    },
    async call({ client }, send) {
      const reply = await send();
      if (client !== 'documents' || !tableFails) return reply;
      tableFails = false;
      throw new Error('ECONNRESET');
    },
    async invocation({ key }, run) {
      const result = await run();
      const end = key === 'createAdminShell' && nextEnd !== undefined ? nextEnd : result;
      if (key === 'createAdminShell') nextEnd = undefined;
      if (!end.ok) written.push(JSON.stringify(end.failure));
      return end;
    },
  });
  session = await simulation.control.startSession();
});

beforeEach(() => {
  output = captureOutput();
});

afterEach(async () => {
  written.push(output.text());
  planned.length = 0;
  await simulation.control.clearFaults();
});

afterAll(() => simulation.close());

/** One operator's request; what a refusal says is kept, for it may hold no credential either. */
async function ask(headers: Record<string, string> = { 'x-reason': 'incident 4711' }) {
  const path = `streamgroups/${session.streamGroupId}/streamsessions/${session.streamSessionId}/access`;
  const { endpoints, fetch, inTime } = simulation;
  const response = await inTime(() => fetch(`${endpoints.api}/${path}`, { method: 'POST', headers }));
  const body = await response.text();
  const inHeaders = JSON.stringify([...response.headers]);
  written.push(response.ok ? inHeaders : `${inHeaders} ${body}`);
  if (response.ok) expect(minted).toContainEqual(credentialsSchema.parse(JSON.parse(String(body))));
  return response.status;
}

describe('a request, through everything that can go wrong', () => {
  const shellReply = (mishap: Mishap) => () => plan(mishap, isAccess);
  const garbled: Mishap = ({ status, body }) => {
    const { SessionId, TokenValue } = credentialsSchema.parse(JSON.parse(String(body)));
    const odd = { SessionId: [SessionId], StreamUrl: { url: TokenValue }, TokenValue: null };
    return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(odd) };
  };
  const withoutToken: Mishap = ({ status, body }) => {
    const { SessionId, StreamUrl } = credentialsSchema.parse(JSON.parse(String(body)));
    return {
      status,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ SessionId, StreamUrl }),
    };
  };

  it.each<[string, () => unknown, number]>([
    ['nothing goes wrong', () => {}, 200],
    [
      'access is not ready at first',
      () => simulation.control.adminShellsNotReady({ notReadySeconds: 1 }),
      200,
    ],
    [
      'the service throttles',
      () => simulation.control.injectFault({ operation: CREATE, kind: 'throttling' }),
      200,
    ],
    ['the reply with the shell is lost', shellReply(lost), 200],
    ['the reply with the shell has no token', shellReply(withoutToken), 200],
    ['a 500 quotes the shell', shellReply(quotedInError(500, 'InternalServerException')), 200],
    ['a 409 quotes the shell', shellReply(quotedInError(409, 'StreamSessionAccessNotReadyException')), 200],
    ['a 400 quotes the shell', shellReply(quotedInError(400, 'ValidationException')), 400],
    ['a 403 quotes the shell', shellReply(quotedInError(403, 'AccessDeniedException')), 403],
    ['an error that nobody knows quotes the shell', shellReply(quotedInError(418, 'TeapotException')), 500],
    ['the request cannot be recorded', () => plan(lost, isOperation('PutEvents'), 100), 500],
    ['the table fails once', () => (tableFails = true), 200],
    ['the execution is answered with nothing', () => plan(lost, isOperation('StartSyncExecution')), 500],
    ["the execution's answer is cut off", () => plan(cutOff, isOperation('StartSyncExecution')), 500],
    [
      "an error quotes the execution's answer",
      () => plan(quotedInError(400, 'InvalidName'), isOperation('StartSyncExecution')),
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
  ])('is answered, or refused, when %s', async (_, goWrong, status) => {
    await goWrong();

    expect(await ask()).toBe(status);
  });

  it.each([
    ['is cut off', cutOff],
    ['has another form', garbled],
  ])(
    'gives no shell that it cannot read, and quotes nothing, when the reply with the shell %s',
    async (_, mishap) => {
      plan(mishap, isAccess, 20);

      expect(await ask()).toBe(500);
    },
  );

  it('gives the shell although its grant cannot be published', async () => {
    plan((reply) => reply, isOperation('PutEvents'));
    plan(lost, isOperation('PutEvents'), 100);

    expect(await ask()).toBe(200);
  });

  it('is refused for its reason', async () => {
    expect(await ask({ 'x-reason': 'a'.repeat(300) })).toBe(400);
  });
});

it('leaves its credentials nowhere: no log, no table item, no event, no error, no refusal has a part of them', async () => {
  const items = await simulation.items();
  const events = await simulation.events();
  const everything = [...written, JSON.stringify(items), JSON.stringify(events)].join('\n');

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
    expect(everything).toContain(trace);
  }
  expect(minted.length).toBeGreaterThan(15);
  const parts = minted.flatMap(({ SessionId, TokenValue }) => [
    ...partsOf(TokenValue),
    ...partsOf(SessionId.split('-').at(-1) ?? ''),
  ]);
  for (const { StreamUrl } of minted) parts.push(new URL(StreamUrl).host);
  expect(parts.filter((part) => everything.includes(part))).toEqual([]);
});

const PART_LENGTH = 10;

/** Every stretch of ten characters: a JSON parser's message quotes about as much. */
function partsOf(secret: string): string[] {
  return Array.from({ length: Math.max(1, secret.length - PART_LENGTH + 1) }, (_, start) =>
    secret.slice(start, start + PART_LENGTH),
  );
}
