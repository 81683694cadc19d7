import { nextStep, readReply } from 'reconnection-client';
import { describe, expect, it } from 'vitest';
import { refusal, reply } from './page.ts';

const NOW = Date.UTC(2026, 10, 28, 12);

describe('a reply', () => {
  it.each([
    [
      'an answer',
      reply(200, { SignalResponse: 'the answer' }),
      { step: 'answering', signalResponse: 'the answer' },
    ],
    [
      'the HTML page of a captive portal',
      reply(200, '<!doctype html>'),
      { step: 'repeat', reason: 'UNREADABLE' },
    ],
    ['an empty body', reply(200, ''), { step: 'repeat', reason: 'UNREADABLE' }],
    ['JSON that is no object', reply(200, 'null'), { step: 'repeat', reason: 'UNREADABLE' }],
    [
      'an answer that is no text',
      reply(200, { SignalResponse: 1 }),
      { step: 'repeat', reason: 'UNREADABLE' },
    ],
    ['the HTML error of a proxy', reply(502, '<html>'), { step: 'repeat', reason: 'HTTP_502' }],
    ['a page that does not exist', reply(404, '<html>'), { step: 'failed', reason: 'HTTP_404' }],
    ['a 403 of the game itself', reply(403, {}), { step: 'failed', reason: 'HTTP_403' }],
    ['too many requests', reply(429), { step: 'repeat', reason: 'HTTP_429' }],
    ['a code that is not known yet', refusal(409, 'NEW_CODE'), { step: 'failed', reason: 'NEW_CODE' }],
    [
      'such a code with Retry-After',
      refusal(409, 'NEW_CODE', '4'),
      { step: 'repeat', reason: 'NEW_CODE', retryAfterSeconds: 4 },
    ],
    [
      'a code like a member of every object',
      refusal(400, 'constructor'),
      { step: 'failed', reason: 'constructor' },
    ],
    [
      'a refusal in a 200, as the handlers send it',
      reply(200, { status: 429, code: 'TURN_LATER', retryAfterSeconds: 3 }),
      { step: 'repeat', reason: 'TURN_LATER', retryAfterSeconds: 3 },
    ],
    [
      'a session that ended, with the reason',
      reply(409, { StatusReason: 'reconnectionTimeout' }, { 'x-reconnection-code': 'SESSION_ENDED' }),
      { step: 'over', reason: 'reconnectionTimeout' },
    ],
    [
      'LOSS_NOT_NOTICED whose Retry-After cannot be read',
      refusal(409, 'LOSS_NOT_NOTICED'),
      { step: 'repeat', reason: 'LOSS_NOT_NOTICED' },
    ],
  ])('that is %s has one next step', async (_what, response, step) => {
    expect(nextStep(await readReply(response, NOW))).toEqual(step);
  });

  it.each([
    ['ValidationException', 400, 'newOffer'],
    ['ConflictException', 409, 'repeat'],
    ['ResourceNotFoundException', 404, 'over'],
    ['AccessDeniedException', 403, 'failed'],
    ['ThrottlingException', 429, 'repeat'],
    ['InternalServerException', 500, 'repeat'],
  ])('that the API passes through goes by its type: %s', async (type, status, step) => {
    const passed = reply(status, {}, { 'x-reconnection-code': 'PASSED_THROUGH', 'x-amzn-errortype': type });

    expect(nextStep(await readReply(passed, NOW))).toMatchObject({ step });
  });

  it('whose body breaks off is unreachable', async () => {
    const broken = { ...reply(200), text: () => Promise.reject(new TypeError('terminated')) };

    expect(await readReply(broken, NOW)).toEqual({ kind: 'unreachable' });
  });
});

describe('Retry-After', () => {
  it.each<[string, Record<string, string>, number | undefined]>([
    ['seconds', { 'retry-after': '30' }, 30],
    [
      'a date, by the clock that wrote it',
      { 'retry-after': 'Sat, 28 Nov 2026 11:50:20 GMT', date: 'Sat, 28 Nov 2026 11:50:00 GMT' },
      20,
    ],
    ['a date alone, by the local clock', { 'retry-after': 'Sat, 28 Nov 2026 12:00:10 GMT' }, 10],
    ['a date in the past', { 'retry-after': 'Sat, 28 Nov 2026 11:00:00 GMT' }, undefined],
    ['zero', { 'retry-after': '0' }, undefined],
    ['negative', { 'retry-after': '-5' }, undefined],
    ['a day', { 'retry-after': '86400' }, 120],
    ['more digits than a number has', { 'retry-after': '9'.repeat(400) }, 120],
    ['words', { 'retry-after': 'later' }, undefined],
    ['empty', { 'retry-after': '' }, undefined],
  ])('may be %s', async (_what, headers, seconds) => {
    const read = await readReply(reply(503, {}, headers), NOW);

    expect(read).toMatchObject({ kind: 'refused', retryAfterSeconds: seconds });
  });
});
