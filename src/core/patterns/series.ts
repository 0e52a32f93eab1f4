import type { Candles } from "../market/candles.js";
import { type Anatomy, computeAnatomy } from "./anatomy.js";
import { type Corridor, computeCorridors } from "./chart/corridor.js";
import { computeSwings, type Swings } from "./chart/swings.js";
import { computeTops, type TopRows } from "./chart/tops.js";
import type { PatternSeries } from "./define.js";
import { computePivots, computeRange, type Pivots } from "./pivots.js";

/**
 * A series for detectors to read, whose derived columns are computed when first asked for and then kept.
 * @param since corridors that are known before that bar are left out: who looks at bars from n on reads those of
 * `LOOKBACK` bars before it.
 */
export function createPatternSeries(candles: Candles, since = 0): PatternSeries {
  return new LazySeries(candles, since);
}

/**
 * A class rather than an object with getters of its own: V8 takes each such object for one of another kind and, once
 * it has seen a few, looks every property up by name. Candlesticks, which ask for most, took a fifth longer.
 */
class LazySeries implements PatternSeries {
  readonly candles: Candles;
  readonly derived: unknown[] = [];
  readonly #since: number;
  #anatomy: Anatomy | undefined;
  #range: Float64Array | undefined;
  #pivots: readonly Pivots[] | undefined;
  #swings: readonly Swings[] | undefined;
  #corridors: readonly Corridor[] | undefined;
  #tops: TopRows | undefined;
  #bottoms: TopRows | undefined;
  #workspace: Int16Array | undefined;

  constructor(candles: Candles, since: number) {
    this.candles = candles;
    this.#since = since;
  }

  get range() {
    this.#range ??= computeRange(this.candles);
    return this.#range;
  }

  get pivots() {
    this.#pivots ??= computePivots(this.candles, this.range);
    return this.#pivots;
  }

  get swings() {
    this.#swings ??= computeSwings(this.pivots);
    return this.#swings;
  }

  get corridors() {
    this.#corridors ??= computeCorridors(this.candles, this.range, this.swings, this.#since);
    return this.#corridors;
  }

  get tops() {
    this.#tops ??= computeTops(this.candles, this.range, finest(this.pivots), 1);
    return this.#tops;
  }

  get bottoms() {
    this.#bottoms ??= computeTops(this.candles, this.range, finest(this.pivots), -1);
    return this.#bottoms;
  }

  get anatomy() {
    this.#anatomy ??= computeAnatomy(this.candles);
    return this.#anatomy;
  }

  get workspace() {
    this.#workspace ??= allocateWorkspace(this.candles.time.length);
    return this.#workspace;
  }
}

/** Room for a value of each of so many bars, and up to the next multiple of eight, by which it is read. */
export function allocateWorkspace(length: number): Int16Array {
  return new Int16Array((length + 7) & ~7);
}

/** Pivots of one bar and of two bars a side. */
function finest([one, two]: readonly Pivots[]): readonly [Pivots, Pivots] {
  return [one, two];
}
