import { describe, expect, it } from 'vitest';
import { anOffer } from '../src/index.ts';
import { aClientToken, type Harness, STREAM_GROUP_ID, start } from './harness.ts';

const SECRET = 'ice-pwd:do-not-repeat-me';

async function send(gls: Harness, method: string, path: string, body?: string) {
  const response = await fetch(`${gls.server.url}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  return { status: response.status, errorType: response.headers.get('x-amzn-errortype'), text };
}

const sessions = `/streamgroups/${STREAM_GROUP_ID}/streamsessions`;

const startBody = (members: object) =>
  JSON.stringify({
    Protocol: 'WebRTC',
    SignalRequest: anOffer(),
    ApplicationIdentifier: 'a-local0001',
    ...members,
  });

const manyVariables = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`NAME_${index}`, 'value']));

const resolution = (Width: unknown, Height: unknown) => ({
  DisplayConfiguration: { Resolution: { Width, Height } },
});

const INVALID: readonly (readonly [what: string, members: object, path: string])[] = [
  ['no Protocol', { Protocol: undefined }, '/Protocol'],
  ['another Protocol', { Protocol: 'RTMP' }, '/Protocol'],
  ['no SignalRequest', { SignalRequest: undefined }, '/SignalRequest'],
  ['a null SignalRequest', { SignalRequest: null }, '/SignalRequest'],
  ['an empty SignalRequest', { SignalRequest: '' }, '/SignalRequest'],
  ['no ApplicationIdentifier', { ApplicationIdentifier: undefined }, '/ApplicationIdentifier'],
  ['an ApplicationIdentifier with a space', { ApplicationIdentifier: 'a 1' }, '/ApplicationIdentifier'],
  ['a long ApplicationIdentifier', { ApplicationIdentifier: 'a'.repeat(129) }, '/ApplicationIdentifier'],
  ['a ClientToken of 31 characters', { ClientToken: 'a'.repeat(31) }, '/ClientToken'],
  ['a ClientToken of 129 characters', { ClientToken: 'a'.repeat(129) }, '/ClientToken'],
  ['a ClientToken with a space', { ClientToken: aClientToken('a b') }, '/ClientToken'],
  ['an empty Description', { Description: '' }, '/Description'],
  ['a Description of 81 characters', { Description: 'a'.repeat(81) }, '/Description'],
  ['a Description with a bracket', { Description: 'a<b' }, '/Description'],
  ['a UserId of 1025 characters', { UserId: 'a'.repeat(1025) }, '/UserId'],
  ['a UserId with an at sign', { UserId: 'a@b' }, '/UserId'],
  ['no location among Locations', { Locations: [] }, '/Locations'],
  ['a long location', { Locations: ['us-west-2', 'a'.repeat(21)] }, '/Locations/1'],
  ['a location with a dot', { Locations: ['us.west'] }, '/Locations/0'],
  ['ConnectionTimeoutSeconds 0', { ConnectionTimeoutSeconds: 0 }, '/ConnectionTimeoutSeconds'],
  ['ConnectionTimeoutSeconds 3601', { ConnectionTimeoutSeconds: 3601 }, '/ConnectionTimeoutSeconds'],
  ['SessionLengthSeconds 0', { SessionLengthSeconds: 0 }, '/SessionLengthSeconds'],
  ['SessionLengthSeconds 86401', { SessionLengthSeconds: 86_401 }, '/SessionLengthSeconds'],
  ['101 AdditionalLaunchArgs', { AdditionalLaunchArgs: Array(101).fill('a') }, '/AdditionalLaunchArgs'],
  [
    '51 AdditionalEnvironmentVariables',
    { AdditionalEnvironmentVariables: manyVariables(51) },
    '/AdditionalEnvironmentVariables',
  ],
  [
    'a variable that begins with a digit',
    { AdditionalEnvironmentVariables: { '1A': '' } },
    '/AdditionalEnvironmentVariables',
  ],
  [
    'a variable of 4097 characters',
    { AdditionalEnvironmentVariables: { A: 'a'.repeat(4097) } },
    '/AdditionalEnvironmentVariables',
  ],
  ['a RoleArn that is none', { RoleArn: 'arn:aws:s3:::GameLiftStreams-bucket' }, '/RoleArn'],
  ['a RoleArn of another name', { RoleArn: 'arn:aws:iam::123456789012:role/Game' }, '/RoleArn'],
  ['an odd width', resolution(1281, 720), '/DisplayConfiguration/Resolution/Width'],
  ['a small height', resolution(1280, 318), '/DisplayConfiguration/Resolution/Height'],
  ['a large width', resolution(4098, 320), '/DisplayConfiguration/Resolution/Width'],
  ['too many pixels', resolution(1922, 1080), '/DisplayConfiguration/Resolution'],
  ['a width alone', resolution(1280, undefined), '/DisplayConfiguration/Resolution/Height'],
];

describe('validation', () => {
  it.each(INVALID)('refuses %s, and names the member', async (_, members, path) => {
    // Prepare
    const gls = await start();

    // Act
    const { status, errorType, text } = await send(gls, 'POST', sessions, startBody(members));

    // Assess
    expect({ status, errorType }).toEqual({ status: 400, errorType: 'ValidationException' });
    expect(text).toContain(`1 validation error detected. Value at '${path}' failed to satisfy constraint: `);
    expect((await gls.control.sessions()).length).toBe(0);
  });

  it.each([
    ['the longest ClientToken', { ClientToken: '~'.repeat(128) }],
    ['the shortest ClientToken', { ClientToken: '!'.repeat(32) }],
    ['the longest Description', { Description: 'a'.repeat(80) }],
    ['an empty UserId', { UserId: '' }],
    ['the longest UserId', { UserId: 'a'.repeat(1024) }],
    ['the shortest and the longest time', { ConnectionTimeoutSeconds: 1, SessionLengthSeconds: 86_400 }],
    ['the longest and the shortest time', { ConnectionTimeoutSeconds: 3600, SessionLengthSeconds: 1 }],
    ['100 AdditionalLaunchArgs', { AdditionalLaunchArgs: Array(100).fill('a') }],
    ['50 variables', { AdditionalEnvironmentVariables: manyVariables(50) }],
    ['the longest variable', { AdditionalEnvironmentVariables: { _a: 'a'.repeat(4096) } }],
    ['the default resolution', resolution(1920, 1080)],
    ['a member that is not known', { Colour: 'red' }],
    ['a null member that is optional', { Description: null }],
  ])('accepts %s', async (_, members) => {
    // Prepare
    const gls = await start();

    // Act
    const { status } = await send(gls, 'POST', sessions, startBody(members));

    // Assess
    expect(status).toBe(201);
  });

  it('names every member that is wrong', async () => {
    // Prepare
    const gls = await start();

    // Act
    const { text } = await send(gls, 'POST', sessions, startBody({ UserId: '@', Description: '' }));

    // Assess
    expect(text).toContain('2 validation errors detected.');
    expect(text).toContain("'/UserId'");
    expect(text).toContain("'/Description'");
  });

  it.each([
    ['no JSON', `{"SignalRequest":"${SECRET}`],
    ['a list', `["${SECRET}"]`],
    ['a number for an offer', '{"SignalRequest":5}'],
    ['an object for an offer', `{"SignalRequest":{"sdp":"${SECRET}"}}`],
  ])('answers SerializationException to a body that is %s', async (_, body) => {
    // Prepare
    const gls = await start();
    const { streamSessionId } = await gls.control.startSession();

    // Act
    const reply = await send(gls, 'POST', `${sessions}/${streamSessionId}/connections`, body);

    // Assess
    expect(reply).toMatchObject({ status: 400, errorType: 'SerializationException' });
    expect(reply.text).not.toContain(SECRET);
  });

  it.each([
    ['Protocol', { Protocol: 5 }],
    ['ConnectionTimeoutSeconds', { ConnectionTimeoutSeconds: '10' }],
    ['Locations', { Locations: 'us-west-2' }],
    ['SharedWithClient', { PerformanceStatsConfiguration: { SharedWithClient: 'yes' } }],
  ])('answers SerializationException to a %s of another JSON type', async (member, members) => {
    // Prepare
    const gls = await start();

    // Act
    const reply = await send(gls, 'POST', sessions, startBody(members));

    // Assess
    expect(reply).toMatchObject({ status: 400, errorType: 'SerializationException' });
    expect(reply.text).toContain(member);
  });

  it.each([
    ['no body', undefined, '/SignalRequest'],
    ['no SignalRequest', '{}', '/SignalRequest'],
    ['an empty SignalRequest', '{"SignalRequest":""}', '/SignalRequest'],
    ['a short ClientToken', JSON.stringify({ SignalRequest: SECRET, ClientToken: 'a' }), '/ClientToken'],
  ])('refuses a connection with %s', async (_, body, path) => {
    // Prepare
    const gls = await start();
    const { streamSessionId } = await gls.control.startSession({ status: 'PENDING_CLIENT_RECONNECTION' });

    // Act
    const reply = await send(gls, 'POST', `${sessions}/${streamSessionId}/connections`, body);

    // Assess
    expect(reply).toMatchObject({ status: 400, errorType: 'ValidationException' });
    expect(reply.text).toContain(`'${path}'`);
    expect(reply.text).not.toContain(SECRET);
    expect((await gls.control.session(streamSessionId)).connections).toEqual([]);
  });

  it('never repeats an offer, whatever is wrong with the call', async () => {
    // Prepare
    const gls = await start();
    const { streamSessionId } = await gls.control.startSession({ status: 'CONNECTED' });
    const body = JSON.stringify({ SignalRequest: SECRET });

    // Act
    const inConnected = await send(gls, 'POST', `${sessions}/${streamSessionId}/connections`, body);
    const unknown = await send(gls, 'POST', `${sessions}/unknown/connections`, body);

    // Assess
    expect([inConnected.status, unknown.status]).toEqual([409, 404]);
    expect(inConnected.text + unknown.text).not.toContain(SECRET);
  });

  it.each([
    ['Status=GONE', 'ValidationException'],
    ['ExportFilesStatus=GONE', 'ValidationException'],
    ['MaxResults=0', 'ValidationException'],
    ['MaxResults=101', 'ValidationException'],
    ['MaxResults=ten', 'SerializationException'],
    ['MaxResults=1.5', 'SerializationException'],
  ])('refuses to list with %s', async (query, expected) => {
    // Prepare
    const gls = await start();

    // Act
    const ofGroup = await send(gls, 'GET', `${sessions}?${query}`);
    const ofAccount = await send(gls, 'GET', `/streamsessions?${query}`);

    // Assess
    expect([ofGroup.errorType, ofAccount.errorType]).toEqual([expected, expected]);
  });

  it.each([
    ['a stream group with a space', '/streamgroups/sg%201/streamsessions/1', '/Identifier'],
    ['a session with a dot', `${sessions}/a.b`, '/StreamSessionIdentifier'],
    ['a session of 129 characters', `${sessions}/${'a'.repeat(129)}`, '/StreamSessionIdentifier'],
    [
      'an ARN of another service',
      `${sessions}/${encodeURIComponent('arn:aws:s3:us-west-2:123456789012:a/b')}`,
      '/StreamSessionIdentifier',
    ],
  ])('refuses %s in the path', async (_, path, member) => {
    // Prepare
    const gls = await start();

    // Act
    const replies = await Promise.all([
      send(gls, 'GET', path),
      send(gls, 'DELETE', path),
      send(gls, 'POST', `${path}/access`),
    ]);

    // Assess
    for (const reply of replies) {
      expect(reply).toMatchObject({ status: 400, errorType: 'ValidationException' });
      expect(reply.text).toContain(`'${member}'`);
    }
  });
});
