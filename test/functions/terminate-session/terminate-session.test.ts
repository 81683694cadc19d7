import { GameLiftStreamsClient, TerminateStreamSessionCommand } from '@aws-sdk/client-gameliftstreams';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SwitchState } from '../../../functions/shared/table/switch.ts';
import { terminateSession } from '../../../functions/terminate-session/terminate-session.ts';
import { bookPermits } from '../../helpers/permits.ts';
import { serviceDependencies } from '../../helpers/service-dependencies.ts';
import { serviceErrors } from '../../helpers/service-errors.ts';
import { newSession } from '../../helpers/sessions.ts';
import { useTable } from '../../helpers/table.ts';

const table = useTable();
const service = mockClient(GameLiftStreamsClient);

beforeEach(() => {
  service.reset();
});

function prepare(switchState: SwitchState = 'on') {
  const dependencies = {
    ...serviceDependencies(table()),
    readSwitch: async () => switchState,
    settings: { TERMINATIONS_PER_SECOND: 20 },
  };
  const session = newSession();
  const input = { ...session, executionName: `${session.streamSessionId}-1` };
  const { clock } = dependencies;
  const terminate = () => clock.track(() => terminateSession(input, dependencies));
  return { ...dependencies, dependencies, session, terminate };
}

describe('an overdue session', () => {
  it('is terminated by one call, and the reply goes nowhere', async () => {
    const { terminate, session, log, metrics } = prepare();
    service.on(TerminateStreamSessionCommand).resolves({});

    expect(await terminate()).toBeUndefined();

    expect(service.commandCalls(TerminateStreamSessionCommand).map(({ args: [{ input }] }) => input)).toEqual(
      [{ Identifier: session.streamGroupId, StreamSessionIdentifier: session.streamSessionId }],
    );
    expect(service.calls()).toHaveLength(1);
    expect(log.lines).toEqual([{ event: 'SessionTerminated', fields: {} }]);
    expect(metrics.values).toContainEqual({ name: 'AbandonedSessionsEnded', value: 1 });
  });

  it.each(['resourceNotFound', 'validation', 'conflict'] as const)(
    'that is gone or has moved on is no failure, and is not said to be terminated: %s',
    async (error) => {
      const { terminate, log } = prepare();
      service.on(TerminateStreamSessionCommand).rejects(serviceErrors[error]());

      expect(await terminate()).toBeUndefined();

      expect(log.lines).toEqual([]);
    },
  );

  it.each([
    ['throttling', 'ThrottlingException'],
    ['throttlingAs400', 'ThrottlingException'],
    ['internalServer', 'InternalServerException'],
    ['connectionReset', 'InternalServerException'],
    ['accessDenied', 'UnexpectedError'],
  ] as const)('is left to the retry, or to nobody, when the call fails: %s', async (error, name) => {
    const { terminate, log } = prepare();
    service.on(TerminateStreamSessionCommand).rejects(serviceErrors[error]());

    await expect(terminate()).rejects.toMatchObject({ name });

    expect(log.lines.map(({ event }) => event)).not.toContain('SessionTerminated');
  });

  it('is given up after five seconds', async () => {
    const { terminate, clock } = prepare();
    service.on(TerminateStreamSessionCommand).callsFake(() => clock.sleep(5000));

    const termination = terminate();
    await clock.advance(5000);
    await termination;

    const [call] = service.commandCalls(TerminateStreamSessionCommand);
    expect(call?.args.at(1)).toMatchObject({ abortSignal: { aborted: true } });
  });

  it.each(['passThrough', 'refuse'] as const)(
    'is left to the service while ours is switched off: %s',
    async (state) => {
      const { terminate, log } = prepare(state);

      expect(await terminate()).toBeUndefined();

      expect(service.calls()).toEqual([]);
      expect(log.lines).toEqual([{ event: 'TerminationLeftOut', fields: { switch: state } }]);
    },
  );

  it('waits for its turn in the quota of the terminations', async () => {
    const { terminate, clock, dependencies } = prepare();
    service.on(TerminateStreamSessionCommand).resolves({});
    const quota = { operation: 'TerminateStreamSession', perSecond: 20 } as const;
    await bookPermits(dependencies.table, quota, clock.nowMs() + 1000);

    const termination = terminate();
    await clock.advance(999);
    expect(service.calls()).toHaveLength(0);
    await clock.advance(1);
    await termination;

    expect(service.calls()).toHaveLength(1);
  });
});
