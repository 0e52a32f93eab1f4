import type { PatternVariant } from "../define.js";
import { trendInto, volumeTrend } from "./checks.js";
import { type Corridor, corridorShape, sketchCorridors } from "./corridor.js";
import { CHART_WARMUP, defineChart } from "./define.js";
import { atLeast, atMost, grade, mean } from "./shape.js";
import { EDWARDS_MAGEE } from "./sources.js";

/** Least rise of the flatter side, and greatest difference of the sides' rises, in widths. */
const SLOPED = 0.4;
const PARALLEL = 0.3;

/** Difference of the rises of the sides, in widths. */
function differenceOf({ upperRise, lowerRise }: Corridor): number {
  return Math.abs(upperRise - lowerRise);
}

/** A channel in the direction of its trend, which goes on beyond the far line and ends beyond the near one. */
function channel(name: string, title: string, slope: 1 | -1) {
  const up: PatternVariant = {
    id: `${name}_breakout`,
    title: `${title} Breakout`,
    direction: 1,
    outlook: slope === 1 ? "continuation" : "reversal",
    priorTrend: null,
  };
  const down: PatternVariant = {
    id: `${name}_breakdown`,
    title: `${title} Breakdown`,
    direction: -1,
    outlook: slope === 1 ? "reversal" : "continuation",
    priorTrend: null,
  };
  const rising = slope === 1 ? "rising" : "falling";
  const flatterOf = ({ upperRise, lowerRise }: Corridor) => Math.min(slope * upperRise, slope * lowerRise);

  function fits(corridor: Corridor): boolean {
    return corridor.isFull && flatterOf(corridor) >= SLOPED && differenceOf(corridor) <= PARALLEL;
  }

  return defineChart({
    name,
    title,
    variants: [up, down],
    bars: 6,
    warmup: CHART_WARMUP,
    description: `Swings between two parallel ${rising} lines. While it forms its trend is expected to end; a close beyond a line confirms the variant of that side, and a close beyond the far one fails the variant that formed.`,
    source: EDWARDS_MAGEE,
    sketch(series, from, to, shapes) {
      sketchCorridors(series, from, to, shapes, fits, (corridor) => {
        const { width, start, lastAt } = corridor;
        const flatter = flatterOf(corridor);
        const difference = differenceOf(corridor);
        const form = mean([grade(flatter, 1.5, 0), grade(difference, 0, PARALLEL)]);
        const ways = { up, down, expects: slope === 1 ? (-1 as const) : (1 as const), reach: width };
        const checks = () => [
          atLeast("side_rise", flatter, SLOPED),
          atMost("side_difference", difference, PARALLEL),
          trendInto(series, start, slope),
          volumeTrend(series.candles, start, lastAt),
        ];
        return corridorShape(corridor, ways, form, () => ({ checks: checks() }));
      });
    },
  });
}

export const ascendingChannel = channel("ascending_channel", "Ascending Channel", 1);

export const descendingChannel = channel("descending_channel", "Descending Channel", -1);
