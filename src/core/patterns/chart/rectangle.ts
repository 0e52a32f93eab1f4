import type { PatternVariant } from "../define.js";
import { trendInto, volumeTrend } from "./checks.js";
import { type Corridor, corridorShape, sketchCorridors } from "./corridor.js";
import { CHART_WARMUP, defineChart } from "./define.js";
import { atMost, grade } from "./shape.js";
import { BOTH_BOOKS } from "./sources.js";
import { arrival } from "./triangle.js";

/** Rise of a side, in widths, up to which it is level. */
const LEVEL = 0.25;

const up: PatternVariant = {
  id: "bullish_rectangle",
  title: "Bullish Rectangle",
  direction: 1,
  outlook: "continuation",
  priorTrend: null,
};

const down: PatternVariant = {
  id: "bearish_rectangle",
  title: "Bearish Rectangle",
  direction: -1,
  outlook: "continuation",
  priorTrend: null,
};

/** Rise of the steeper side, in widths. */
function steepnessOf({ upperRise, lowerRise }: Corridor): number {
  return Math.max(Math.abs(upperRise), Math.abs(lowerRise));
}

function fits(corridor: Corridor): boolean {
  return corridor.isFull && steepnessOf(corridor) <= LEVEL;
}

export const rectangle = defineChart({
  name: "rectangle",
  title: "Rectangle",
  variants: [up, down],
  bars: 6,
  warmup: CHART_WARMUP,
  description:
    "Swings between two level lines. It forms as the variant of the move that led into it; a close beyond a line confirms the variant of that side, and a close beyond the other one fails the variant that formed.",
  source: BOTH_BOOKS,
  sketch(series, from, to, shapes) {
    sketchCorridors(series, from, to, shapes, fits, (corridor) => {
      const { width, start, lastAt } = corridor;
      const slope = steepnessOf(corridor);
      const expects = arrival(corridor);
      const checks = () => [
        atMost("side_rise", slope, LEVEL),
        trendInto(series, start, expects),
        volumeTrend(series.candles, start, lastAt),
      ];
      return corridorShape(corridor, { up, down, expects, reach: width }, grade(slope, 0, LEVEL), () => ({
        checks: checks(),
      }));
    });
  },
});
