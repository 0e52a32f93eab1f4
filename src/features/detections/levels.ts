import { type Levels, levelsFor } from "../../core/signals/levels.js";
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
