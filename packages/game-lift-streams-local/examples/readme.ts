import { GameLiftStreamsClient, GetStreamSessionCommand } from '@aws-sdk/client-gameliftstreams';
import { GameLiftStreamsControl, startGameLiftStreams } from 'game-lift-streams-local';
import { LOCAL_CREDENTIALS, seededRandom, VirtualClock } from 'local-server-kit';

const clock = new VirtualClock();
const server = await startGameLiftStreams({ port: 0, clock, activity: clock, random: seededRandom() });
const control = new GameLiftStreamsControl(server.url);
const client = new GameLiftStreamsClient({
  endpoint: server.url,
  region: 'us-west-2',
  credentials: LOCAL_CREDENTIALS,
  maxAttempts: 1,
});

const session = await control.startSession({ connectionTimeoutSeconds: 10 });
const get = new GetStreamSessionCommand({
  Identifier: session.streamGroupId,
  StreamSessionIdentifier: session.streamSessionId,
});
console.log((await client.send(get)).Status);

await control.clientDrops(session.streamSessionId);
console.log((await client.send(get)).Status);

await clock.advance(12_000); // nobody comes back in time
const { Status, StatusReason } = await client.send(get);
console.log(Status, StatusReason);

await server.close();
