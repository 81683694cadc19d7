import { StartExecutionCommand, StartSyncExecutionCommand } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { defaultStartQuotas } from '../src/api/start-quota.ts';
import { type Endpoint, machine, pass, wait } from '../src/testing/index.ts';
import { startEndpoint } from './harness.ts';

const tight = { standard: { bucket: 3, perSecond: 2 } };

/** @returns the names of the errors, and `started` for a start that was taken. */
async function startMany({ start }: Endpoint, stateMachineArn: string, count: number): Promise<string[]> {
  const results: string[] = [];
  for (let index = 0; index < count; index++) {
    results.push(
      await start(stateMachineArn).then(
        () => 'started',
        (error: Error) => error.name,
      ),
    );
  }
  return results;
}

describe('the quota of StartExecution', () => {
  it('lets a full bucket through and throttles what comes after it', async () => {
    const endpoint = await startEndpoint({}, () => 0.5, { startQuotas: tight });
    const arn = await endpoint.create(machine({ A: wait() }));

    expect(await startMany(endpoint, arn, 5)).toEqual([
      ...Array(3).fill('started'),
      ...Array(2).fill('ThrottlingException'),
    ]);
  });

  it('refills by its rate, and never above its bucket', async () => {
    const endpoint = await startEndpoint({}, () => 0.5, { startQuotas: tight });
    const arn = await endpoint.create(machine({ A: wait() }));
    await startMany(endpoint, arn, 3);

    await endpoint.clock.advance(500);
    expect(await startMany(endpoint, arn, 2)).toEqual(['started', 'ThrottlingException']);
    await endpoint.clock.advance(60_000);
    expect((await startMany(endpoint, arn, 4)).at(-1)).toBe('ThrottlingException');
  });

  it('is shared by all Standard machines, and a repeated start takes a token too', async () => {
    const endpoint = await startEndpoint({}, () => 0.5, { startQuotas: tight });
    const one = await endpoint.create(machine({ A: wait() }));
    const other = await endpoint.create(machine({ A: wait() }));
    await endpoint.start(one, {}, 'e');
    await endpoint.start(one, {}, 'e');
    await endpoint.start(other);

    await expect(endpoint.start(other)).rejects.toMatchObject({ name: 'ThrottlingException' });
  });

  it('is answered with 400 and "Rate exceeded", which the SDK knows for throttling', async () => {
    const { create, client } = await startEndpoint({}, () => 0.5, {
      startQuotas: { standard: { bucket: 0, perSecond: 0 } },
    });
    const stateMachineArn = await create(machine({ A: wait() }));

    await expect(client.send(new StartExecutionCommand({ stateMachineArn }))).rejects.toMatchObject({
      name: 'ThrottlingException',
      message: 'Rate exceeded',
      $metadata: { httpStatusCode: 400 },
    });
  });

  it('leaves synchronous executions of Express machines alone', async () => {
    const { create, client } = await startEndpoint({}, () => 0.5, {
      startQuotas: { standard: { bucket: 0, perSecond: 0 }, express: { bucket: 0, perSecond: 0 } },
    });
    const stateMachineArn = await create(machine({ A: pass({ End: true }) }), { type: 'EXPRESS' });

    const reply = await client.send(new StartSyncExecutionCommand({ stateMachineArn }));

    expect(reply.status).toBe('SUCCEEDED');
    await expect(client.send(new StartExecutionCommand({ stateMachineArn }))).rejects.toMatchObject({
      name: 'ThrottlingException',
    });
  });

  it.each([
    ['us-west-2', 1_300, 300],
    ['eu-central-1', 800, 150],
  ])('is by default, in %s, %i requests and %i a second', (region, bucket, perSecond) => {
    expect(defaultStartQuotas(region).standard).toEqual({ bucket, perSecond });
  });
});
