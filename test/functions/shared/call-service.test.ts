/** The real SDK client against a real socket: what it throws is what the functions must understand. */
import {
  GameLiftStreamsClient,
  GameLiftStreamsServiceException,
  GetStreamSessionCommand,
} from '@aws-sdk/client-gameliftstreams';
import { HANG_UP, type LoopbackReply, type LoopbackRequest, startLoopbackServer } from 'local-server-kit';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type CallTerms, callService } from '../../../functions/shared/service/call-service.ts';
import { getStreamSession } from '../../../functions/shared/service/operations.ts';
import { delayNext } from '../../helpers/failing-table.ts';
import { bookPermits } from '../../helpers/permits.ts';
import { serviceDependencies } from '../../helpers/service-dependencies.ts';
import { LOCAL_CLIENT, useTable } from '../../helpers/table.ts';

const table = useTable();

interface CallOptions extends CallTerms {
  readonly operation?: 'GetStreamSession' | 'CreateStreamSessionConnection' | 'TerminateStreamSession';
}

const NEVER = new Promise<never>(() => {});

async function prepare(handle: () => Promise<LoopbackReply | typeof HANG_UP>) {
  const requests: LoopbackRequest[] = [];
  const server = await startLoopbackServer({
    port: 0,
    maxBodyBytes: 10_000,
    handle: (request) => {
      requests.push(request);
      return handle();
    },
  });
  const client = new GameLiftStreamsClient({ ...LOCAL_CLIENT, endpoint: server.url, maxAttempts: 1 });
  onTestFinished(async () => {
    client.destroy();
    await server.close();
  });
  const dependencies = { ...serviceDependencies(table()), gameLiftStreams: client };
  const session = { streamGroupId: 'sg-1', streamSessionId: 'session' };
  const settings = { READS_PER_SECOND: 20, CONNECTIONS_PER_SECOND: 20, TERMINATIONS_PER_SECOND: 20 };
  const call = ({ operation = 'GetStreamSession', ...terms }: CallOptions = {}) =>
    callService({ ...getStreamSession(session), operation }, terms, { ...dependencies, settings });
  const { clock, log, metrics } = dependencies;
  return { requests, call, url: server.url, clock, log, metrics, table: table() };
}

const errorReply = (status: number, type?: string): LoopbackReply => ({
  status,
  headers: {
    'content-type': 'application/json',
    ...(type === undefined ? {} : { 'x-amzn-errortype': type }),
  },
  body: '{"message":"a message of the service"}',
});

describe('a call that the service never answers', () => {
  it.each<[string, (nowMs: number) => CallOptions, number]>([
    ['five seconds', () => ({}), 5000],
    ['its deadline, where that is sooner', (nowMs) => ({ deadlineMs: nowMs + 1200 }), 1200],
    ['five seconds, where its deadline is later', (nowMs) => ({ deadlineMs: nowMs + 60_000 }), 5000],
    ['twelve seconds, for an answer', () => ({ operation: 'CreateStreamSessionConnection' }), 12_000],
  ])('is given up after %s, in a way that is retried', async (_, options, expectedMs) => {
    const { call, clock, requests } = await prepare(() => NEVER);
    let failure: unknown;

    const ending = call(options(clock.nowMs())).catch((error: unknown) => {
      failure = error;
    });
    await vi.waitFor(() => expect(requests).toHaveLength(1));
    await clock.advance(expectedMs - 1);
    expect(failure).toBeUndefined();
    await clock.advance(1);
    await ending;

    expect(failure).toMatchObject({ name: 'InternalServerException', cause: { name: 'AbortError' } });
    expect(requests).toHaveLength(1);
  });
});

describe('the metrics of an operation', () => {
  it('have how long each call waited for its permit, the free ones too', async () => {
    const { call, clock, metrics, table } = await prepare(async () => ({ status: 200, body: '{}' }));
    await call();
    await bookPermits(table, { operation: 'GetStreamSession', perSecond: 20 }, clock.nowMs() + 1200);

    const waiting = clock.track(() => call());
    await clock.advance(1200);
    await waiting;

    expect(metrics.values).toEqual([
      { name: 'PermitWait', value: 0, operation: 'GetStreamSession' },
      { name: 'PermitWait', value: 1200, operation: 'GetStreamSession' },
    ]);
  });

  it.each<[string, (nowMs: number) => CallOptions]>([
    ['none is free in three seconds', () => ({})],
    ['the caller is gone by then', (nowMs) => ({ deadlineMs: nowMs + 1000 })],
  ])('count a permit that is refused because %s', async (_, options) => {
    const { call, clock, metrics, table, requests } = await prepare(async () => ({
      status: 200,
      body: '{}',
    }));
    await bookPermits(table, { operation: 'GetStreamSession', perSecond: 20 }, clock.nowMs() + 3001);

    await expect(call(options(clock.nowMs()))).rejects.toMatchObject({ name: 'PermitNotAvailableException' });

    expect(requests).toHaveLength(0);
    expect(metrics.values).toEqual([{ name: 'PermitsRefused', value: 1, operation: 'GetStreamSession' }]);
  });

  it('count every call that the service throttled, under the name of the operation, as the log does', async () => {
    const { call, metrics, log } = await prepare(async () => errorReply(429, 'ThrottlingException'));

    await expect(call({ operation: 'TerminateStreamSession' })).rejects.toThrow();

    expect(metrics.values).toContainEqual({
      name: 'CallsThrottled',
      value: 1,
      operation: 'TerminateStreamSession',
    });
    expect(log.lines).toEqual([{ event: 'CallThrottled', fields: { operation: 'TerminateStreamSession' } }]);
  });
});

describe('a permit', () => {
  const ok = async () => ({ status: 200, body: '{}' });

  it('is told when it is booked, before the wait for its time', async () => {
    const { call, clock, table, requests } = await prepare(ok);
    await bookPermits(table, { operation: 'GetStreamSession', perSecond: 20 }, clock.nowMs() + 1000);
    const bookedAtMs: number[] = [];
    const startMs = clock.nowMs();

    const waiting = clock.track(() => call({ onBooked: () => bookedAtMs.push(clock.nowMs() - startMs) }));
    await clock.advance(999);
    expect(requests).toHaveLength(0);
    await clock.advance(1);
    await waiting;

    expect(bookedAtMs).toEqual([0]);
    expect(requests).toHaveLength(1);
  });

  it('of low priority is of a part of the quota that the others do not share', async () => {
    const { call, clock, table } = await prepare(ok);
    const quota = { operation: 'GetStreamSession', perSecond: 15 } as const;
    await bookPermits(table, quota, clock.nowMs() + 3001, '#low');

    await expect(call({ priority: 'LOW' })).rejects.toMatchObject({ name: 'PermitNotAvailableException' });

    expect(await call({ priority: 'NORMAL' })).toMatchObject({ ok: true });
    expect(await call()).toMatchObject({ ok: true });
  });

  it('that comes when the deadline has just passed is of no use: nobody waits for the reply', async () => {
    const { call, clock, table, requests } = await prepare(ok);
    const deadlineMs = clock.nowMs() + 100;
    delayNext(table, 'UpdateItemCommand', () => clock.sleep(100));

    const calling = clock.track(() => call({ deadlineMs })).catch((error: unknown) => error);
    await clock.advance(100);

    expect(await calling).toMatchObject({ name: 'PermitNotAvailableException' });
    expect(requests).toHaveLength(0);
  });
});

describe('a call that the service answers', () => {
  it('leaves no timer behind', async () => {
    const { call, clock } = await prepare(async () => ({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: '{"Status":"CONNECTED"}',
    }));
    const cancelled = vi.fn();
    const setTimer = clock.setTimer.bind(clock);
    vi.spyOn(clock, 'setTimer').mockImplementation((delayMs, callback) => {
      const cancel = setTimer(delayMs, callback);
      return () => {
        cancelled();
        cancel();
      };
    });

    expect(await call()).toMatchObject({ ok: true, reply: { Status: 'CONNECTED' } });

    expect(clock.setTimer).toHaveBeenCalledTimes(1);
    expect(cancelled).toHaveBeenCalledTimes(1);
  });

  it.each([
    [404, 'ResourceNotFoundException', 'NOT_FOUND'],
    [400, 'ValidationException', 'INVALID'],
    [409, 'ConflictException', 'CONFLICT'],
  ])('with %i %s is the caller’s to decide about', async (status, type, fault) => {
    const { call } = await prepare(async () => errorReply(status, type));

    expect(await call()).toEqual({ ok: false, fault });
  });

  it.each<[number, string | undefined, string]>([
    [429, 'ThrottlingException', 'ThrottlingException'],
    [400, 'ThrottlingException', 'ThrottlingException'],
    [429, undefined, 'ThrottlingException'],
    [500, 'InternalServerException', 'InternalServerException'],
    [502, undefined, 'InternalServerException'],
    [503, 'ServiceUnavailable', 'InternalServerException'],
    [403, 'AccessDeniedException', 'ServiceAccessDeniedException'],
    [403, 'UnrecognizedClientException', 'ServiceAccessDeniedException'],
    [402, 'ServiceQuotaExceededException', 'UnexpectedError'],
    [409, 'StreamSessionAccessNotReadyException', 'StreamSessionAccessNotReadyException'],
  ])('with %i %s is thrown as %s, after one attempt', async (status, type, name) => {
    const { call, requests } = await prepare(async () => errorReply(status, type));

    await expect(call()).rejects.toMatchObject({ name, cause: expect.any(GameLiftStreamsServiceException) });

    expect(requests).toHaveLength(1);
  });

  it.each([
    [403, 'AccessDeniedException'],
    [403, undefined],
    [400, 'NotAuthorized'],
  ])('with %i %s names the operation whose permission is missing, and counts it', async (status, type) => {
    const { call, metrics, log } = await prepare(async () => errorReply(status, type));

    await expect(call()).rejects.toMatchObject({ name: 'ServiceAccessDeniedException' });

    expect(log.lines).toEqual([
      { event: 'CallDenied', fields: expect.objectContaining({ operation: 'GetStreamSession' }) },
    ]);
    expect(metrics.values).toContainEqual({ name: 'CallsDenied', value: 1, operation: 'GetStreamSession' });
  });

  it('by closing the connection may have been accepted, and is retried', async () => {
    const { call, requests } = await prepare(async () => HANG_UP);

    await expect(call()).rejects.toMatchObject({ name: 'InternalServerException' });

    expect(requests).toHaveLength(1);
  });

  it('with something that is no JSON is retried', async () => {
    const { call } = await prepare(async () => ({ status: 502, body: '<html>Bad gateway</html>' }));

    await expect(call()).rejects.toMatchObject({ name: 'InternalServerException' });
  });
});

describe('the client that the functions share', () => {
  it('makes one attempt: backoff belongs to the state machines', async () => {
    const { url, requests } = await prepare(async () => errorReply(500, 'InternalServerException'));
    vi.stubEnv('AWS_ENDPOINT_URL_GAMELIFTSTREAMS', url);
    vi.stubEnv('AWS_REGION', 'us-west-2');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
    const { gameLiftStreams } = await import('../../../functions/shared/runtime/clients.ts');

    const call = gameLiftStreams.send(
      new GetStreamSessionCommand({ Identifier: 'sg-1', StreamSessionIdentifier: 'session' }),
    );

    await expect(call).rejects.toMatchObject({ name: 'InternalServerException' });
    expect(requests).toHaveLength(1);
    gameLiftStreams.destroy();
  });
});
