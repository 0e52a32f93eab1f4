import type { AssetClass } from "../../core/market/instrument.js";
import type { Confidence, Evidence } from "../evidence/evidence.js";
import { costsOf } from "./levels.js";
import type { NewDetection } from "./store.js";

/** What decides which measured trades a detection is like. */
export type Measurable = Pick<
  NewDetection,
  "pattern" | "interval" | "regime" | "state" | "trendMet" | "direction" | "price" | "facts" | "formation"
>;

/**
 * What was measured of trades like the one on a detection. Shapes were measured when they were confirmed and in the
 * trend that gives them their meaning. Any other has no confidence, and a reason, beside what those came to.
 */
export function measuredOf(
  detection: Measurable,
  assetClass: AssetClass,
  confidenceOf: Evidence["confidenceOf"],
): Confidence {
  const { pattern, interval, regime, state, trendMet } = detection;
  const measured = confidenceOf(pattern, interval, regime, costsOf(detection, assetClass));
  if (measured.value === null) return measured;
  if (state !== "confirmed")
    return { ...measured, value: null, reason: `It is ${state}, and confirmed ones were measured` };
  if (trendMet === false)
    return { ...measured, value: null, reason: "It is not in the trend it was measured in" };
  return measured;
}
