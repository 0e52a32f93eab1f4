import type { PatternVariant } from "../define.js";
import { trendInto, volumeTrend } from "./checks.js";
import { type Corridor, corridorShape, sketchCorridors } from "./corridor.js";
import { CHART_WARMUP, defineChart } from "./define.js";
import { atLeast, atMost, grade, mean } from "./shape.js";
import { BOTH_BOOKS } from "./sources.js";

/** Least slope of the flatter line in widths, and width at the end per that at the begin. */
const SLOPED = 0.22;
const NARROWED = 0.78;

/** A wedge that slopes in a direction and is expected to be left in the other one. */
function wedge(name: string, title: string, slope: 1 | -1) {
  const variant: PatternVariant = {
    id: name,
    title,
    direction: slope === 1 ? -1 : 1,
    outlook: "reversal",
    priorTrend: null,
  };
  const [rising, near, away] = slope === 1 ? ["rising", "lower", "below"] : ["falling", "upper", "above"];
  const flatterOf = ({ upperRise, lowerRise }: Corridor) => (slope === 1 ? upperRise : -lowerRise);

  function fits(corridor: Corridor): boolean {
    return corridor.isFull && flatterOf(corridor) >= SLOPED && corridor.narrowing <= NARROWED;
  }

  return defineChart({
    name,
    title,
    variants: [variant],
    bars: 6,
    warmup: CHART_WARMUP,
    description: `Swings between two ${rising} lines that approach each other; a close ${away} the ${near} one confirms.`,
    source: BOTH_BOOKS,
    sketch(series, from, to, shapes) {
      sketchCorridors(series, from, to, shapes, fits, (corridor) => {
        const { upperRise, lowerRise, narrowing, width, start, lastAt } = corridor;
        const flatter = flatterOf(corridor);
        const steeper = slope === 1 ? lowerRise : -upperRise;
        const form = mean([grade(flatter, 1, 0), grade(narrowing, 0.3, NARROWED)]);
        // Back to where the wedge began.
        const reach = steeper * width;
        const ways = {
          up: slope === 1 ? null : variant,
          down: slope === 1 ? variant : null,
          expects: slope === 1 ? (-1 as const) : (1 as const),
          reach,
        };
        const checks = () => [
          atLeast("flatter_side_rise", flatter, SLOPED),
          atMost("narrowing", narrowing, NARROWED),
          trendInto(series, start, slope),
          volumeTrend(series.candles, start, lastAt),
        ];
        return corridorShape(corridor, ways, form, () => ({ checks: checks() }));
      });
    },
  });
}

export const risingWedge = wedge("rising_wedge", "Rising Wedge", 1);

export const fallingWedge = wedge("falling_wedge", "Falling Wedge", -1);
