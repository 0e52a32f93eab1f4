import type { Candles } from "../market/candles.js";
import { type Anatomy, computeAnatomy } from "./anatomy.js";
import type { PatternSeries } from "./define.js";

/** A series for detectors to read, whose derived columns are computed when first asked for and then kept. */
export function createPatternSeries(candles: Candles): PatternSeries {
  let anatomy: Anatomy | undefined;
  let workspace: Int16Array | undefined;
  return {
    candles,
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
