import { DAY_MS } from "../../core/market/day.js";
import { titleOf } from "../catalogue/pattern-names.js";
import type { DetectionStore } from "../detections/store.js";

/** A shape that is forming and may come to a trade. */
export interface Setup {
  readonly symbol: string;
  readonly pattern: string;
  /** When a shape ends nobody knows. */
  readonly expected_date: null;
  /** Measured hit rate of the pattern once it is confirmed; null while there is none. */
  readonly probability: number | null;
  readonly reasoning: string;
}

const RECENT_MS = 7 * DAY_MS;
const READ = 100;
const SHOWN = 10;

/** Shapes that were seen forming in the last week and have not been confirmed since, the newest first. */
export function createSetups(options: {
  detectionStore: Pick<DetectionStore, "list">;
  synthetic: boolean;
  now: () => number;
}): (symbol: string | null) => Promise<readonly Setup[]> {
  const { detectionStore, synthetic, now } = options;
  return async (symbol) => {
    const filter = { ...(symbol === null ? {} : { symbol }), from: now() - RECENT_MS };
    const recent = await detectionStore.list(filter, synthetic, READ, 0);
    const seen = new Set<string>();
    const setups: Setup[] = [];
    for (const detection of recent) {
      const name = `${detection.symbol} ${detection.interval} ${detection.pattern}`;
      if (seen.has(name)) continue;
      seen.add(name);
      if (detection.state !== "forming" || setups.length === SHOWN) continue;
      const { confidence, interval } = detection;
      const measured =
        confidence === null
          ? "no hit rate has been measured"
          : `once confirmed, such cases reached the target first ${(100 * confidence).toFixed(0)} % of the time`;
      setups.push({
        symbol: detection.symbol,
        pattern: titleOf(detection.pattern),
        expected_date: null,
        probability: confidence,
        reasoning: `Forming on ${interval} bars at ${detection.price}; ${measured}`,
      });
    }
    return setups;
  };
}
