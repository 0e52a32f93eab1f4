export interface GuardTerms {
  /** An outlier is off by more than this many deviations of the returns from tick to tick, */
  readonly sigmas: number;
  /** and by more than this fraction of the price, */
  readonly fraction: number;
  /** which alone counts for the first so many accepted ticks of a symbol. */
  readonly warmup: number;
  /** Weight of the newest squared return in their mean. */
  readonly weight: number;
  /** Least deviation, a fraction of the price: about the tick size, since most returns are 0. */
  readonly floor: number;
  /** How far a tick may lie behind the newest of its symbol, ms; its bar must be open all the same. */
  readonly latenessMs: number;
  /** How far the time of a trade may lie after that of its receipt, ms: clocks differ. */
  readonly aheadMs: number;
  /** Less is above 0 and yet no price: about a tenth of the least that coins are quoted at. */
  readonly smallestPrice: number;
  readonly largestPrice: number;
  readonly largestSize: number;
  /**
   * A tick of a recording that is so much later than the one before, ms, waits for the next to confirm it: one wrong time
   * would close what all others belong to. Ticks of now are judged by the clock.
   */
  readonly gapMs: number;
  /** Refuses ticks outside regular hours. */
  readonly regularOnly: boolean;
}

/**
 * 1 % is far beyond what a liquid instrument moves from one trade to the next; ten deviations keep those that bounce
 * by more. The mean of squares looks back over about 100 ticks.
 */
export const GUARD_TERMS: GuardTerms = Object.freeze({
  sigmas: 10,
  fraction: 0.01,
  warmup: 100,
  weight: 0.01,
  floor: 1e-4,
  latenessMs: Number.POSITIVE_INFINITY,
  aheadMs: 2_000,
  smallestPrice: 1e-9,
  largestPrice: 1e15,
  largestSize: 1e15,
  gapMs: 86_400_000,
  regularOnly: false,
});
