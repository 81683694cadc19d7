/** What becomes of a session that drops. */
export type Fate =
  | 'comesBack'
  | 'comesBackTwice'
  | 'comesBackUnseen'
  | 'neverComesBack'
  | 'applicationExits'
  | 'sessionFails';

/** Of each twenty sessions; so 1,200 calls of 2,000 sessions, which the quota of 20/s takes a minute for. */
const OF_TWENTY: readonly (readonly [Fate, number])[] = [
  ['comesBack', 8],
  ['comesBackTwice', 2],
  // Around this service: the backend calls GameLift Streams itself, and only the watcher can see it.
  ['comesBackUnseen', 1],
  ['neverComesBack', 6],
  ['applicationExits', 2],
  ['sessionFails', 1],
];

const FATES: readonly Fate[] = OF_TWENTY.flatMap(([fate, count]) => Array<Fate>(count).fill(fate));

export function fateOf(index: number): Fate {
  return FATES[index % FATES.length] ?? 'neverComesBack';
}
