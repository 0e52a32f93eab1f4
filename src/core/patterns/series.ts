import type { Candles } from "../market/candles.js";
import { type Anatomy, computeAnatomy } from "./anatomy.js";
import { type Corridor, computeCorridors } from "./chart/corridor.js";
import { computeSwings, type Swings } from "./chart/swings.js";
import { computeTops, type TopRows } from "./chart/tops.js";
import type { PatternSeries } from "./define.js";
import { computePivots, computeRange, type Pivots } from "./pivots.js";

/** A series for detectors to read, whose derived columns are computed when first asked for and then kept. */
export function createPatternSeries(candles: Candles): PatternSeries {
  let anatomy: Anatomy | undefined;
  let range: Float64Array | undefined;
  let pivots: readonly Pivots[] | undefined;
  let swings: readonly Swings[] | undefined;
  let corridors: readonly Corridor[] | undefined;
  let tops: TopRows | undefined;
  let bottoms: TopRows | undefined;
  let workspace: Int16Array | undefined;
  return {
    candles,
    get range() {
      range ??= computeRange(candles);
      return range;
    },
    get pivots() {
      pivots ??= computePivots(candles, this.range);
      return pivots;
    },
    get swings() {
      swings ??= computeSwings(this.pivots);
      return swings;
    },
    get corridors() {
      corridors ??= computeCorridors(candles, this.range, this.swings);
      return corridors;
    },
    get tops() {
      tops ??= computeTops(candles, this.range, finest(this.pivots), 1);
      return tops;
    },
    get bottoms() {
      bottoms ??= computeTops(candles, this.range, finest(this.pivots), -1);
      return bottoms;
    },
    get anatomy() {
      anatomy ??= computeAnatomy(candles);
      return anatomy;
    },
    get workspace() {
      workspace ??= new Int16Array(candles.time.length);
      return workspace;
    },
  };
}

/** Pivots of one bar and of two bars a side. */
function finest([one, two]: readonly Pivots[]): readonly [Pivots, Pivots] {
  return [one, two];
}
