import { describe, expect, it } from 'vitest';
import { replyOfExecution } from '../../../functions/request-admin-shell/reply.ts';

const NOW_MS = Date.UTC(2026, 0, 1);
const CREATED = {
  result: 'ADMIN_SHELL_CREATED',
  sessionId: 'the-session',
  streamUrl: 'wss://the-url',
  tokenValue: 'the-token',
  createdAtMs: NOW_MS - 800,
};
const succeeded = (output: object) =>
  replyOfExecution({ status: 'SUCCEEDED', output: JSON.stringify(output) }, NOW_MS);
const NO_STORE = { 'content-type': 'application/json', 'cache-control': 'no-store' };

describe('an execution that succeeds', () => {
  it("with a shell is the service's own reply, not to be stored, and says how long it is good for", () => {
    expect(succeeded(CREATED)).toEqual({
      result: { result: 'GRANTED' },
      reply: {
        statusCode: 200,
        headers: { ...NO_STORE, 'x-expires-in-seconds': '59' },
        body: '{"SessionId":"the-session","StreamUrl":"wss://the-url","TokenValue":"the-token"}',
      },
    });
  });

  it.each([
    [0, '60'],
    [1, '59'],
    [1000, '59'],
    [1001, '58'],
    [90_000, '0'],
    // The clocks of two functions differ.
    [-300, '60'],
  ])('%i ms after its reply a shell is good for %s s more', (ageMs, seconds) => {
    const { reply } = succeeded({ ...CREATED, createdAtMs: NOW_MS - ageMs });

    expect(reply.headers).toMatchObject({ 'x-expires-in-seconds': seconds });
  });

  it('without a session is a 404', () => {
    const { reply, result } = succeeded({ result: 'NOT_FOUND' });

    expect(result).toEqual({ result: 'REFUSED', refusal: 'NOT_FOUND' });
    expect(reply).toMatchObject({
      statusCode: 404,
      headers: {
        ...NO_STORE,
        'x-amzn-errortype': 'ResourceNotFoundException',
        'x-reconnection-code': 'SESSION_NOT_FOUND',
      },
      body: '{"Message":"The stream group or the stream session does not exist."}',
    });
  });

  it.each([
    [
      'STATUS_WITHOUT_ADMIN_SHELL',
      'STATUS_WITHOUT_ADMIN_SHELL',
      'TERMINATED',
      /is in status TERMINATED\. An admin shell needs ACTIVE,/,
    ],
    ['REJECTED_BY_SERVICE', 'ADMIN_SHELL_REJECTED', 'ACTIVE', /refused .*, which is in status ACTIVE\./],
  ])(
    'with %s is a 400, %s, that names the status, and nobody is told to come back',
    (refusal, code, status, message) => {
      const { reply, result } = succeeded({ result: refusal, status });

      expect(result).toEqual({ result: 'REFUSED', refusal, sessionStatus: status });
      expect(reply.statusCode).toBe(400);
      expect(reply.headers).toEqual({
        ...NO_STORE,
        'x-amzn-errortype': 'ValidationException',
        'x-reconnection-code': code,
      });
      expect(JSON.parse(reply.body)).toEqual({ Message: expect.stringMatching(message), Status: status });
    },
  );

  it.each<[string, string | undefined]>([
    ['no output', undefined],
    ['an output that is no JSON', 'the-token'],
    ['a result that nobody knows', '{"result":"OUT_OF_TIME","tokenValue":"the-token"}'],
    ['a shell without its token', JSON.stringify({ ...CREATED, tokenValue: undefined })],
  ])('with %s is a bug, and thrown', (_, output) => {
    expect(() => replyOfExecution({ status: 'SUCCEEDED', output }, NOW_MS)).toThrow();
  });
});

describe('an execution that fails', () => {
  it.each([
    [
      'StreamSessionAccessNotReadyException',
      409,
      'StreamSessionAccessNotReadyException',
      'ADMIN_SHELL_NOT_READY',
      '5',
    ],
    ['ThrottlingException', 429, 'ThrottlingException', 'QUOTA_USED_UP', '2'],
    ['PermitNotAvailableException', 429, 'ThrottlingException', 'QUOTA_USED_UP', '2'],
    ['CallerDeadlinePassed', 429, 'ThrottlingException', 'QUOTA_USED_UP', '2'],
    ['InternalServerException', 500, 'InternalServerException', 'ADMIN_SHELL_FAILED', '1'],
    ['DependencyUnavailableException', 500, 'InternalServerException', 'ADMIN_SHELL_FAILED', '1'],
    ['UnexpectedError', 500, 'InternalServerException', 'ADMIN_SHELL_FAILED', '1'],
    ['Lambda.Unknown', 500, 'InternalServerException', 'ADMIN_SHELL_FAILED', '1'],
    ['States.Timeout', 500, 'InternalServerException', 'ADMIN_SHELL_FAILED', '1'],
  ])('with %s is %i %s, %s, and may be asked again after %s s', (error, statusCode, type, code, seconds) => {
    const { reply, result } = replyOfExecution({ status: 'FAILED', error }, NOW_MS);

    expect(result).toEqual({ result: 'REFUSED', refusal: error });
    expect(reply.statusCode).toBe(statusCode);
    expect(reply.headers).toEqual({
      ...NO_STORE,
      'x-amzn-errortype': type,
      'x-reconnection-code': code,
      'retry-after': seconds,
    });
    expect(JSON.parse(reply.body)).toEqual({ Message: expect.stringContaining('Ask again') });
  });

  it('because our permission is missing is a 403 of its own, which no client repeats', () => {
    const { reply, result } = replyOfExecution(
      { status: 'FAILED', error: 'ServiceAccessDeniedException' },
      NOW_MS,
    );

    expect(result).toEqual({ result: 'REFUSED', refusal: 'ServiceAccessDeniedException' });
    expect(reply.statusCode).toBe(403);
    expect(reply.headers).toEqual({
      ...NO_STORE,
      'x-amzn-errortype': 'AccessDeniedException',
      'x-reconnection-code': 'SERVICE_ACCESS_DENIED',
    });
  });

  it('is on record with no more of its name than an event may carry', () => {
    const { result } = replyOfExecution({ status: 'FAILED', error: 'x'.repeat(300) }, NOW_MS);

    expect(result).toEqual({ result: 'REFUSED', refusal: 'x'.repeat(256) });
  });

  it('may have no error, and no status either', () => {
    expect(replyOfExecution({ status: 'TIMED_OUT' }, NOW_MS)).toMatchObject({
      result: { refusal: 'TIMED_OUT' },
      reply: { statusCode: 500 },
    });
    expect(replyOfExecution({ status: undefined }, NOW_MS)).toMatchObject({
      result: { refusal: 'NONE' },
      reply: { statusCode: 500 },
    });
  });
});
