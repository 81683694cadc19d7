import fc from 'fast-check';
import { anOffer } from 'game-lift-streams-local';
import { expect, it, onTestFinished } from 'vitest';
import { startLocalStack } from '../../local/local-stack.ts';
import { offerOfBytes, VALID_CLIENT_TOKEN } from '../../local/simulation/offers.ts';
import { builtService } from '../helpers/built-service.ts';
import { MARKER, nearlyText } from './arbitraries.ts';
import { type RawReply, sendRaw } from './raw-http.ts';
import { FUZZ_TIMEOUT_MS, runs } from './runs.ts';

const MEGABYTE = 1024 * 1024;

it(
  'the API with the bundles that are deployed answers any body with a 4xx, and those over a limit by its own',
  async () => {
    const logged: string[] = [];
    const stack = await startLocalStack({
      onProgress: () => {},
      built: await builtService(),
      onLog: (_name, line) => logged.push(line),
    });
    onTestFinished(() => stack.close());
    const { port } = new URL(stack.endpoints.api);
    const { streamGroupId } = await stack.control.startSession();
    const connect = (body: string, session = 'ABC123def4567') =>
      sendRaw(Number(port), {
        method: 'POST',
        target: `/streamgroups/${streamGroupId}/streamsessions/${session}/connections`,
        headers: [['content-type', 'application/json']],
        body,
      });
    const told = (reply: RawReply | undefined) => [
      reply?.status,
      /"Message":"([^"]*)"/.exec(reply?.body ?? '')?.[1],
    ];
    const offer = (bytes: number, filler: string) =>
      JSON.stringify({ SignalRequest: offerOfBytes(bytes, filler) });

    await fc.assert(
      fc.asyncProperty(
        nearlyText({ SignalRequest: anOffer(), ClientToken: VALID_CLIENT_TOKEN }),
        async (body) => {
          const reply = await connect(body);

          expect(reply?.status).toBeGreaterThanOrEqual(400);
          expect(reply?.status).toBeLessThan(500);
          expect(reply?.body).not.toContain(MARKER);
        },
      ),
      runs(12),
    );

    const tooLong = 'SignalRequest must be 65536 bytes at most.';
    expect(told(await connect(offer(65_537, '漢')))).toEqual([400, tooLong]);
    expect((await connect(offer(65_536, '漢')))?.status).toBe(404);
    // More than Lambda takes, though API Gateway would.
    expect((await connect('x'.repeat(7 * MEGABYTE)))?.status).toBe(413);
    expect(logged.filter((line) => line.includes(MARKER))).toEqual([]);
  },
  FUZZ_TIMEOUT_MS * 3,
);
