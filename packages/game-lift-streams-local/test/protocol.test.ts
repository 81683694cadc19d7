import {
  ConflictException,
  CreateApplicationCommand,
  GetStreamSessionCommand,
  ListApplicationsCommand,
  ResourceNotFoundException,
  ValidationException,
} from '@aws-sdk/client-gameliftstreams';
import { describe, expect, it } from 'vitest';
import { anOffer } from '../src/index.ts';
import { ACCOUNT_ID, failureOf, idIn, REGION, STREAM_GROUP_ID, start } from './harness.ts';

const ARN = `arn:aws:gameliftstreams:${REGION}:${ACCOUNT_ID}`;

describe('the protocol', () => {
  it('gives the SDK every documented member of a stream session', async () => {
    // Prepare
    const gls = await start();
    const offer = anOffer();

    // Act
    const started = await gls.startSession({
      SignalRequest: offer,
      Description: 'A session',
      UserId: 'player-1',
      Locations: ['us-east-2', 'us-west-2'],
      ConnectionTimeoutSeconds: 30,
      SessionLengthSeconds: 600,
      AdditionalLaunchArgs: ['--fast'],
      AdditionalEnvironmentVariables: { LEVEL: '3' },
      PerformanceStatsConfiguration: { SharedWithClient: true },
      RoleArn: `arn:aws:iam::${ACCOUNT_ID}:role/GameLiftStreams-Game`,
      DisplayConfiguration: { Resolution: { Width: 1280, Height: 720 } },
    });
    const id = idIn(started.Arn);
    await gls.clock.advance(3_500);
    const { $metadata, ...session } = await gls.get(id);

    // Assess
    expect(started.$metadata.httpStatusCode).toBe(201);
    expect(started.Status).toBe('ACTIVATING');
    expect($metadata.httpStatusCode).toBe(200);
    expect(session).toEqual({
      Arn: `${ARN}:streamsession/${STREAM_GROUP_ID}/${id}`,
      Description: 'A session',
      StreamGroupId: STREAM_GROUP_ID,
      UserId: 'player-1',
      Status: 'ACTIVE',
      Protocol: 'WebRTC',
      Location: 'us-east-2',
      SignalRequest: offer,
      SignalResponse: expect.stringContaining('"type":"answer"'),
      ConnectionTimeoutSeconds: 30,
      SessionLengthSeconds: 600,
      AdditionalLaunchArgs: ['--fast'],
      AdditionalEnvironmentVariables: { LEVEL: '3' },
      PerformanceStatsConfiguration: { SharedWithClient: true },
      LogFileLocationUri: expect.stringMatching(/^s3:\/\//),
      WebSdkProtocolUrl: expect.stringMatching(/^https:\/\/\w+\.cloudfront\.net\/[0-9a-f]{64}\.js$/),
      LastUpdatedAt: new Date('2026-01-01T00:00:03.000Z'),
      CreatedAt: new Date('2026-01-01T00:00:00.000Z'),
      ApplicationArn: `${ARN}:application/a-local0001`,
      RoleArn: `arn:aws:iam::${ACCOUNT_ID}:role/GameLiftStreams-Game`,
      DisplayConfiguration: { Resolution: { Width: 1280, Height: 720 } },
    });
  });

  it('tells the defaults of what StartStreamSession leaves out', async () => {
    // Prepare
    const gls = await start();

    // Act
    const session = await gls.startSession();

    // Assess
    expect(session).toMatchObject({
      ConnectionTimeoutSeconds: 120,
      SessionLengthSeconds: 43_200,
      Location: REGION,
      PerformanceStatsConfiguration: { SharedWithClient: false },
    });
  });

  it('takes ARNs as well as ids, URL-encoded in the path', async () => {
    // Prepare
    const gls = await start();
    const { arn } = await gls.control.startSession();

    // Act
    const session = await gls.client.send(
      new GetStreamSessionCommand({
        Identifier: `${ARN}:streamgroup/${STREAM_GROUP_ID}`,
        StreamSessionIdentifier: arn,
      }),
    );

    // Assess
    expect(session.Arn).toBe(arn);
  });

  it.each([
    ['an unknown stream group', 'sg-unknown', undefined],
    ['an unknown session', STREAM_GROUP_ID, 'unknown'],
    ['the group of another session', 'sg-other', undefined],
    [
      'a group ARN of another Region',
      `arn:aws:gameliftstreams:eu-central-1:${ACCOUNT_ID}:streamgroup/${STREAM_GROUP_ID}`,
      undefined,
    ],
    [
      'a group ARN of another account',
      `arn:aws:gameliftstreams:${REGION}:999999999999:streamgroup/${STREAM_GROUP_ID}`,
      undefined,
    ],
    ["an application's ARN", `${ARN}:application/${STREAM_GROUP_ID}`, undefined],
    ['a session ARN of another group', STREAM_GROUP_ID, `${ARN}:streamsession/sg-other/unknown`],
  ])('answers ResourceNotFoundException to %s', async (_, Identifier, sessionIdentifier) => {
    // Prepare
    const gls = await start({ streamGroupIds: [STREAM_GROUP_ID, 'sg-other'] });
    const { streamSessionId } = await gls.control.startSession({ streamGroupId: STREAM_GROUP_ID });

    // Act
    const failure = await failureOf(
      gls.client.send(
        new GetStreamSessionCommand({
          Identifier,
          StreamSessionIdentifier: sessionIdentifier ?? streamSessionId,
        }),
      ),
    );

    // Assess
    expect(failure).toBeInstanceOf(ResourceNotFoundException);
    expect(failure).toMatchObject({
      name: 'ResourceNotFoundException',
      message: expect.stringMatching(/was not found/),
      $metadata: { httpStatusCode: 404 },
    });
  });

  it("gives errors the SDK's classes, a message and a request id, each call its own", async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId: id } = await gls.control.startSession();

    // Act
    const inConnected = await failureOf(gls.beginConnection(id));
    const tooShort = await failureOf(gls.beginConnection(id, anOffer(), 'short'));

    // Assess
    expect(inConnected).toBeInstanceOf(ConflictException);
    expect(inConnected.message).toContain('CONNECTED');
    expect(tooShort).toBeInstanceOf(ValidationException);
    const requestIds = [inConnected.$metadata.requestId, tooShort.$metadata.requestId];
    expect(requestIds[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(requestIds[1]).toMatch(/^[0-9a-f-]{36}$/);
    expect(requestIds[0]).not.toBe(requestIds[1]);
  });

  it('refuses the other operations of the service by name', async () => {
    // Prepare
    const gls = await start();

    // Act
    const failures = await Promise.all([
      failureOf(gls.client.send(new ListApplicationsCommand({}))),
      failureOf(
        gls.client.send(
          new CreateApplicationCommand({
            Description: 'A game',
            RuntimeEnvironment: { Type: 'UBUNTU', Version: '22_04_LTS' },
            ExecutablePath: 'game',
            ApplicationSourceUri: 's3://games/game',
          }),
        ),
      ),
    ]);

    // Assess
    expect(failures.map(({ name }) => name)).toEqual([
      'UnknownOperationException',
      'UnknownOperationException',
    ]);
    expect(failures[0]?.message).toContain('ListApplications');
    expect(failures[1]?.message).toContain('CreateApplication');
  });

  it.each(['/', '/streamgroups//streamsessions', '/streamgroups/%zz/streamsessions', '/elsewhere'])(
    'answers UnknownOperationException to GET %s',
    async (path) => {
      // Prepare
      const gls = await start();

      // Act
      const response = await fetch(`${gls.server.url}${path}`);

      // Assess
      expect(response.status).toBe(404);
      expect(response.headers.get('x-amzn-errortype')).toBe('UnknownOperationException');
    },
  );
});
