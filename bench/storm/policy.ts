import type { InProcessClock } from '../../local/simulation/in-process-clock.ts';
import type { Player } from './scenario.ts';
import type { StormService } from './service.ts';

export interface Storm {
  readonly clock: InProcessClock;
  /** 0 ≤ random() < 1, seeded. */
  readonly random: () => number;
  readonly service: StormService;
  readonly players: readonly Player[];
  readonly perSecond: number;
}

/** Tries to save one session from its player's return to its deadline; true when the player has an answer. */
export type SavePlayer = (player: Player) => Promise<boolean>;

export interface Policy {
  readonly name: string;
  /** Gets ready for a storm that is about to begin. */
  readonly prepare: (storm: Storm) => SavePlayer | Promise<SavePlayer>;
  /** What it has used up beside calls to the service. */
  readonly usage?: () => Readonly<Record<string, number>>;
}
