import { describe, expect, it } from 'vitest';
import { inParallel } from '../../../functions/shared/runtime/clock.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('work in parallel', () => {
  it('is done once for every item, and for no more at a time than the limit', async () => {
    const done: number[] = [];
    let underWay = 0;
    let most = 0;

    await inParallel([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
      underWay++;
      most = Math.max(most, underWay);
      await nextTurn();
      underWay--;
      done.push(item);
    });

    expect(done).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(most).toBe(3);
  });

  it('fails as the first that failed, when what was under way is done', async () => {
    const done: number[] = [];

    const work = inParallel([1, 2, 3, 4], 2, async (item) => {
      if (item === 1) throw new Error('The first has failed.');
      await nextTurn();
      done.push(item);
    });

    await expect(work).rejects.toThrow('The first has failed.');
    expect(done).toEqual([2, 3, 4]);
  });

  it('is nothing where there are no items', async () => {
    await expect(inParallel([], 3, () => Promise.reject(new Error('For whom?')))).resolves.toBeUndefined();
  });
});
