import { GameLiftStreamsClient } from '@aws-sdk/client-gameliftstreams';
import { VirtualClock } from 'local-server-kit';
import { describe, expect, it } from 'vitest';
import { passThrough } from '../../../../functions/shared/api/pass-through.ts';
import { memoryLog } from '../../../helpers/log.ts';
import { memoryMetrics } from '../../../helpers/metrics.ts';
import { QUOTED_INPUT, serviceErrors } from '../../../helpers/service-errors.ts';

async function refused(error: unknown) {
  const log = memoryLog();
  const gameLiftStreams = new GameLiftStreamsClient({ region: 'us-west-2' });
  const metrics = memoryMetrics();
  const call = { operation: 'GetStreamSession', send: () => Promise.reject(error) } as const;
  const passed = await passThrough(call, { gameLiftStreams, clock: new VirtualClock(), log, metrics });
  if (passed.ok) throw new Error('The call was taken.');
  return { ...passed, log, metrics };
}

describe('a call that the service refuses', () => {
  it('has its name and words of ours', async () => {
    const { error, reply, log } = await refused(serviceErrors.throttling());

    expect(error).toBe('ThrottlingException');
    expect(reply).toEqual({
      statusCode: 429,
      headers: {
        'content-type': 'application/json',
        'cache-control': 'no-store',
        'x-amzn-errortype': 'ThrottlingException',
        'x-reconnection-code': 'PASSED_THROUGH',
      },
      body: '{"Message":"Amazon GameLift Streams answered the call with this error; nothing was retried."}',
    });
    expect(log.lines).toEqual([]);
  });

  it.each([
    ['7', '7'],
    ['3600', '3600'],
    ['12345', undefined],
    ['7 s', undefined],
    ['after 7', undefined],
    ['soon', undefined],
    ['', undefined],
  ])('says when to come back where the service has, in seconds: %j', async (header, expected) => {
    const $response = { statusCode: 429, headers: { 'retry-after': header } };

    const { reply } = await refused(Object.assign(serviceErrors.throttling(), { $response }));

    expect(reply.headers?.['retry-after']).toBe(expected);
  });
});

describe('a call without an answer of the service', () => {
  it.each([
    ['internalServer', 0],
    ['connectionReset', 0],
    ['serviceQuotaExceeded', 1],
  ] as const)(
    'is a 500 that may be repeated, for somebody to look at where no repeat helps: %s',
    async (fault, lines) => {
      const { reply, log } = await refused(serviceErrors[fault]());

      expect(reply).toMatchObject({
        statusCode: 500,
        headers: { 'x-amzn-errortype': 'InternalServerException', 'retry-after': '1' },
        body: '{"Message":"Amazon GameLift Streams gave no answer. Ask again with the same request."}',
      });
      expect(log.lines.filter(({ event }) => event === 'RequestFailed')).toHaveLength(lines);
      expect(JSON.stringify([reply, log.lines])).not.toContain(QUOTED_INPUT);
    },
  );

  it('is a 403 of its own where our permission is missing, and counted', async () => {
    const { error, reply, log, metrics } = await refused(serviceErrors.accessDenied());

    expect(error).toBe('ServiceAccessDeniedException');
    expect(reply.statusCode).toBe(403);
    expect(reply.headers).toMatchObject({ 'x-reconnection-code': 'SERVICE_ACCESS_DENIED' });
    expect(reply.headers).not.toHaveProperty('retry-after');
    expect(log.lines).toEqual([
      { event: 'CallDenied', fields: expect.objectContaining({ operation: 'GetStreamSession' }) },
    ]);
    expect(metrics.values).toEqual([{ name: 'CallsDenied', value: 1, operation: 'GetStreamSession' }]);
    expect(JSON.stringify([reply, log.lines])).not.toContain(QUOTED_INPUT);
  });

  it('may have no error either', async () => {
    expect(await refused('text')).toMatchObject({ error: 'string', reply: { statusCode: 500 } });
  });
});
