import type { LayerFusion } from "../../core/signals/fuse.js";
import type { Levels } from "../../core/signals/levels.js";
import { leadBy } from "./lead.js";
import { type SeenPattern, strengthOf } from "./look.js";
import { priceOf, type Reading } from "./reading.js";

/** What a pattern is held against where a least confidence is asked for. */
export interface Judged {
  readonly value: number;
  /** Measured hit rate, or quality where too few trades tell. */
  readonly basis: "confidence" | "quality";
}

/** A trade that can be entered now. */
export interface EntrySignal {
  readonly pattern: SeenPattern;
  readonly direction: 1 | -1;
  readonly levels: Levels;
  readonly fusion: LayerFusion;
  readonly judged: Judged;
  /** Whether the decision on the symbol is to trade in this direction. */
  readonly agrees: boolean;
}

export function judge({ confidence, detection }: Pick<SeenPattern, "confidence" | "detection">): Judged {
  return confidence.value === null
    ? { value: detection.quality, basis: "quality" }
    : { value: confidence.value, basis: "confidence" };
}

/**
 * A signal for each pattern of the newest bars whose trade is open, what says most first: its price has reached neither
 * stop nor target. @param least of the measured hit rate, or of the quality where there is none, 0..1.
 */
export function entriesOf(reading: Reading, least = 0): EntrySignal[] {
  const price = priceOf(reading);
  const { action } = reading.decision;
  return [...reading.live]
    .sort((a, b) => strengthOf(b) - strengthOf(a))
    .flatMap((pattern) => {
      const { levels } = pattern;
      const { direction } = pattern.detection;
      if (levels === null || direction === 0) return [];
      const inside = direction * (price - levels.stop) > 0 && direction * (levels.target - price) > 0;
      const judged = judge(pattern);
      if (!inside || judged.value < least) return [];
      const { fusion } = leadBy(reading, pattern);
      const agrees = action === (direction > 0 ? "BUY" : "SELL");
      return [{ pattern, direction, levels, fusion, judged, agrees }];
    });
}
