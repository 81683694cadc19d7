import { counterOf, type DeadlineBucket, deadlinesOf } from '../../functions/shared/quota/deadline-bucket.ts';

/** The bucket of a deadline, two seconds wide: as if its number had been drawn at the last moment. */
export function narrowBucket(
  deadlineMs: number,
  {
    drawn = 0,
    served = 0,
    rank = 'REPORTED',
  }: Partial<Pick<DeadlineBucket, 'drawn' | 'served' | 'rank'>> = {},
): DeadlineBucket {
  const deadlines = deadlinesOf(counterOf({ deadlineMs, nowMs: deadlineMs, rank }));
  if (deadlines === undefined) throw new Error('A counter that was just made is one.');
  return { ...deadlines, drawn, served };
}
