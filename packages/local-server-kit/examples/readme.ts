import { startLoopbackServer, VirtualClock } from 'local-server-kit';

const clock = new VirtualClock(Date.UTC(2026, 0, 1));
const server = await startLoopbackServer({
  port: 0,
  maxBodyBytes: 1024,
  handle: async () => ({ status: 200, body: new Date(clock.nowMs()).toISOString() }),
});

clock.setTimer(60 * 60 * 1000, () => console.log('An hour has passed.'));
await clock.advance(2 * 60 * 60 * 1000); // takes a millisecond
console.log(await (await fetch(server.url)).text());

await server.close();
