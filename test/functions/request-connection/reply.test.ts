import { describe, expect, it } from 'vitest';
import { replyOfTurn, replyOfExecution as replyWith } from '../../../functions/request-connection/reply.ts';

const replyOfExecution = (execution: Parameters<typeof replyWith>[0]) => replyWith(execution, () => 0.25);
const succeeded = (output: object) =>
  replyOfExecution({ status: 'SUCCEEDED', output: JSON.stringify(output) });
const bodyOf = ({ reply }: ReturnType<typeof replyOfExecution>): unknown => JSON.parse(reply.body);
const headersOf = ({ reply }: ReturnType<typeof replyOfExecution>) => reply.headers ?? {};

describe('an execution that succeeds', () => {
  it('with a connection is answered as the service answers, with nothing of the execution', () => {
    const answer = succeeded({
      result: 'CONNECTION_CREATED',
      signalResponse: '{"type":"answer"}',
      connectionCreatedAtMs: 1,
      connectionAttempts: 2,
    });

    expect(answer).toEqual({
      result: 'CONNECTION_CREATED',
      reply: {
        statusCode: 200,
        headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
        body: '{"SignalResponse":"{\\"type\\":\\"answer\\"}"}',
      },
    });
  });

  it.each<[{ readonly result: string; readonly [member: string]: unknown }, number, string, string, object]>([
    [
      { result: 'NOT_FOUND' },
      404,
      'ResourceNotFoundException',
      'SESSION_NOT_FOUND',
      { Message: 'The stream group or the stream session does not exist.' },
    ],
    [
      { result: 'OFFER_REJECTED' },
      400,
      'ValidationException',
      'OFFER_REJECTED',
      { Message: 'SignalRequest was refused by Amazon GameLift Streams. Make a new offer and ask again.' },
    ],
    [
      { result: 'ALREADY_CONNECTED' },
      409,
      'ConflictException',
      'SOMEBODY_CONNECTED',
      { Message: 'The stream session has a connected client.' },
    ],
    [
      { result: 'SUPERSEDED' },
      409,
      'ConflictException',
      'NEWER_OFFER',
      {
        Message:
          "A newer offer for the stream session has taken the place of this one. If it was not the same player's, make a new offer and send it with a new ClientToken.",
      },
    ],
    [
      { result: 'SESSION_ENDED', outcome: 'TERMINATED', statusReason: 'reconnectionTimeout' },
      409,
      'ConflictException',
      'SESSION_ENDED',
      {
        Message: 'The stream session has ended. Start a new one.',
        Outcome: 'TERMINATED',
        StatusReason: 'reconnectionTimeout',
      },
    ],
    [
      {
        result: 'SESSION_ENDED',
        outcome: 'TERMINATED',
        statusReason: 'applicationExit',
        cause: 'APPLICATION',
      },
      409,
      'ConflictException',
      'SESSION_ENDED',
      {
        Message: 'The stream session has ended. Start a new one.',
        Outcome: 'TERMINATED',
        Cause: 'APPLICATION',
        StatusReason: 'applicationExit',
      },
    ],
    [
      { result: 'SESSION_ENDED', outcome: 'ERRORED', statusReason: null },
      409,
      'ConflictException',
      'SESSION_ENDED',
      { Message: 'The stream session has ended. Start a new one.', Outcome: 'ERRORED' },
    ],
    [
      { result: 'NOT_RECONNECTABLE', status: 'ACTIVATING' },
      409,
      'ConflictException',
      'NOT_RECONNECTABLE',
      { Message: 'The stream session is in a status that nobody can reconnect to.' },
    ],
  ])('with %j is a refusal for good: nobody is told to come back', (output, statusCode, type, code, body) => {
    const answer = succeeded(output);

    expect(answer.result).toBe(output.result);
    expect(answer.reply.statusCode).toBe(statusCode);
    expect(headersOf(answer)).toEqual({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-amzn-errortype': type,
      'x-reconnection-code': code,
    });
    expect(bodyOf(answer)).toEqual(body);
  });

  it.each([
    [true, '1'],
    [false, '3'],
  ])('with a loss that is not noticed may be asked again: could be held, %s', (canWait, seconds) => {
    const answer = succeeded({ result: 'LOSS_NOT_NOTICED', canWait });

    expect(answer.reply.statusCode).toBe(409);
    expect(headersOf(answer)).toMatchObject({
      'x-amzn-errortype': 'ConflictException',
      'x-reconnection-code': 'LOSS_NOT_NOTICED',
      'retry-after': seconds,
    });
  });

  it.each<[string, string | undefined]>([
    ['no output', undefined],
    ['an output that is no JSON', 'an-answer-SECRET'],
    ['a result that nobody knows', '{"result":"DEADLINE_PASSED","signalResponse":"an-answer-SECRET"}'],
    ['a connection without an answer', '{"result":"CONNECTION_CREATED"}'],
  ])('with %s is a bug, and thrown', (_, output) => {
    expect(() => replyOfExecution({ status: 'SUCCEEDED', output })).toThrow();
  });
});

describe('an execution that fails', () => {
  it.each<[string, number, string, string, string]>([
    ['ThrottlingException', 429, 'ThrottlingException', 'QUOTA_USED_UP', '2'],
    ['PermitNotAvailableException', 429, 'ThrottlingException', 'QUOTA_USED_UP', '2'],
    ['CallerDeadlinePassed', 429, 'ThrottlingException', 'QUOTA_USED_UP', '2'],
    ['ConflictException', 409, 'ConflictException', 'SESSION_BUSY', '2'],
    ['InternalServerException', 500, 'InternalServerException', 'RECONNECTION_FAILED', '1'],
    ['DependencyUnavailableException', 500, 'InternalServerException', 'RECONNECTION_FAILED', '1'],
    ['UnexpectedError', 500, 'InternalServerException', 'RECONNECTION_FAILED', '1'],
    ['InvalidTaskInputError', 500, 'InternalServerException', 'RECONNECTION_FAILED', '1'],
    ['Lambda.Unknown', 500, 'InternalServerException', 'RECONNECTION_FAILED', '1'],
    ['States.Timeout', 500, 'InternalServerException', 'RECONNECTION_FAILED', '1'],
  ])('with %s is %i %s, %s, and may be asked again after %s s', (error, statusCode, type, code, seconds) => {
    const answer = replyOfExecution({ status: 'FAILED', error });

    expect(answer.result).toBe(error);
    expect(answer.reply.statusCode).toBe(statusCode);
    expect(headersOf(answer)).toEqual({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-amzn-errortype': type,
      'x-reconnection-code': code,
      'retry-after': seconds,
    });
    expect(bodyOf(answer)).toEqual({ Message: expect.stringContaining('Ask again') });
  });

  it('because an earlier answer is lost is a 409 that asks for a new offer, and not for a repeat', () => {
    const answer = replyOfExecution({ status: 'FAILED', error: 'SessionAnsweredException' });

    expect(answer.reply.statusCode).toBe(409);
    expect(headersOf(answer)).toMatchObject({ 'x-reconnection-code': 'NEW_OFFER_NEEDED' });
    expect(headersOf(answer)).not.toHaveProperty('retry-after');
  });

  it('because our permission is missing is a 403 of its own, which no client repeats', () => {
    const answer = replyOfExecution({ status: 'FAILED', error: 'ServiceAccessDeniedException' });

    expect(answer.result).toBe('ServiceAccessDeniedException');
    expect(answer.reply.statusCode).toBe(403);
    expect(headersOf(answer)).toEqual({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-amzn-errortype': 'AccessDeniedException',
      'x-reconnection-code': 'SERVICE_ACCESS_DENIED',
    });
  });

  it('says nothing of what it ended with but which kind it is', () => {
    const answer = replyOfExecution({ status: 'FAILED', error: 'Odd.SECRET', output: '{"a":"SECRET"}' });

    expect(JSON.stringify(answer.reply)).not.toContain('SECRET');
  });

  it.each(['FAILED', 'TIMED_OUT'] as const)('may have no error: %s', (status) => {
    expect(replyOfExecution({ status })).toMatchObject({ result: status, reply: { statusCode: 500 } });
  });

  it('may have no status either', () => {
    expect(replyOfExecution({ status: undefined })).toMatchObject({
      result: 'NONE',
      reply: { statusCode: 500 },
    });
  });
});

describe('a turn that is not now', () => {
  it.each(['LATER', 'NOT_IN_TIME'] as const)('is a 429 that says when to come back: %s', (kind) => {
    const answer = replyOfTurn({ kind, retryAfterSeconds: 7 });

    expect(answer).toMatchObject({ result: kind, reply: { statusCode: 429 } });
    expect(headersOf(answer)).toMatchObject({
      'x-amzn-errortype': 'ThrottlingException',
      'x-reconnection-code': kind === 'LATER' ? 'TURN_LATER' : 'NOT_IN_TIME',
      'retry-after': '7',
    });
    expect(bodyOf(answer)).toMatchObject({
      Message: expect.stringMatching(
        kind === 'LATER' ? /place in line is kept: ask again/ : /No reconnection is left .* Ask again/,
      ),
    });
  });

  it('because a newer offer has come is a 409 that is not worth a repeat', () => {
    const answer = replyOfTurn({ kind: 'SUPERSEDED' });

    expect(answer).toMatchObject({ result: 'SUPERSEDED', reply: { statusCode: 409 } });
    expect(headersOf(answer)).not.toHaveProperty('retry-after');
  });
});
