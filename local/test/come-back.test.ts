import { describe, expect, it } from 'vitest';
import { type ConnectionReply, comeBack, type Step } from '../web/player/come-back.ts';

const ANSWER: ConnectionReply = { kind: 'answer', signalResponse: 'the answer' };

function refused(name: string, retryAfterSeconds?: number): ConnectionReply {
  return {
    kind: 'refused',
    status: 400,
    name,
    message: `It is ${name}.`,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

/** A way back on which the backend gives these replies in turn, and media comes or not for each answer. */
async function wayBack(replies: readonly ConnectionReply[], media: readonly boolean[] = [true]) {
  const asked: string[] = [];
  const waits: number[] = [];
  const steps: Step['kind'][] = [];
  let clients = 0;
  let connects = 0;
  const result = await comeBack({
    newClient: () => {
      const number = ++clients;
      return {
        generateSignalRequest: async () => `offer ${number}`,
        connect: async () => media[connects++] ?? false,
      };
    },
    ask: async (offer) => {
      const reply = replies[asked.length];
      asked.push(offer);
      if (reply === undefined) throw new Error(`Nobody expects request ${asked.length}.`);
      return reply;
    },
    wait: async (milliseconds) => {
      waits.push(milliseconds);
    },
    report: ({ kind }) => steps.push(kind),
  });
  return { result, asked, waits, steps };
}

describe('coming back', () => {
  it('takes one offer and one answer when nothing goes wrong', async () => {
    const { result, asked, steps } = await wayBack([ANSWER]);

    expect(result).toEqual({ kind: 'back' });
    expect(asked).toEqual(['offer 1']);
    expect(steps).toEqual(['offers', 'answered']);
  });

  it('asks again with the same offer, exactly when it is told', async () => {
    const { result, asked, waits } = await wayBack([
      refused('ThrottlingException', 7),
      refused('ConflictException', 2),
      refused('InternalServerException', 1),
      ANSWER,
    ]);

    expect(result).toEqual({ kind: 'back' });
    expect(asked).toEqual(['offer 1', 'offer 1', 'offer 1', 'offer 1']);
    expect(waits).toEqual([7_000, 2_000, 1_000]);
  });

  it('makes a new offer on a new connection when the service refuses the old one', async () => {
    const { result, asked, waits } = await wayBack([refused('ValidationException'), ANSWER]);

    expect(result).toEqual({ kind: 'back' });
    expect(asked).toEqual(['offer 1', 'offer 2']);
    expect(waits).toEqual([]);
  });

  it('gives up after three refused offers', async () => {
    const { result, asked } = await wayBack(Array.from({ length: 4 }, () => refused('ValidationException')));

    expect(result).toEqual({
      kind: 'refused',
      name: 'ValidationException',
      message: 'It is ValidationException.',
    });
    expect(asked).toHaveLength(3);
  });

  it.each(['ConflictException', 'AccessDeniedException', 'ResourceNotFoundException'])(
    'ends at a %s that names no time to come again',
    async (name) => {
      const { result, asked } = await wayBack([refused(name)]);

      expect(result).toEqual({ kind: 'refused', name, message: `It is ${name}.` });
      expect(asked).toHaveLength(1);
    },
  );

  it('makes a new offer when an answer brings no media, three times at most', async () => {
    const back = await wayBack([ANSWER, ANSWER], [false, true]);
    const never = await wayBack([ANSWER, ANSWER, ANSWER], [false, false, false]);

    expect(back.result).toEqual({ kind: 'back' });
    expect(back.asked).toEqual(['offer 1', 'offer 2']);
    expect(never.result).toMatchObject({ kind: 'refused', name: 'NoMedia' });
  });

  it('repeats a request whose reply is lost, with longer and longer waits, and then says so', async () => {
    const back = await wayBack([{ kind: 'unreachable' }, ANSWER]);
    const never = await wayBack(Array.from({ length: 6 }, () => ({ kind: 'unreachable' as const })));

    expect(back.asked).toEqual(['offer 1', 'offer 1']);
    expect(never.result).toEqual({ kind: 'unreachable' });
    expect(never.waits).toEqual([500, 1_000, 2_000, 4_000, 8_000]);
  });

  it('stops at once when the player does something else meanwhile', async () => {
    const gaveUp = new Error('The player gave up.');
    const way = comeBack({
      newClient: () => ({ generateSignalRequest: async () => 'offer', connect: async () => true }),
      ask: async () => refused('ThrottlingException', 1),
      wait: () => Promise.reject(gaveUp),
      report: () => {},
    });

    await expect(way).rejects.toBe(gaveUp);
  });
});
