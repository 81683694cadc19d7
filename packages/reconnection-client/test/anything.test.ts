import fc from 'fast-check';
import { expect, it } from 'vitest';
import { answer, openPage, refusal, reply, SECOND } from './page.ts';

const replies = fc.array(
  fc.oneof(
    fc.constant('never' as const),
    fc.constant(new TypeError('Failed to fetch')),
    fc.constant(answer()),
    fc
      .record({ status: fc.integer({ min: 100, max: 599 }), body: fc.oneof(fc.string(), fc.jsonValue()) })
      .map(({ status, body }) => reply(status, body)),
    fc
      .record({
        status: fc.constantFrom(400, 403, 404, 409, 429, 500, 503),
        code: fc.constantFrom('TURN_LATER', 'LOSS_NOT_NOTICED', 'NEW_OFFER_NEEDED', 'SESSION_ENDED', 'OTHER'),
        retryAfter: fc.option(fc.oneof(fc.string(), fc.nat().map(String)), { nil: undefined }),
      })
      .map(({ status, code, retryAfter }) => refusal(status, code, retryAfter)),
  ),
  { maxLength: 8 },
);
const happenings = fc.array(
  fc.constantFrom(
    'online',
    'shown',
    'restored',
    'hidden',
    'lost',
    'offline',
    'comeBack',
    'hint',
    'second',
    'minute',
  ),
  { maxLength: 12 },
);
const onAnswer = fc.array(fc.constantFrom('connects', 'noMedia', 'throws', 'fails'), {
  minLength: 1,
  maxLength: 4,
});

/** vitest fails the file when a promise is rejected and nobody catches it. */
it('any replies and happenings, in any order, end in a state that stays', async () => {
  await fc.assert(
    fc.asyncProperty(replies, happenings, onAnswer, async (given, happened, answers) => {
      const page = await openPage({ replies: given, onAnswer: answers });
      for (const what of happened) {
        if (what === 'lost') await page.lose();
        else if (what === 'offline') await page.setOnline(false);
        else if (what === 'comeBack') page.reconnector.comeBack();
        else if (what === 'hint') page.reconnector.hintNow();
        else if (what === 'second') await page.clock.advance(SECOND);
        else if (what === 'minute') await page.clock.advance(60 * SECOND);
        else await page.happens(what);
      }
      await page.setOnline(true);
      await page.clock.advance(2 * 3600 * SECOND);

      expect(['connected', 'back', 'over', 'takenOver', 'failed']).toContain(page.reconnector.state.name);
      const open = [page.first, ...page.clients].filter(({ isClosed }) => !isClosed);
      expect(open.length).toBeLessThanOrEqual(1);
      expect(page.reported).toEqual([]);
      page.reconnector.stop();
    }),
    { numRuns: 100 },
  );
});
