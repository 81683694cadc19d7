import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateStreamSessionConnectionCommand, GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import { type LoopbackRequest, VirtualClock } from 'local-server-kit';
import { createReconnectionClient, refusalOf } from 'reconnection-client/backend';
import { describe, expect, it, onTestFinished, type TestContext, vi } from 'vitest';
import { z } from 'zod';
import { createGameBackend } from '../../clients/game/backend.ts';
import { startRestApi } from '../../local/rest-api/server.ts';
import { newOffer } from '../../local/simulation/offers.ts';
import { DESCRIPTION_FILES } from '../../scripts/api-description.ts';
import { REGION, SIGNER, startSignatureVerifier } from '../helpers/signature-verifier.ts';

const root = join(import.meta.dirname, '../..');
const ANSWER = '{"type":"answer","sdp":"the-answer"}';
const ARNS = {
  streamGroup: 'arn:aws:gameliftstreams:us-west-2:111122223333:streamgroup/sg-1AB2C3De4',
  streamSession: 'arn:aws:gameliftstreams:us-west-2:111122223333:streamsession/sg-1AB2C3De4/ABC123def4567',
};
const TARGET = `/dev/streamgroups/${encodeURIComponent(ARNS.streamGroup)}/streamsessions/${encodeURIComponent(ARNS.streamSession)}/connections`;

const answered = {
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ SignalResponse: ANSWER }),
};
const startApi = () => startSignatureVerifier(() => answered);

/** An API whose first reply is a 500, which SDKs repeat by themselves. */
function startFailingApi() {
  let requests = 0;
  return startSignatureVerifier(() => (requests++ === 0 ? { status: 500 } : answered));
}

/** An API that refuses every request with this code. */
const startRefusingApi = (status: number, type: string, code: string) =>
  startSignatureVerifier(() => ({
    status,
    headers: {
      'content-type': 'application/json',
      'x-amzn-errortype': type,
      'x-reconnection-code': code,
    },
    body: '{"Message":"Refused."}',
  }));

const ENDED = {
  status: 409,
  headers: { 'x-amzn-errortype': 'ConflictException', 'x-reconnection-code': 'SESSION_ENDED' },
  body: '{"Message":"Ended.","Outcome":"TERMINATED","StatusReason":"reconnectionTimeout"}',
};
const LATER = {
  status: 429,
  headers: {
    'x-amzn-errortype': 'ThrottlingException',
    'x-reconnection-code': 'TURN_LATER',
    'retry-after': '7',
  },
  body: '{"Message":"Later."}',
};

const tokenOf = ({ body }: LoopbackRequest) =>
  z.object({ ClientToken: z.string() }).parse(JSON.parse(body.toString())).ClientToken;

/** What the service's wire has: the body alone may differ, in the ClientToken that is new each time. */
function wireOf(request: LoopbackRequest | undefined) {
  const { ClientToken, ...body } = z
    .strictObject({ SignalRequest: z.string(), ClientToken: z.string().min(32) })
    .parse(JSON.parse(request?.body.toString() ?? 'null'));
  return {
    method: request?.method,
    target: request?.target,
    body,
    userId: request?.headers['x-user-id'],
    isUserIdSigned: /SignedHeaders=[^,]*x-user-id/.test(request?.headers.authorization ?? ''),
  };
}

describe('a client in JavaScript', () => {
  const config = { region: REGION, credentials: SIGNER };

  it('is answered by an API that takes signatures for execute-api only', async () => {
    const api = await startApi();
    const client = createReconnectionClient({ ...config, endpoint: `${api.url}/dev` });
    onTestFinished(() => client.destroy());
    const offer = newOffer();

    expect(await client.reconnect(ARNS, offer)).toBe(ANSWER);

    expect(api.accepted.map(wireOf)).toEqual([
      {
        method: 'POST',
        target: TARGET,
        body: { SignalRequest: offer },
        userId: undefined,
        isUserIdSigned: false,
      },
    ]);
  });

  it('sends the token that names an offer', async () => {
    const api = await startApi();
    const client = createReconnectionClient({ ...config, endpoint: `${api.url}/dev` });
    onTestFinished(() => client.destroy());
    const clientToken = 'a'.repeat(32);

    await client.reconnect(ARNS, newOffer(), { clientToken });

    expect(api.accepted.map(tokenOf)).toEqual([clientToken]);
  });

  it('ends a session and says "perhaps leaving", signed, with ARNs and a stage', async () => {
    const api = await startSignatureVerifier(() => ({ status: 204 }));
    const client = createReconnectionClient({ ...config, endpoint: `${api.url}/dev` });
    onTestFinished(() => client.destroy());
    const leaving = { clientToken: 'a'.repeat(32), withinSeconds: 15 };

    await client.end({ ...ARNS, userId: 'player-1' });
    await client.end(ARNS, { endedBy: 'OPERATOR' });
    await client.sayPerhapsLeaving({ ...ARNS, userId: 'player-1' }, leaving);

    const sessionTarget = TARGET.replace(/\/connections$/, '');
    expect(api.refusals).toEqual([]);
    expect(
      api.accepted.map(({ method, target, headers, body }) => [
        method,
        target,
        headers['x-user-id'],
        headers['x-ended-by'],
        body.toString(),
      ]),
    ).toEqual([
      ['DELETE', sessionTarget, 'player-1', undefined, ''],
      ['DELETE', sessionTarget, undefined, 'OPERATOR', ''],
      ['POST', `${sessionTarget}/leaving`, 'player-1', undefined, JSON.stringify(leaving)],
    ]);
    for (const { headers } of api.accepted.slice(0, 2)) {
      expect(headers.authorization).toMatch(/SignedHeaders=[^,]*x-(user-id|ended-by)/);
    }
  });

  it.each(['<html>', '', '{}', 'null', '{"SignalResponse":1}', '{"SignalResponse":""}'])(
    'takes no other 200 for an answer or an end: %j',
    async (body) => {
      const api = await startSignatureVerifier(() => ({ ...answered, body }));
      const client = createReconnectionClient({ ...config, endpoint: `${api.url}/dev` });
      onTestFinished(() => client.destroy());

      const results = await Promise.allSettled([
        client.reconnect(ARNS, newOffer()),
        client.end(ARNS),
        client.sayPerhapsLeaving(ARNS, { clientToken: 'a'.repeat(32), withinSeconds: 15 }),
      ]);

      expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    },
  );

  it('signs who asks', async () => {
    const api = await startApi();
    const client = createReconnectionClient({ ...config, endpoint: `${api.url}/dev` });
    onTestFinished(() => client.destroy());

    await client.reconnect({ ...ARNS, userId: 'player-1' }, newOffer());

    expect(api.accepted.map(wireOf)).toEqual([
      expect.objectContaining({ userId: 'player-1', isUserIdSigned: true }),
    ]);
  });

  it('repeats the same request, signed again, when the API fails', async () => {
    const api = await startFailingApi();
    const client = createReconnectionClient({ ...config, endpoint: `${api.url}/dev`, maxAttempts: 2 });
    onTestFinished(() => client.destroy());

    expect(await client.reconnect({ ...ARNS, userId: 'player-1' }, newOffer())).toBe(ANSWER);

    const [first, second] = api.accepted;
    expect(wireOf(second)).toEqual(wireOf(first));
    expect(new Set(api.accepted.map(tokenOf)).size).toBe(1);
  });

  it.each([
    [409, 'ConflictException', 'SOMEBODY_CONNECTED'],
    [403, 'AccessDeniedException', 'SERVICE_ACCESS_DENIED'],
  ])('reads the code of a refusal, and does not repeat it: %i %s', async (status, type, code) => {
    const api = await startRefusingApi(status, type, code);
    const client = createReconnectionClient({ ...config, endpoint: `${api.url}/dev`, maxAttempts: 3 });
    onTestFinished(() => client.destroy());

    await expect(client.reconnect(ARNS, newOffer())).rejects.toMatchObject({
      name: type,
      $response: { headers: { 'x-reconnection-code': code } },
    });

    expect(api.accepted).toHaveLength(1);
  });

  it('says why a session is over, and when to come again', async () => {
    const replies = [ENDED, LATER];
    const api = await startSignatureVerifier(() => replies.shift() ?? answered);
    const client = createReconnectionClient({ ...config, endpoint: `${api.url}/dev` });
    onTestFinished(() => client.destroy());
    const refused = () => client.reconnect(ARNS, newOffer()).catch(refusalOf);

    expect([await refused(), await refused()]).toEqual([
      {
        status: 409,
        code: 'SESSION_ENDED',
        type: 'ConflictException',
        retryAfterSeconds: undefined,
        statusReason: 'reconnectionTimeout',
      },
      {
        status: 429,
        code: 'TURN_LATER',
        type: 'ThrottlingException',
        retryAfterSeconds: 7,
        statusReason: undefined,
      },
    ]);
  });

  it('reads a window with the same signature, whatever members it has', async () => {
    const window = {
      phase: 'CLOSED',
      generation: 2,
      remainingSeconds: 0,
      outcome: 'RECONNECTED',
      later: [1],
    };
    const api = await startSignatureVerifier(() => ({ ...answered, body: JSON.stringify(window) }));
    const client = createReconnectionClient({ ...config, endpoint: `${api.url}/dev` });
    onTestFinished(() => client.destroy());

    expect(await client.window(ARNS)).toEqual(window);

    expect(api.accepted.map(({ method, target }) => [method, target])).toEqual([
      ['GET', TARGET.replace(/connections$/, 'window')],
    ]);
  });

  it('knows no window before the first, and throws other refusals', async () => {
    const none = await startRefusingApi(404, 'ResourceNotFoundException', 'WINDOW_NOT_FOUND');
    const denied = await startRefusingApi(403, 'AccessDeniedException', 'CALLER_NOT_ALLOWED');
    const clients = [none, denied].map(({ url }) =>
      createReconnectionClient({ ...config, endpoint: `${url}/dev` }),
    );
    onTestFinished(() => {
      for (const client of clients) client.destroy();
    });

    const [first, second] = await Promise.allSettled(clients.map((client) => client.window(ARNS)));

    expect(first).toEqual({ status: 'fulfilled', value: undefined });
    expect(second).toMatchObject({ status: 'rejected', reason: { name: 'AccessDeniedException' } });
  });

  it('is refused with the SDK’s own signature, which is for gameliftstreams', async () => {
    const api = await startApi();
    const client = new GameLiftStreamsClient({ ...config, endpoint: `${api.url}/dev` });
    onTestFinished(() => client.destroy());
    const command = new CreateStreamSessionConnectionCommand({
      Identifier: 'sg-1AB2C3De4',
      StreamSessionIdentifier: 'ABC123def4567',
      SignalRequest: newOffer(),
    });

    await expect(client.send(command)).rejects.toMatchObject({
      name: 'InvalidSignatureException',
      $metadata: { httpStatusCode: 403 },
    });

    expect(api.refusals).toEqual(["Credential should be scoped to correct service: 'execute-api'."]);
  });

  it('is refused when its secret is another, or its Region', async () => {
    const api = await startApi();
    const others = [
      { ...config, credentials: { ...SIGNER, secretAccessKey: 'another' } },
      { ...config, region: 'us-east-2' },
    ];

    for (const other of others) {
      const client = createReconnectionClient({ ...other, endpoint: `${api.url}/dev` });
      onTestFinished(() => client.destroy());
      await expect(client.reconnect(ARNS, newOffer())).rejects.toMatchObject({
        $metadata: { httpStatusCode: 403 },
      });
    }

    expect(api.accepted).toEqual([]);
  });

  it('runs from the command line', async () => {
    const api = await startApi();
    const offer = newOffer();

    const { code, stdout, stderr } = await run(
      process.execPath,
      'clients/javascript/reconnection-client.ts',
      [`${api.url}/dev`, ...Object.values(ARNS), await fileWith(offer)],
    );

    expect({ code, stdout: stdout.trim(), stderr }).toEqual({ code: 0, stdout: ANSWER, stderr: '' });
    expect(wireOf(api.accepted[0]).body).toEqual({ SignalRequest: offer });
  });
});

it('the backend of the guide hands an offer on for a player who is signed in, and no other', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', SIGNER.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', SIGNER.secretAccessKey);
  const api = await startApi();
  const backend = createGameBackend(`${api.url}/dev`, REGION, async ({ headers }) =>
    headers.cookie === 'player=1' ? { ...ARNS, userId: 'player-1' } : undefined,
  );
  backend.listen(0, '127.0.0.1');
  await once(backend, 'listening');
  onTestFinished(() => {
    backend.close();
  });
  const address = z.object({ port: z.number() }).parse(backend.address());
  const ask = (cookie: string) =>
    fetch(`http://127.0.0.1:${address.port}/api/connections`, {
      method: 'POST',
      headers: { cookie, 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify({ SignalRequest: newOffer() }),
    });

  const [mine, stranger] = [await ask('player=1'), await ask('player=2')];

  expect(await mine.json()).toEqual({ SignalResponse: ANSWER });
  expect(await stranger.json()).toEqual({ status: 403, code: 'NOT_THE_USERS_SESSION' });
  expect(api.accepted.map(wireOf)).toMatchObject([{ target: TARGET, userId: 'player-1' }]);
});

/** Debian's package, which is the system's Python; a python3 from elsewhere may come first in PATH. */
const PYTHON = ['/usr/bin/python3', 'python3'].find(
  (python) => spawnSync(python, ['-c', 'import boto3']).status === 0,
);

/** Where boto3 is missing the test is skipped and says what to install. */
function pythonOrSkip(context: TestContext): string {
  if (PYTHON !== undefined) return PYTHON;
  const reason = 'there is no boto3. Install it (apt-get install python3-boto3) to test the client in Python';
  console.warn(`skipped: ${reason}`);
  return context.skip(reason);
}

describe('a client in Python', () => {
  const javaScript = 'clients/javascript/reconnection-client.ts';

  it('sends what the client in JavaScript sends, and is answered by the same API', async (context) => {
    const python = pythonOrSkip(context);
    const api = await startApi();
    const client = createReconnectionClient({
      endpoint: `${api.url}/dev`,
      region: REGION,
      credentials: SIGNER,
    });
    onTestFinished(() => client.destroy());
    const offer = newOffer();
    const args = [`${api.url}/dev`, ...Object.values(ARNS), await fileWith(offer), 'player-1'];

    const { code, stdout, stderr } = await run(python, '-m', ['reconnection_client', ...args]);
    await client.reconnect({ ...ARNS, userId: 'player-1' }, offer);

    expect({ code, stdout: stdout.trim(), stderr }).toEqual({ code: 0, stdout: ANSWER, stderr: '' });
    const [fromPython, fromJavaScript] = api.accepted.map(wireOf);
    expect(fromPython).toEqual(fromJavaScript);
    expect(fromPython).toMatchObject({ target: TARGET, userId: 'player-1', isUserIdSigned: true });
  });

  it('repeats the same request, signed again, when the API fails', async (context) => {
    const python = pythonOrSkip(context);
    const api = await startFailingApi();
    const args = [`${api.url}/dev`, ...Object.values(ARNS), await fileWith(newOffer()), 'player-1'];

    const { stdout } = await run(python, '-m', ['reconnection_client', ...args]);

    expect(stdout.trim()).toBe(ANSWER);
    const [first, second] = api.accepted;
    expect(wireOf(second)).toEqual(wireOf(first));
    expect(wireOf(second).userId).toBe('player-1');
    expect(new Set(api.accepted.map(tokenOf)).size).toBe(1);
  });

  it('takes a file with a byte order mark, as the client in JavaScript does', async (context) => {
    const python = pythonOrSkip(context);
    const api = await startApi();
    const offer = newOffer();
    const args = [`${api.url}/dev`, ...Object.values(ARNS), await fileWith(`\ufeff${offer}\r\n`)];

    const codes = [
      await run(python, '-m', ['reconnection_client', ...args]),
      await run(process.execPath, javaScript, args),
    ];

    expect(codes.map(({ code }) => code)).toEqual([0, 0]);
    expect(api.accepted.map((request) => wireOf(request).body.SignalRequest)).toEqual([offer, offer]);
  });

  it.for([
    [409, 'ConflictException', 'SOMEBODY_CONNECTED'],
    [403, 'AccessDeniedException', 'SERVICE_ACCESS_DENIED'],
  ] as const)(
    'reads the code of a refusal, and does not repeat it: %i %s',
    async ([status, type, refusal], context) => {
      const python = pythonOrSkip(context);
      const api = await startRefusingApi(status, type, refusal);
      const program = `
import sys
from botocore.exceptions import ClientError
from reconnection_client import create_reconnection_client, reconnect
try:
    reconnect(create_reconnection_client(sys.argv[1]), "sg-1", "s-1", sys.argv[2])
except ClientError as error:
    print(error.response["Error"]["Code"])
    print(error.response["ReconnectionCode"])
`;

      const { stdout } = await run(python, '-c', [program, `${api.url}/dev`, newOffer()]);

      expect(stdout.split('\n')).toEqual([type, refusal, '']);
      expect(api.accepted).toHaveLength(1);
    },
  );

  it('reads how a session ended, and when to come again, in the members of the error', async (context) => {
    const python = pythonOrSkip(context);
    const replies = [ENDED, LATER];
    const api = await startSignatureVerifier(() => replies.shift() ?? answered);
    const program = `
import json, sys
from botocore.config import Config
from botocore.exceptions import ClientError
from reconnection_client import create_reconnection_client, reconnect
client = create_reconnection_client(sys.argv[1], config=Config(retries={"total_max_attempts": 1}))
for _ in range(2):
    try:
        reconnect(client, "sg-1", "s-1", "offer")
    except ClientError as error:
        names = ["ReconnectionCode", "RetryAfterSeconds", "Outcome", "StatusReason"]
        print(json.dumps([error.response.get(name) for name in names]))
`;

    const { stdout, stderr } = await run(python, '-c', [program, `${api.url}/dev`]);

    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      ['SESSION_ENDED', null, 'TERMINATED', 'reconnectionTimeout'],
      ['TURN_LATER', 7, null, null],
    ]);
    expect(stderr).toBe('');
  });

  it("raises its own error, which quotes nothing, for a reply that is not the API's", async (context) => {
    const python = pythonOrSkip(context);
    const bodies = [
      '<!doctype html>secret',
      '',
      '{}',
      'null',
      '["secret"]',
      '{"SignalResponse":1}',
      '{"SignalResponse":""}',
      '{"Signal',
      '['.repeat(100_000),
    ];
    const replies = bodies.map((body, index) => ({
      status: 200,
      headers: { 'content-type': index === 0 ? 'text/html' : 'application/json' },
      body,
    }));
    const invalidUtf8 = { ...answered, body: Buffer.from([0xff, 0xfe]) };
    const wrongType = { ...answered, headers: { 'content-type': 'text/plain' } };
    const list = { status: 403, headers: answered.headers, body: '["secret"]' };
    const dated = { ...LATER, headers: { ...LATER.headers, 'retry-after': 'Wed, 21 Oct 2037 07:28:00 GMT' } };
    const queue = [...replies, invalidUtf8, list, dated, wrongType];
    const api = await startSignatureVerifier(() => queue.shift() ?? { status: 500 });
    const program = `
import sys
from reconnection_client import UnreadableReplyError, create_reconnection_client, reconnect
client = create_reconnection_client(sys.argv[1])
for _ in range(int(sys.argv[2])):
    try:
        print(reconnect(client, "sg-1", "s-1", "offer"))
    except UnreadableReplyError as error:
        print("unreadable", "secret" in str(error), error.__cause__)
`;

    const { stdout, stderr } = await run(python, '-c', [program, `${api.url}/dev`, String(queue.length)]);

    expect({ lines: stdout.trim().split('\n'), stderr }).toEqual({
      // A proxy may change the type and leave the answer as it is.
      lines: [...Array.from({ length: bodies.length + 3 }, () => 'unreadable False None'), ANSWER],
      stderr: '',
    });
  });

  it("reads a proxy's page as a refusal without a code", async (context) => {
    const python = pythonOrSkip(context);
    const pages = [
      { status: 502, headers: { 'content-type': 'text/html' }, body: '<html>Bad gateway</html>' },
      { status: 403, headers: { 'content-type': 'text/html' }, body: '<html>Forbidden</html>' },
      { status: 404, headers: { 'content-type': 'application/json' }, body: 'no JSON' },
      { status: 503, headers: {}, body: '' },
    ];
    const queue = [...pages];
    const api = await startSignatureVerifier(() => queue.shift() ?? answered);
    const program = `
import sys
from botocore.config import Config
from botocore.exceptions import ClientError
from reconnection_client import create_reconnection_client, reconnect
client = create_reconnection_client(sys.argv[1], config=Config(retries={"total_max_attempts": 1}))
for _ in range(int(sys.argv[2])):
    try:
        reconnect(client, "sg-1", "s-1", "offer")
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        print(status, error.response["Error"]["Code"], error.response.get("ReconnectionCode"))
`;

    const { stdout, stderr } = await run(python, '-c', [program, `${api.url}/dev`, String(pages.length)]);

    expect({ lines: stdout.trim().split('\n'), stderr }).toEqual({
      lines: pages.map(({ status }) => `${status} ${status} None`),
      stderr: '',
    });
  });

  it('ends a session and says "perhaps leaving", by ARNs and with a stage', async (context) => {
    const python = pythonOrSkip(context);
    const api = await startSignatureVerifier(() => ({ status: 204 }));
    const program = `
import sys
from reconnection_client import create_reconnection_client, end_session, say_perhaps_leaving
client = create_reconnection_client(sys.argv[1])
end_session(client, sys.argv[2], sys.argv[3], user_id="player-1")
end_session(client, sys.argv[2], sys.argv[3], ended_by="OPERATOR")
say_perhaps_leaving(client, sys.argv[2], sys.argv[3], "a" * 32, 15, user_id="player-1")
`;

    const { stderr } = await run(python, '-c', [program, `${api.url}/dev`, ...Object.values(ARNS)]);

    expect(stderr).toBe('');
    expect(
      api.accepted.map(({ method, target, headers }) => [
        method,
        target,
        headers['x-user-id'],
        headers['x-ended-by'],
      ]),
    ).toEqual([
      ['DELETE', TARGET.replace(/\/connections$/, ''), 'player-1', undefined],
      ['DELETE', TARGET.replace(/\/connections$/, ''), undefined, 'OPERATOR'],
      ['POST', TARGET.replace(/connections$/, 'leaving'), 'player-1', undefined],
    ]);
    expect(JSON.parse(api.accepted[2]?.body.toString() ?? '')).toEqual({
      clientToken: 'a'.repeat(32),
      withinSeconds: 15,
    });
  });

  it("does not take a proxy's page for the end of a session", async (context) => {
    const python = pythonOrSkip(context);
    const api = await startSignatureVerifier(() => ({ status: 200, body: '<html>Sign in</html>' }));
    const program = `
import sys
from reconnection_client import UnreadableReplyError, create_reconnection_client, end_session, say_perhaps_leaving
client = create_reconnection_client(sys.argv[1])
for send, more in ((end_session, ()), (say_perhaps_leaving, ("a" * 32, 15))):
    try:
        send(client, "sg-1", "s-1", *more)
    except UnreadableReplyError:
        print("unreadable")
`;

    const { stdout } = await run(python, '-c', [program, `${api.url}/dev`]);

    expect(stdout).toBe('unreadable\nunreadable\n');
  });

  it('reads a window, by ARNs and with a stage', async (context) => {
    const python = pythonOrSkip(context);
    const window = { phase: 'CLOSED', generation: 2, remainingSeconds: 1.5, outcome: 'RECONNECTED' };
    const api = await startSignatureVerifier(() => ({ ...answered, body: JSON.stringify(window) }));
    const program = `
import json, sys
from reconnection_client import create_reconnection_client
client = create_reconnection_client(sys.argv[1])
reply = client.get_reconnection_window(Identifier=sys.argv[2], StreamSessionIdentifier=sys.argv[3])
del reply["ResponseMetadata"]
print(json.dumps(reply))
`;

    const { stdout } = await run(python, '-c', [program, `${api.url}/dev`, ...Object.values(ARNS)]);

    expect(JSON.parse(stdout)).toEqual(window);
    expect(api.accepted.map(({ target }) => target)).toEqual([TARGET.replace(/connections$/, 'window')]);
  });

  it('is refused with boto3’s own signature, which is for gameliftstreams', async (context) => {
    const python = pythonOrSkip(context);
    const api = await startApi();
    const program = `
import boto3, sys
client = boto3.client("gameliftstreams", endpoint_url=sys.argv[1])
client.create_stream_session_connection(Identifier="sg-1", StreamSessionIdentifier="s-1", SignalRequest="offer")
`;

    const { code, stderr } = await run(python, '-c', [program, `${api.url}/dev`]);

    expect(code).not.toBe(0);
    expect(stderr).toContain("Credential should be scoped to correct service: 'execute-api'.");
    expect(api.accepted).toEqual([]);
  });
});

/** The AWS CLI of the system; version 1 and 2 take service models alike. */
const AWS_CLI = ['/usr/bin/aws', 'aws'].find((aws) => spawnSync(aws, ['--version']).status === 0);

describe('the AWS CLI, with the service model', () => {
  function cliOrSkip(context: TestContext): string {
    if (AWS_CLI !== undefined) return AWS_CLI;
    const reason = 'there is no AWS CLI. Install it (apt-get install awscli) to test the service model';
    console.warn(`skipped: ${reason}`);
    return context.skip(reason);
  }

  it('signs for execute-api by itself, with ARNs and a stage, and tells why it was refused', async (context) => {
    const aws = cliOrSkip(context);
    const replies = [answered, ENDED];
    const api = await startSignatureVerifier(() => replies.shift() ?? answered);
    const home = await mkdtemp(join(tmpdir(), 'aws-home-'));
    onTestFinished(() => rm(home, { recursive: true, force: true }));
    const offer = newOffer();
    const request = [
      'create-stream-session-connection',
      '--endpoint-url',
      `${api.url}/dev`,
      '--identifier',
      ARNS.streamGroup,
      '--stream-session-identifier',
      ARNS.streamSession,
      '--signal-request',
      `file://${await fileWith(offer)}`,
      '--user-id',
      'player-1',
    ];
    const cli = (command: string, args: readonly string[]) => run(aws, command, args, { HOME: home });

    const added = await cli('configure', [
      'add-model',
      '--service-name',
      'streamreconnection',
      '--service-model',
      `file://${join(root, DESCRIPTION_FILES.serviceModel)}`,
    ]);
    const connected = await cli('streamreconnection', request);
    const refused = await cli('streamreconnection', request);

    expect(added).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(connected.stdout)).toEqual({ SignalResponse: ANSWER });
    expect(api.refusals).toEqual([]);
    expect(api.accepted.map(wireOf)[0]).toEqual({
      method: 'POST',
      target: TARGET,
      body: { SignalRequest: offer },
      userId: 'player-1',
      isUserIdSigned: true,
    });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('(ConflictException)');
  });
});

describe("an error of API Gateway's own, which has two headers for its type", () => {
  const errors = [
    ['of no route', 403, 'AccessDeniedException', undefined],
    ['of a function that fails', 502, 'InternalServerException', 'Error'],
    ['of a throttled function', 500, 'InternalServerException', 'Lambda.TooManyRequestsException'],
  ] as const;

  it.for(errors)('%s is a %i %s to boto3', async ([, status, type, failure], context) => {
    const python = pythonOrSkip(context);
    const url = await startLocalApi(failure);
    const program = `
import boto3, sys
from botocore.config import Config
from botocore.exceptions import ClientError
client = boto3.client("gameliftstreams", endpoint_url=sys.argv[1], config=Config(retries={"total_max_attempts": 1}))
try:
    client.create_stream_session_connection(Identifier="sg-1", StreamSessionIdentifier="s-1", SignalRequest="offer")
except ClientError as error:
    print(error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"])
`;

    const { stdout, stderr } = await run(python, '-c', [program, url]);

    expect({ stdout, stderr }).toEqual({ stdout: `${status} ${type}\n`, stderr: '' });
  });

  it.each(errors)('%s is a %i %s to the SDK for JavaScript', async (_what, status, type, failure) => {
    const url = await startLocalApi(failure);
    const client = createReconnectionClient({ endpoint: url, region: REGION, credentials: SIGNER });
    onTestFinished(() => client.destroy());

    await expect(client.reconnect(ARNS, newOffer())).rejects.toMatchObject({
      name: type,
      $metadata: { httpStatusCode: status },
    });
  });
});

/** The local API, whose one route fails like this; without a failure it has no route. */
async function startLocalApi(failure: string | undefined): Promise<string> {
  const route = {
    method: 'POST',
    path: '/streamgroups/{Identifier}/streamsessions/{StreamSessionIdentifier}/connections',
    functionName: 'request-connection',
    authorizer: 'AWS_IAM',
  } as const;
  const api = await startRestApi({
    port: 0,
    routes: failure === undefined ? [] : [route],
    invokeLambda: async () => ({ ok: false, failure: { errorType: failure ?? '', errorMessage: '' } }),
    clock: new VirtualClock(0),
    random: Math.random,
    account: '111122223333',
    region: REGION,
    stage: 'dev',
  });
  onTestFinished(() => api.close());
  return api.url;
}

/** boto3 of Debian does not know the service yet: `boto-data` has the one operation, as the service declares it. */
async function run(
  program: string,
  script: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
) {
  const child = spawn(program, [script, ...args], {
    cwd: root,
    env: {
      PATH: process.env['PATH'],
      HOME: '/nonexistent',
      AWS_REGION: REGION,
      AWS_DEFAULT_REGION: REGION,
      AWS_ACCESS_KEY_ID: SIGNER.accessKeyId,
      AWS_SECRET_ACCESS_KEY: SIGNER.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_DATA_PATH: join(import.meta.dirname, 'boto-data'),
      PYTHONPATH: join(root, 'clients/python'),
      PYTHONDONTWRITEBYTECODE: '1',
      ...environment,
    },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code]: unknown[] = await once(child, 'close');
  return { code, stdout, stderr };
}

async function fileWith(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'offer-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'offer.json');
  await writeFile(file, text);
  return file;
}
