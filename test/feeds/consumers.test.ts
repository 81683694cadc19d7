import { createServer } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { holdSeat } from '../../feeds/consumers/hold-seat.ts';
import { pauseMatch } from '../../feeds/consumers/pause-match.ts';
import { pushToBrowser } from '../../feeds/consumers/push-to-browser.ts';
import {
  LatestWindows,
  readLocalBus,
  type WindowEvent,
  windowEventOf,
} from '../../feeds/consumers/window-events.ts';
import { startWorkflow } from '../helpers/workflow.ts';

const SECOND = 1000;

/** What the bus of a local stack has on record after a player is lost and back, and another is lost for good. */
async function eventsOfTwoPlayers() {
  const { clock, control, reconnect, endpoints, ...run } = await startWorkflow({ adapter: 'loopback' });
  const back = await run.session({ connectionTimeoutSeconds: 60 });
  const lost = await run.session({ connectionTimeoutSeconds: 30 });
  for (const session of [back, lost]) await control.clientDrops(session.streamSessionId);
  for (const session of [back, lost]) await run.report(session);
  const droppedAtMs = clock.nowMs();
  await clock.advance(5 * SECOND);
  await control.clientConnects(back.streamSessionId, await reconnect(back));
  await clock.advance(60 * SECOND);
  const idOf = (session: typeof back) => `${session.streamGroupId}/${session.streamSessionId}`;
  return { events: await readLocalBus(endpoints.eventBus), back: idOf(back), lost: idOf(lost), droppedAtMs };
}

describe('the consumers, on the events of a local stack', () => {
  it('pause a match, hold a seat and tell the browser until each player is back or lost', async () => {
    const { events, back, lost, droppedAtMs } = await eventsOfTwoPlayers();
    const match: unknown[][] = [];
    const seats: unknown[][] = [];
    const pushed = pushToBrowser(() => back);
    const note =
      (calls: unknown[][], name: string) =>
      async (...args: readonly unknown[]) => {
        calls.push([name, ...args]);
      };
    const pausing = pauseMatch({
      pause: note(match, 'pause'),
      resume: note(match, 'resume'),
      goOnWithout: note(match, 'go on without'),
    });
    const holding = holdSeat({
      hold: note(seats, 'hold'),
      giveBack: note(seats, 'give back'),
      release: note(seats, 'release'),
    });

    // Twice, as at least once allows.
    for (const event of [...events, ...events]) {
      for (const consume of [pausing, holding, pushed.consume]) await consume(event);
    }

    const of = (calls: unknown[][], session: string) => calls.filter(([, id]) => id === session);
    expect(of(match, lost)).toEqual([
      ['pause', lost, new Date(droppedAtMs + 30 * SECOND)],
      ['go on without', lost, false],
    ]);
    expect(of(match, back)[0]).toEqual(['pause', back, new Date(droppedAtMs + 60 * SECOND)]);
    expect(of(match, back).at(-1)).toEqual(['resume', back]);
    expect(of(seats, lost).at(-1)).toEqual(['release', lost, 'TIMED_OUT']);
    expect(of(seats, back).at(-1)).toEqual(['give back', back]);
    expect(await firstMessage(pushed.serve)).toEqual({
      state: 'over',
      outcome: 'RECONNECTED',
      cause: 'RECONNECTED',
    });
  });
});

/** What a browser that comes now is told first. */
async function firstMessage(serve: ReturnType<typeof pushToBrowser>['serve']): Promise<unknown> {
  const server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = z.object({ port: z.number() }).parse(server.address());
  const response = await fetch(`http://127.0.0.1:${port}/`);
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += new TextDecoder().decode(chunk);
    const [, data] = /data: (.*)\n\n/.exec(text) ?? [];
    if (data !== undefined) return JSON.parse(data);
  }
  return undefined;
}

describe('the order of events', () => {
  const opened = (generation: number, sequence: number): WindowEvent => ({
    kind: 'opened',
    session: 'sg/one',
    generation,
    sequence,
    deadline: new Date(0),
  });
  const ended = (generation: number): WindowEvent => ({
    kind: 'ended',
    session: 'sg/one',
    generation,
    outcome: 'TERMINATED',
    cause: 'LEFT',
  });

  it.each<[string, readonly WindowEvent[], readonly boolean[]]>([
    ['a repeat', [opened(1, 1), opened(1, 1)], [true, false]],
    ['an earlier deadline that comes late', [opened(1, 1002), opened(1, 1)], [true, false]],
    ['an opening that comes after its outcome', [ended(1), opened(1, 1)], [true, false]],
    ['the next window', [opened(1, 1002), ended(1), opened(2, 1)], [true, true, true]],
    ['an outcome of the window before', [opened(2, 1), ended(1)], [true, false]],
  ])('decides about %s', async (_, events, expected) => {
    const latest = new LatestWindows();
    const isActedOn = events.map(() => false);

    for (const [index, event] of events.entries()) {
      await latest.ifNews(event, () => {
        isActedOn[index] = true;
      });
    }

    expect(isActedOn).toEqual(expected);
  });

  it('acts again on an event whose act failed, and still on no earlier one', async () => {
    const latest = new LatestWindows();
    const acted: string[] = [];
    const fails = async () => Promise.reject(new Error('no reply'));

    await expect(latest.ifNews(opened(1, 1), fails)).rejects.toThrow('no reply');
    await latest.ifNews(opened(1, 1), () => void acted.push('opened'));
    await expect(latest.ifNews(ended(1), fails)).rejects.toThrow('no reply');
    await latest.ifNews(opened(1, 1), () => void acted.push('opened again'));
    await latest.ifNews(ended(1), () => void acted.push('ended'));

    expect(acted).toEqual(['opened', 'ended']);
  });

  it('reaches a consumer again when it is delivered again after a failure', async () => {
    const held: string[] = [];
    let isDown = true;
    const holding = holdSeat({
      hold: async (session) => {
        if (isDown) throw new Error('no reply');
        held.push(session);
      },
      giveBack: async () => {},
      release: async () => {},
    });
    const event = {
      'detail-type': 'Stream Session Reconnection Window Opened',
      detail: {
        streamGroupId: 'sg',
        streamSessionId: 'one',
        generation: 1,
        sequence: 1,
        deadline: '2026-01-01T12:00:00Z',
      },
    };

    await expect(holding(event)).rejects.toThrow('no reply');
    isDown = false;
    await holding(event);

    expect(held).toEqual(['sg/one']);
  });

  it('ignores events of other kinds and of other forms', () => {
    for (const event of [
      null,
      'text',
      {},
      { 'detail-type': 'Stream Session Reconnection Outcome', detail: {} },
    ]) {
      expect(windowEventOf(event)).toBeUndefined();
    }
  });
});
