import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type AuditDependencies, audited } from '../../cli/windows/audit.ts';
import { run } from '../../cli/windows/run.ts';
import {
  OPERATOR_AUDIT_DETAIL_TYPE,
  operatorAuditDetailSchema,
} from '../../functions/shared/contracts/index.ts';
import { resolveEnvironment } from '../../local/service/read-service.ts';
import { mockClient } from '../helpers/mock-client.ts';
import { BUS_SETTINGS } from '../helpers/windows.ts';
import { startWorkflow } from '../helpers/workflow.ts';

const SECOND = 1000;

async function startOperator() {
  const workflow = await startWorkflow({ adapter: 'loopback' });
  const { clock, endpoints, service } = workflow;
  const { EVENT_BUS_NAME = '' } = resolveEnvironment(service, 'onStatusChange');
  const session = await workflow.session({ connectionTimeoutSeconds: 60 });
  const told: string[] = [];
  const end = (name: string, ...more: string[]) => {
    const audit = ['--bus', EVENT_BUS_NAME, '--events-endpoint', endpoints.eventBus];
    return workflow.inTime(() =>
      run(['end', name, '--api', endpoints.api, ...audit, ...more], {
        clock: {
          ...clock,
          nowMs: () => clock.nowMs(),
          sleep: (ms) => clock.sleep(ms),
          setTimer: (...of) => clock.setTimer(...of),
        },
        tell: (text) => told.push(text),
      }),
    );
  };
  const trail = async () =>
    (await workflow.events())
      .filter(({ detailType }) => detailType === OPERATOR_AUDIT_DETAIL_TYPE)
      .map(({ detail }) => operatorAuditDetailSchema.parse(detail));
  return {
    ...workflow,
    session,
    end,
    trail,
    told,
    name: `${session.streamGroupId}/${session.streamSessionId}`,
  };
}

describe('npm run windows -- end', () => {
  it('ends a waiting session with the cause OPERATOR, on record before and after', async () => {
    const { session, name, end, trail, told, clock, control, report, outcomes } = await startOperator();
    await control.clientDrops(session.streamSessionId);
    await report(session);

    const code = await end(name, '--reason', '=Incident 4711');
    await clock.advance(10 * SECOND);

    expect({ code, told: told.join('') }).toEqual({
      code: 0,
      told: `${name}: the service is ending it. If it has a window, the outcome will have the cause OPERATOR.\n`,
    });
    expect(await outcomes(session)).toMatchObject([{ outcome: 'TERMINATED', cause: 'OPERATOR' }]);
    const { streamGroupId, streamSessionId } = session;
    const act = {
      command: 'END',
      streamGroupId,
      streamSessionId,
      caller: 'local',
      reason: "'=Incident 4711",
    };
    expect(await trail()).toMatchObject([
      { ...act, result: 'REQUESTED', windows: null },
      { ...act, result: 'DONE', windows: null, failure: null },
    ]);
    expect(new Set((await trail()).map(({ commandId }) => commandId)).size).toBe(1);
  });

  it('claims no window for a session with a connected player', async () => {
    const { session, name, end, trail, clock, outcomes } = await startOperator();

    expect(await end(name)).toBe(0);
    await clock.advance(10 * SECOND);

    expect(await trail()).toMatchObject([{ result: 'REQUESTED' }, { result: 'DONE', windows: null }]);
    expect(await outcomes(session)).toEqual([]);
  });

  it('says what the service refused, and records it', async () => {
    const { end, trail, told } = await startOperator();

    const code = await end('sg-local0001/nobody');

    expect(code).toBe(1);
    expect(told.join('')).toContain('sg-local0001/nobody: not ended: ResourceNotFoundException');
    expect(await trail()).toMatchObject([
      { result: 'REQUESTED', reason: 'none given' },
      { result: 'FAILED', failure: 'ResourceNotFoundException', windows: 0 },
    ]);
  });
});

describe('an audited act', () => {
  const eventBridge = new EventBridgeClient({ region: 'us-west-2' });
  const bus = mockClient(eventBridge);
  const act = { command: 'END', streamGroupId: 'sg-1', streamSessionId: 'a', reason: 'why' } as const;
  const detailsSchema = z.object({ Entries: z.array(z.object({ Detail: z.string() })) });
  const results = () =>
    bus
      .commandCalls(PutEventsCommand)
      .map(({ args: [{ input }] }) => JSON.parse(detailsSchema.parse(input).Entries[0]?.Detail ?? '').result);
  const dependencies = (told: string[] = []): AuditDependencies => ({
    eventBridge,
    settings: BUS_SETTINGS,
    clock: { nowMs: () => 0, sleep: async () => {}, setTimer: () => () => {} },
    callerOf: async () => 'arn:aws:iam::111122223333:user/operator',
    tellLine: (line) => told.push(line),
  });

  it('is not done when it cannot be recorded first', async () => {
    bus.reset();
    bus.on(PutEventsCommand).resolves({ FailedEntryCount: 1 });
    let isDone = false;

    const acting = audited(act, dependencies(), async () => {
      isDone = true;
      return { windows: 1 };
    });

    await expect(acting).rejects.toMatchObject({ name: 'DependencyUnavailableException' });
    expect(isDone).toBe(false);
  });

  it('is told as done when only the record of its result is not taken', async () => {
    bus.reset();
    bus.on(PutEventsCommand).resolvesOnce({ FailedEntryCount: 0 }).resolves({ FailedEntryCount: 1 });
    const told: string[] = [];

    expect(await audited(act, dependencies(told), async () => ({ windows: 1 }))).toEqual({ windows: 1 });

    expect(told).toEqual(['The audit record of the result was not taken: DONE.']);
  });

  it('is recorded as failed when it throws', async () => {
    bus.reset();
    bus.on(PutEventsCommand).resolves({ FailedEntryCount: 0 });

    const acting = audited(act, dependencies(), () => Promise.reject(new TypeError('x')));

    await expect(acting).rejects.toThrow(TypeError);
    expect(results()).toEqual(['REQUESTED', 'FAILED']);
  });
});
