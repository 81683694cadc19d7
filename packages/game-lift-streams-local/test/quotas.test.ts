import { ThrottlingException } from '@aws-sdk/client-gameliftstreams';
import { describe, expect, it } from 'vitest';
import { failureOf, type Harness, start } from './harness.ts';

/** How many of `calls` calls at the same moment are let through. */
async function passed(call: () => Promise<unknown>, calls: number): Promise<number> {
  const results = await Promise.allSettled(Array.from({ length: calls }, call));
  return results.filter(({ status }) => status === 'fulfilled').length;
}

async function withSession(gls: Harness): Promise<string> {
  return (await gls.control.startSession()).streamSessionId;
}

describe('the quotas', () => {
  it('let 20 calls a second pass, and answer ThrottlingException to the rest', async () => {
    // Prepare
    const gls = await start();
    const id = await withSession(gls);

    // Act
    const atOnce = await passed(() => gls.get(id), 30);
    const failure = await failureOf(gls.get(id));
    await gls.clock.advance(50);
    const after50Ms = await passed(() => gls.get(id), 3);
    await gls.clock.advance(60_000);
    const afterAMinute = await passed(() => gls.get(id), 30);

    // Assess
    expect(atOnce).toBe(20);
    expect(failure).toBeInstanceOf(ThrottlingException);
    expect(failure).toMatchObject({
      name: 'ThrottlingException',
      $metadata: { httpStatusCode: 429 },
      $retryable: { throttling: true },
    });
    expect(after50Ms).toBe(1);
    expect(afterAMinute).toBe(20);
    expect((await gls.control.counters()).GetStreamSession).toMatchObject({
      calls: 64,
      accepted: 41,
      throttled: 23,
    });
  });

  it('count each operation for itself', async () => {
    // Prepare
    const gls = await start();
    const id = await withSession(gls);

    // Act
    const gets = await passed(() => gls.get(id), 20);
    const lists = await passed(() => gls.list(), 20);

    // Assess
    expect([gets, lists]).toEqual([20, 20]);
  });

  it('let one admin shell a second pass', async () => {
    // Prepare
    const gls = await start();
    const id = await withSession(gls);

    // Act
    const atOnce = await passed(() => gls.adminShell(id), 3);
    await gls.clock.advance(999);
    const tooEarly = await passed(() => gls.adminShell(id), 1);
    await gls.clock.advance(1);
    const inTime = await passed(() => gls.adminShell(id), 1);

    // Assess
    expect([atOnce, tooEarly, inTime]).toEqual([1, 0, 1]);
  });

  it('let a call pass when its time has come, however often it was tried before', async () => {
    // Prepare
    const gls = await start();
    const id = await withSession(gls);
    await gls.adminShell(id);

    // Act
    const results: number[] = [];
    for (let tries = 1; tries <= 10; tries++) {
      await gls.clock.advance(100);
      results.push(await passed(() => gls.adminShell(id), 1));
    }

    // Assess
    expect(results).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  });

  it('can be set, turned off, and set below one a second', async () => {
    // Prepare
    const gls = await start({
      quotas: {
        GetStreamSession: 3,
        ListStreamSessions: Number.POSITIVE_INFINITY,
        CreateStreamSessionAdminShell: 0.5,
        TerminateStreamSession: 0,
      },
    });
    const id = await withSession(gls);

    // Act
    const gets = await passed(() => gls.get(id), 5);
    const lists = await passed(() => gls.list(), 50);
    const shells = await passed(() => gls.adminShell(id), 2);
    await gls.clock.advance(1_999);
    const tooEarly = await passed(() => gls.adminShell(id), 1);
    await gls.clock.advance(1);
    const inTime = await passed(() => gls.adminShell(id), 1);
    const terminations = await passed(() => gls.terminate(id), 1);

    // Assess
    expect([gets, lists, shells, tooEarly, inTime, terminations]).toEqual([3, 50, 1, 0, 1, 0]);
  });

  it('count calls that are refused, and have no effect when they throttle', async () => {
    // Prepare
    const gls = await start({ quotas: { TerminateStreamSession: 1 } });
    const id = await withSession(gls);

    // Act
    const refused = await failureOf(gls.terminate('unknown'));
    const throttled = await failureOf(gls.terminate(id));

    // Assess
    expect([refused.name, throttled.name]).toEqual(['ResourceNotFoundException', 'ThrottlingException']);
    expect((await gls.get(id)).Status).toBe('CONNECTED');
  });
});
