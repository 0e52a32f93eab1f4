import type { AssetClass } from "../../core/market/instrument.js";
import { COST_CLASSES, type CostClass, costClassOf, costShare } from "../../core/signals/cost-class.js";
import { type Levels, levelsFor, ROUND_TRIP_BPS } from "../../core/signals/levels.js";
import type { NewDetection } from "./store.js";

/** Levels of a trade on a detection, at the close of its bar; null without any. */
export function levelsOf({
  direction,
  price,
  facts,
  formation,
}: Pick<NewDetection, "direction" | "price" | "facts" | "formation">): Levels | null {
  return levelsFor(direction, price, facts.range, formation);
}

/** What the costs of a trade by levels take of the way to its target, as `costShare`; null where there is no trade. */
export function shareOfCosts(
  levels: Pick<Levels, "entry" | "target"> | null,
  assetClass: AssetClass,
): number | null {
  return levels === null ? null : costShare(levels.entry, levels.target, ROUND_TRIP_BPS[assetClass]);
}

/** Class of what the costs of the trade on a detection take of the way to its target; null where there is no trade. */
export function costsOf(
  detection: Pick<NewDetection, "direction" | "price" | "facts" | "formation">,
  assetClass: AssetClass,
): CostClass | null {
  const share = shareOfCosts(levelsOf(detection), assetClass);
  return share === null ? null : COST_CLASSES[costClassOf(share)];
}
