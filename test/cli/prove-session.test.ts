import {
  CreateStreamSessionConnectionCommand,
  GameLiftStreamsClient,
  ListStreamSessionsCommand,
  StartStreamSessionCommand,
} from '@aws-sdk/client-gameliftstreams';
import {
  anOffer,
  GameLiftStreamsControl,
  type NewFault,
  startGameLiftStreams,
} from 'game-lift-streams-local';
import { LOCAL_CREDENTIALS, seededRandom, VirtualClock } from 'local-server-kit';
import { afterEach, describe, expect, it } from 'vitest';
import type { Account } from '../../cli/prove/account.ts';
import { checkSession, type SessionPlan } from '../../cli/prove/checks/session.ts';
import { anAccount, awsError, files } from './prove-account.ts';

const started: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.close()));
});

/** The GameLift Streams stand-in, and an account whose waits move its clock. */
async function aStreamGroup() {
  const clock = new VirtualClock();
  const server = await startGameLiftStreams({ port: 0, clock, random: seededRandom(), connectionMs: 0 });
  started.push(server);
  const client = new GameLiftStreamsClient({
    endpoint: server.url,
    region: 'us-west-2',
    credentials: LOCAL_CREDENTIALS,
    maxAttempts: 1,
  });
  const { surroundings } = anAccount();
  const account: Account = {
    ...surroundings,
    aws: { ...surroundings.clientsOf('us-west-2'), gameLiftStreams: client },
    region: 'us-west-2',
    stage: 'prod',
    stackName: 'stack',
    files: files(),
    nowMs: () => clock.nowMs(),
    sleep: (ms) => clock.advance(ms),
    pause: (ms) => clock.advance(ms),
  };
  const plan: SessionPlan = { streamGroup: 'sg-local0001', application: 'a-local0001', offer: anOffer() };
  const control = new GameLiftStreamsControl(server.url);
  return { account, plan, client, clock, control, prove: () => checkSession(account, plan) };
}

async function startAsAnotherRun({ client, plan }: Awaited<ReturnType<typeof aStreamGroup>>): Promise<void> {
  await client.send(
    new StartStreamSessionCommand({
      Identifier: plan.streamGroup,
      ApplicationIdentifier: plan.application,
      Protocol: 'WebRTC',
      SignalRequest: 'NO_CLIENT_CONNECTION',
      UserId: 'npm-run-prove-1',
      ConnectionTimeoutSeconds: 3600,
    }),
  );
}

async function liveSessions(control: GameLiftStreamsControl): Promise<string[]> {
  const sessions = await control.sessions();
  return sessions
    .filter(({ status }) => !['TERMINATED', 'ERROR'].includes(status))
    .map(({ streamSessionId }) => streamSessionId);
}

const told = (findings: Awaited<ReturnType<typeof checkSession>>) =>
  findings.map(({ verdict, found }) => `${verdict} ${found}`);

describe('npm run prove with a session', () => {
  it('settles each question that needs no client, on the stand-in', async () => {
    const { prove } = await aStreamGroup();

    expect(told(await prove())).toEqual([
      'HOLDS wrong-status-connection: in ACTIVATING a connection is ConflictException (409).',
      'HOLDS connection-duration: a connection took 0.0 s.',
      'HOLDS answer-shape: the answer has type, sdp and webSdkProtocolUrl.',
      'HOLDS client-token-repeat: a repeat returns the first answer.',
      'HOLDS client-token-reuse: a ClientToken with another offer is ConflictException (409).',
      'HOLDS last-updated-at: GetStreamSession and ListStreamSessions have the same time.',
      'HOLDS timestamp-resolution: LastUpdatedAt is in whole seconds.',
      'HOLDS end-after-deadline: the session ended about 0 s after its timeout of 30 s.',
      'HOLDS second-window: a missed second window ends as TERMINATED, connectionTimeout; its cause is TIMED_OUT.',
      'HOLDS wrong-status-connection: in TERMINATED a connection is ConflictException (409).',
      'HOLDS terminate-again: terminating a session that has ended is accepted.',
      'HOLDS malformed-offer: a malformed offer is refused with ValidationException (400), and the session is ERROR, invalidSignalRequest.',
      'HOLDS terminating-length: TERMINATING lasted about 1 s.',
    ]);
  });

  it.each([
    [
      { wrongStatusConnectionHttpStatus: 400 },
      'HOLDS wrong-status-connection: in ACTIVATING a connection is ValidationException (400).',
    ],
    [{ repeatedClientToken: 'conflict' }, 'HOLDS client-token-repeat: a repeat is ConflictException (409).'],
    [
      { overstayMs: 20_000 },
      'HOLDS end-after-deadline: the session ended about 20 s after its timeout of 30 s.',
    ],
    [
      { overstayMs: 600_000 },
      'DIFFERS end-after-deadline: the session was not ended 3 min after its timeout.',
    ],
    [
      { statusReason: { kind: 'text', text: 'somethingNew' } },
      'DIFFERS second-window: a missed second window ends as TERMINATED, somethingNew; its cause is UNKNOWN, and not TIMED_OUT.',
    ],
  ] as const)('finds what the service does with %j', async (settings, line) => {
    const { control, prove } = await aStreamGroup();
    await control.changeSettings(settings);

    const lines = told(await prove());

    expect(lines.some((one) => one.startsWith(line))).toBe(true);
  });

  it.each([
    ['one that holds', async () => {}],
    [
      'one that fails half way',
      (group: Awaited<ReturnType<typeof aStreamGroup>>) =>
        group.control.injectFault({ operation: 'GetStreamSession', kind: 'accessDenied' }),
    ],
  ] as const)('leaves no session after %s', async (_what, prepare) => {
    const group = await aStreamGroup();
    await prepare(group);

    await group.prove();
    await group.clock.advance(10_000);

    expect(await liveSessions(group.control)).toEqual([]);
  });

  it('keeps what it has found when a permission is missing half way', async () => {
    const group = await aStreamGroup();
    const denied: NewFault = { operation: 'CreateStreamSessionConnection', kind: 'accessDenied' };
    let waits = 0;
    const sleep = async (ms: number) => {
      await group.clock.advance(ms);
      if (++waits === 20) await group.control.injectFault(denied);
    };

    const findings = await checkSession({ ...group.account, sleep }, group.plan);

    const lines = told(findings);
    expect(lines.filter((line) => line.startsWith('HOLDS client-token-repeat'))).toHaveLength(1);
    expect(lines.at(-1)).toBe('COULD_NOT_ASK a probe of a stream session: not allowed');
  });

  it('ends its session when it is interrupted while the session starts', async () => {
    const group = await aStreamGroup();
    const account = { ...group.account, sleep: () => Promise.reject(awsError('AbortError')) };

    const findings = await checkSession(account, group.plan);
    await group.clock.advance(10_000);

    expect(told(findings)).toContain('COULD_NOT_ASK a probe of a stream session: interrupted');
    expect(await liveSessions(group.control)).toEqual([]);
  });

  it('ends a session that the list does not have yet', async () => {
    const group = await aStreamGroup();
    group.client.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          const result = await next(args);
          if (commandName === 'ListStreamSessionsCommand') Object.assign(result.output, { Items: [] });
          return result;
        },
      { step: 'initialize' },
    );
    const account = { ...group.account, sleep: () => Promise.reject(awsError('AbortError')) };

    await checkSession(account, group.plan);
    await group.clock.advance(10_000);

    expect(await liveSessions(group.control)).toEqual([]);
  });

  it('does not take a session that ended before its time for one that was ended after it', async () => {
    const group = await aStreamGroup();
    let waits = 0;
    const sleep = async (ms: number) => {
      await group.clock.advance(ms);
      if (++waits === 10) await group.control.sessionFails(await liveSessions(group.control));
    };

    const lines = told(await checkSession({ ...group.account, sleep }, group.plan));

    expect(lines.filter((line) => line.includes('end-after-deadline'))).toEqual([
      expect.stringMatching(/^DIFFERS .* s after it was ACTIVE, before its timeout of 30 s\.$/),
    ]);
  });

  it('ends the session of a run that was killed, says so, and leaves those of players', async () => {
    const group = await aStreamGroup();
    const { control, clock, prove } = group;
    const player = await control.startSession({ userId: 'player-1', connectionTimeoutSeconds: 3600 });
    await startAsAnotherRun(group);
    await clock.advance(16 * 60_000);

    const lines = told(await prove());
    await clock.advance(10_000);

    expect(lines[0]).toMatch(/^HOLDS An earlier run had left the session \w+; it is ended\.$/);
    expect(await liveSessions(control)).toEqual([player.streamSessionId]);
  });

  it('leaves the session of a run that goes on beside it', async () => {
    const group = await aStreamGroup();
    await startAsAnotherRun(group);

    const lines = told(await group.prove());

    expect(lines.filter((line) => line.includes('An earlier run'))).toEqual([]);
    expect(await liveSessions(group.control)).toHaveLength(1);
  });

  it('shows neither an offer nor an answer', async () => {
    const { prove, plan, control } = await aStreamGroup();

    const text = JSON.stringify(await prove());

    expect(text).not.toContain('ice-ufrag');
    expect(text).not.toContain('webSdkProtocolUrl":');
    expect(text).not.toContain(plan.offer.slice(0, 40));
    expect((await control.sessions()).length).toBe(3);
  });
});

it('starts no session without --yes, and says what it would do', async () => {
  const account = anAccount();
  const flags = { 'stream-group': 'sg-1AB2C3De4', application: 'a-1' };

  const { lines } = await account.run(flags, { readFiles: async () => ({ ...files(), offer: anOffer() }) });

  expect(lines.join('\n')).toContain('It would start three sessions in sg-1AB2C3De4');
  expect(account.mocks.gameLiftStreams.commandCalls(StartStreamSessionCommand)).toEqual([]);
});

it('says what to do when no session can be started, and the rest goes on', async () => {
  const account = anAccount();
  account.mocks.gameLiftStreams
    .on(StartStreamSessionCommand)
    .rejects(awsError('ServiceQuotaExceededException'))
    .on(ListStreamSessionsCommand)
    .resolves({ Items: [] });

  const { code, lines } = await account.run(
    { 'stream-group': 'sg-1AB2C3De4', application: 'a-1', yes: true },
    { readFiles: async () => ({ ...files(), offer: anOffer() }) },
  );

  expect(lines.join('\n')).toContain(
    'SKIPPED       session: A session cannot be started: ServiceQuotaExceededException. → Give the stream group capacity',
  );
  expect(account.mocks.gameLiftStreams.commandCalls(CreateStreamSessionConnectionCommand)).toEqual([]);
  expect(code).toBe(0);
});

it('is refused where there is no offer to start it with', async () => {
  const flags = { 'stream-group': 'sg-1AB2C3De4', application: 'a-1', yes: true };

  await expect(anAccount().run(flags)).rejects.toThrow('events/samples has no offer');
});

it.each([{ yes: true }, { application: 'a-1' }])('%j alone is refused', async (flags) => {
  await expect(anAccount().run(flags)).rejects.toThrow('belong together');
});
