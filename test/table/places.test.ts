import { describe, expect, it } from 'vitest';
import {
  isSuperseded,
  markServed,
  offerIdOf,
  offersWith,
  type Place,
  readPlace,
  writePlace,
} from '../../functions/shared/quota/places.ts';
import { failNext } from '../helpers/failing-table.ts';
import { itemBytes } from '../helpers/item-bytes.ts';
import { newSession } from '../helpers/sessions.ts';
import { allItems, useTable } from '../helpers/table.ts';

const table = useTable();
const NOW_MS = Date.UTC(2026, 0, 1);
const [FIRST, SECOND] = [offerIdOf('the first token'), offerIdOf('the second token')];

const place = (overrides: Partial<Place> = {}): Place => ({
  revision: 0,
  knownOffers: new Set([FIRST]),
  latestOffer: FIRST,
  askedAtMs: NOW_MS,
  deadlineMs: NOW_MS + 120_000,
  lineCounter: 'Aekq0zz',
  lineNumber: 3,
  ...overrides,
});

async function given(overrides: Partial<Place> = {}) {
  const session = newSession();
  await writePlace(table(), session, undefined, place(overrides));
  const seen = await readPlace(table(), session);
  return { session, seen, read: () => readPlace(table(), session) };
}

describe('the name of an offer', () => {
  it('says nothing about it, and is the same for a repeat', () => {
    expect(FIRST).toMatch(/^[0-9a-f]{32}$/);
    expect(offerIdOf('the first token')).toBe(FIRST);
    expect(SECOND).not.toBe(FIRST);
  });
});

describe('the offers that a place knows', () => {
  const nth = (offer: number) => offerIdOf(`offer ${offer}`);
  /** A client that makes another offer every second. */
  async function afterOffers(count: number) {
    let seen = place({ knownOffers: new Set([nth(0)]), latestOffer: nth(0) });
    for (let offer = 1; offer < count; offer++) seen = { ...seen, ...offersWith(seen, nth(offer)) };
    const session = newSession();
    await writePlace(table(), session, undefined, seen);
    const read = await readPlace(table(), session);
    const item = (await allItems(table())).find(({ pk }) => String(pk).endsWith(session.streamSessionId));
    if (read === undefined || item === undefined) throw new Error('The place was written.');
    return { read, bytes: itemBytes(item) };
  }

  it('take 3 KB at most, after 12,790 offers too', async () => {
    expect((await afterOffers(12_790)).bytes).toBeLessThan(3072);
    expect((await afterOffers(3)).bytes).toBeLessThan(512);
  });

  it('are the latest 256: a repeat of four minutes ago is no new offer', async () => {
    const { read } = await afterOffers(12_790);

    const superseded = Array.from({ length: 300 }, (_, ago) => isSuperseded(read, nth(12_789 - ago)));

    expect(superseded).toEqual([false, ...Array(255).fill(true), ...Array(44).fill(false)]);
  });

  it('are each known once, by its latest time', () => {
    const seen = place({ ...offersWith(undefined, FIRST) });
    const again = place({ ...seen, ...offersWith(place({ ...seen, ...offersWith(seen, SECOND) }), FIRST) });

    expect(again).toMatchObject({ latestOffer: FIRST, knownOffers: new Set([SECOND, FIRST]) });
    expect(again.recentOffers).toHaveLength(16);
    expect([isSuperseded(again, FIRST), isSuperseded(again, SECOND)]).toEqual([false, true]);
  });

  it('are what the code before has written, and the latest eight are what it reads', () => {
    const written = Array.from({ length: 40 }, (_, offer) => nth(offer));
    const former = place({ knownOffers: new Set(written), latestOffer: nth(39) });

    const next = place({ ...former, ...offersWith(former, nth(40)) });

    expect(written.map((offer) => isSuperseded(next, offer))).toEqual(Array(40).fill(true));
    expect(next.knownOffers).toEqual(new Set(Array.from({ length: 8 }, (_, index) => nth(33 + index))));
  });

  it('count an offer that the code before has added since', () => {
    const seen = place({ ...offersWith(undefined, FIRST) });
    const added = place({ ...seen, knownOffers: new Set([FIRST, SECOND]), latestOffer: SECOND });

    const next = place({ ...added, ...offersWith(added, nth(1)) });

    expect([FIRST, SECOND, nth(1)].map((offer) => isSuperseded(next, offer))).toEqual([true, true, false]);
    expect(next.recentOffers).toHaveLength(24);
  });
});

describe('a place in line', () => {
  it('is nowhere before it is written, and as it was written then', async () => {
    const session = newSession();
    expect(await readPlace(table(), session)).toBeUndefined();

    expect(await writePlace(table(), session, undefined, place())).toBe(true);

    expect(await readPlace(table(), session)).toEqual({ ...place(), revision: 1 });
  });

  it('rests for an hour after its deadline', async () => {
    const { session } = await given();

    const item = (await allItems(table())).find(({ pk }) => String(pk).endsWith(session.streamSessionId));

    expect(item).toMatchObject({ sk: 'place', expiresAt: (NOW_MS + 120_000 + 3_600_000) / 1000 });
  });

  it('is written by one of two who have read the same', async () => {
    const { session, seen, read } = await given();
    const next = place({ knownOffers: new Set([FIRST, SECOND]), latestOffer: SECOND });

    expect(await writePlace(table(), session, seen, next)).toBe(true);
    expect(await writePlace(table(), session, seen, place({ askedAtMs: 0 }))).toBe(false);
    expect(await writePlace(table(), session, undefined, place({ askedAtMs: 0 }))).toBe(false);

    expect(await read()).toEqual({ ...next, revision: 2 });
  });

  it('loses its number where the next one has none', async () => {
    const { session, seen, read } = await given();

    await writePlace(table(), session, seen, place({ lineCounter: undefined, lineNumber: undefined }));

    const { lineCounter: _, lineNumber: __, ...without } = place();
    expect(await read()).toEqual({ ...without, revision: 2 });
  });

  it('has a number only with the deadlines that the number is of', async () => {
    const [counterOnly, numberOnly] = [
      await given({ lineNumber: undefined }),
      await given({ lineCounter: undefined }),
    ];

    for (const { seen } of [counterOnly, numberOnly]) {
      expect(seen?.revision).toBe(1);
      expect(seen).not.toHaveProperty('lineCounter');
      expect(seen).not.toHaveProperty('lineNumber');
    }
  });

  it('is used up by the call of its latest offer, once', async () => {
    const { session, seen, read } = await given();

    expect(await markServed(table(), session, SECOND)).toBe(false);
    expect(await markServed(table(), session, FIRST)).toBe(true);
    expect(await markServed(table(), session, FIRST)).toBe(false);

    expect(await read()).toEqual({ ...seen, revision: 2, isServed: true });
  });

  it('is free again for the next offer, with a number or without', async () => {
    for (const numbers of [{}, { lineCounter: undefined, lineNumber: undefined }]) {
      const { session, read } = await given();
      await markServed(table(), session, FIRST);

      await writePlace(table(), session, await read(), place({ latestOffer: SECOND, ...numbers }));

      expect(await read()).toMatchObject({ revision: 3, latestOffer: SECOND });
      expect(await read()).not.toHaveProperty('isServed');
    }
  });

  it.each(['BEFORE', 'AFTER'] as const)(
    'is a retryable failure when the table fails %s the write',
    async (when) => {
      const { session, seen } = await given();
      failNext(table(), 'UpdateItemCommand', when);

      await expect(writePlace(table(), session, seen, place())).rejects.toMatchObject({
        name: 'DependencyUnavailableException',
      });
    },
  );
});
