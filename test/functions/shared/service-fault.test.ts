import {
  ConditionalCheckFailedException,
  DynamoDBServiceException,
  InternalServerError,
  ProvisionedThroughputExceededException,
  RequestLimitExceeded,
  ResourceNotFoundException,
} from '@aws-sdk/client-dynamodb';
import { EventBridgeServiceException } from '@aws-sdk/client-eventbridge';
import { ExecutionLimitExceeded, InvalidName, SFNServiceException, TaskTimedOut } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { WindowNotOpenError } from '../../../functions/shared/runtime/errors.ts';
import { attempt, callDependency, serviceFault } from '../../../functions/shared/runtime/service-fault.ts';
import { serviceErrors } from '../../helpers/service-errors.ts';

const answered = (httpStatusCode: number) => ({ message: 'message', $metadata: { httpStatusCode } });

describe('what Amazon GameLift Streams answers', () => {
  it.each<[keyof typeof serviceErrors, string]>([
    ['throttling', 'THROTTLED'],
    ['throttlingAs400', 'THROTTLED'],
    ['unnamed429', 'THROTTLED'],
    ['conflict', 'CONFLICT'],
    ['validation', 'INVALID'],
    ['resourceNotFound', 'NOT_FOUND'],
    ['internalServer', 'UNAVAILABLE'],
    ['unnamed503', 'UNAVAILABLE'],
    ['connectionReset', 'UNAVAILABLE'],
    ['invalidSignature', 'UNAVAILABLE'],
    ['signatureDoesNotMatch', 'UNAVAILABLE'],
    ['requestExpired', 'UNAVAILABLE'],
    ['requestInTheFuture', 'UNAVAILABLE'],
    ['requestTimeTooSkewed', 'UNAVAILABLE'],
    ['requestTimeout', 'UNAVAILABLE'],
    ['expiredToken', 'UNAVAILABLE'],
    ['unnamed408', 'UNAVAILABLE'],
    ['accessDenied', 'DENIED'],
    ['serviceQuotaExceeded', 'OTHER'],
  ])('means, by its class: %s is %s', (error, fault) => {
    expect(serviceFault(serviceErrors[error]())).toBe(fault);
  });

  it('means a lost call when the wait for it was given up', () => {
    for (const name of ['AbortError', 'TimeoutError']) {
      expect(serviceFault(Object.assign(new Error('message'), { name }))).toBe('UNAVAILABLE');
    }
  });

  it.each([undefined, null, 'text', {}])('means nothing that is known when it is no error: %j', (thrown) => {
    expect(serviceFault(thrown)).toBe('OTHER');
  });

  it('is not looked up among what every object has', () => {
    const error = Object.assign(new Error('message'), {
      name: 'constructor',
      $metadata: { httpStatusCode: 400 },
    });

    expect(serviceFault(error)).toBe('OTHER');
  });
});

describe('a failure of the table, Step Functions or the bus', () => {
  const failing = (error: unknown) => callDependency(() => Promise.reject(error));

  it.each([
    new InternalServerError(answered(500)),
    new ProvisionedThroughputExceededException(answered(400)),
    new RequestLimitExceeded(answered(400)),
    new ExecutionLimitExceeded(answered(400)),
    new EventBridgeServiceException({ name: 'ThrottlingException', $fault: 'client', ...answered(400) }),
    new EventBridgeServiceException({ name: 'TooManyRequestsException', $fault: 'client', ...answered(400) }),
    Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }),
    Object.assign(new Error('timeout'), { name: 'TimeoutError' }),
    Object.assign(new Error('nameless'), { $metadata: { httpStatusCode: 429 } }),
    new DynamoDBServiceException({ name: 'InvalidSignatureException', $fault: 'client', ...answered(400) }),
    new SFNServiceException({ name: 'ExpiredTokenException', $fault: 'client', ...answered(400) }),
    new EventBridgeServiceException({ name: 'RequestExpired', $fault: 'client', ...answered(400) }),
  ])('may be over at the next attempt: %s', async (error) => {
    await expect(failing(error)).rejects.toMatchObject({
      name: 'DependencyUnavailableException',
      cause: error,
    });
  });

  it.each([
    new ResourceNotFoundException(answered(400)),
    new InvalidName(answered(400)),
    new ConditionalCheckFailedException(answered(400)),
    new EventBridgeServiceException({ name: 'AccessDeniedException', $fault: 'client', ...answered(400) }),
    'text',
    undefined,
  ])('will be there at every attempt: %s', async (error) => {
    await expect(failing(error)).rejects.toMatchObject({ name: 'UnexpectedError', cause: error });
  });

  it('is a value to a caller who names it', async () => {
    const refused = () => Promise.reject(new TaskTimedOut(answered(400)));

    expect(await attempt(refused, 'TaskDoesNotExist', 'TaskTimedOut')).toEqual({
      ok: false,
      refusal: 'TaskTimedOut',
    });
    expect(await attempt(async () => 'reply', 'TaskTimedOut')).toEqual({ ok: true, result: 'reply' });
  });

  it('is thrown as what it means to a caller who names another', async () => {
    const error = new TaskTimedOut(answered(400));

    await expect(attempt(() => Promise.reject(error), 'TaskDoesNotExist')).rejects.toMatchObject({
      name: 'UnexpectedError',
      cause: error,
    });
  });

  it('is not wrapped again when it is known', async () => {
    const error = new WindowNotOpenError();

    await expect(failing(error)).rejects.toBe(error);
  });

  it('is none when the call works', async () => {
    expect(await callDependency(async () => 'reply')).toBe('reply');
  });
});
