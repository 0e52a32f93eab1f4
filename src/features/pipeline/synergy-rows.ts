import { epochMs } from "../../platform/sql-epoch.js";

/** A leg as it is kept. */
export interface StoredLeg {
  readonly leg: string;
  readonly way: number;
  readonly strength: number;
  /** What its indicator said: MLMI, slope in ranges, size of the gap over the close. */
  readonly value: number;
  readonly knownAt: number;
  /** Close of the bar that made it known and its open, epoch ms: of half an hour for MLMI and NW-RQK. */
  readonly price: number;
  readonly barTime: number;
}

/** A synergy, without what was decided on it. */
export interface Synergy {
  readonly symbol: string;
  readonly type: string;
  readonly way: 1 | -1;
  readonly begunAt: number;
  readonly knownAt: number;
  readonly quality: number;
  readonly legs: readonly StoredLeg[];
  readonly context: Readonly<Record<string, number | null>>;
}

export interface StoredSynergy extends Synergy {
  readonly id: number;
}

export const SYNERGY_FIELDS = [
  "s.id, s.symbol, s.type, s.way, s.quality, s.legs, s.context",
  epochMs("s.begun_at", "begunAt"),
  epochMs("s.known_at", "knownAt"),
].join(", ");
