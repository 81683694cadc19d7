import { describe, expect, it } from 'vitest';
import { originOf } from '../../../../functions/shared/api/request.ts';
import { apiEvent } from '../../../helpers/lambda.ts';

const identified = (identity: Partial<ReturnType<typeof apiEvent>['requestContext']['identity']>) => {
  const event = apiEvent();
  const { requestContext } = event;
  return originOf({
    ...event,
    requestContext: { ...requestContext, identity: { ...requestContext.identity, ...identity } },
  });
};

describe('who sent a request', () => {
  it.each([
    [{ userArn: 'arn', caller: 'caller', accessKey: 'key' }, 'arn'],
    [{ caller: 'caller', accessKey: 'key' }, 'caller'],
    [{ accessKey: 'key' }, 'key'],
    [{}, 'unsigned'],
  ])('is told as well as API Gateway knows it: %j', (identity, name) => {
    const { accessKey = null } = { accessKey: null, ...identity };

    expect(identified(identity)).toMatchObject({
      requestId: '4f1d2c3b-5a69-4788-97a6-b5c4d3e2f101',
      caller: { name, accessKeyId: accessKey, sourceIp: '203.0.113.10' },
    });
  });
});

describe('the headers of a request', () => {
  it('have every value of a name, in whichever case it was written', () => {
    const { headers } = originOf(
      apiEvent({
        multiValueHeaders: { 'X-Reason': ['one', 'two'], 'x-reason': ['three'], 'x-none': undefined },
      }),
    );

    expect(headers).toEqual(
      new Map([
        ['x-reason', ['one', 'two', 'three']],
        ['x-none', []],
      ]),
    );
  });
});
