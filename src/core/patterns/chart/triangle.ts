import type { PatternVariant } from "../define.js";
import { trendInto, volumeTrend } from "./checks.js";
import { type Corridor, corridorShape, sketchCorridors } from "./corridor.js";
import { CHART_WARMUP, defineChart } from "./define.js";
import { atLeast, atMost, grade, mean } from "./shape.js";
import { BOTH_BOOKS } from "./sources.js";

/** Rise per width up to which a side is level, and from which it slopes; width at the end per that at the begin. */
const LEVEL = 0.22;
const SLOPED = 0.22;
const NARROWED = 0.78;

const ascending: PatternVariant = {
  id: "ascending_triangle",
  title: "Ascending Triangle",
  direction: 1,
  outlook: "continuation",
  priorTrend: null,
};

const descending: PatternVariant = {
  id: "descending_triangle",
  title: "Descending Triangle",
  direction: -1,
  outlook: "continuation",
  priorTrend: null,
};

const symmetricalUp: PatternVariant = {
  id: "bullish_symmetrical_triangle",
  title: "Bullish Symmetrical Triangle",
  direction: 1,
  outlook: "continuation",
  priorTrend: null,
};

const symmetricalDown: PatternVariant = {
  id: "bearish_symmetrical_triangle",
  title: "Bearish Symmetrical Triangle",
  direction: -1,
  outlook: "continuation",
  priorTrend: null,
};

/** A triangle with one level side: the upper one for 1, the lower one for -1. */
function rightAngled(name: string, title: string, direction: 1 | -1, variant: PatternVariant) {
  const [level, sloped] = direction === 1 ? ["level", "rises"] : ["level", "falls"];
  const [side, opposite] = direction === 1 ? ["upper", "lower"] : ["lower", "upper"];
  const flatOf = ({ upperRise, lowerRise }: Corridor) => (direction === 1 ? upperRise : -lowerRise);
  const riseOf = ({ upperRise, lowerRise }: Corridor) => (direction === 1 ? lowerRise : -upperRise);

  function fits(corridor: Corridor): boolean {
    const isLevel = Math.abs(flatOf(corridor)) <= LEVEL;
    return corridor.isFull && isLevel && riseOf(corridor) >= SLOPED && corridor.narrowing <= NARROWED;
  }

  return defineChart({
    name,
    title,
    variants: [variant],
    bars: 6,
    warmup: CHART_WARMUP,
    description:
      `Swings between an ${side} line that is ${level} and an ${opposite} line that ${sloped} towards it; a close beyond the level side confirms.`.replace(
        "an lower",
        "a lower",
      ),
    source: BOTH_BOOKS,
    sketch(series, from, to, shapes) {
      sketchCorridors(series, from, to, shapes, fits, (corridor) => {
        const { narrowing, width, start, lastAt } = corridor;
        const flat = flatOf(corridor);
        const rise = riseOf(corridor);
        const form = mean([grade(Math.abs(flat), 0, LEVEL), grade(narrowing, 0.3, NARROWED)]);
        const ways = {
          up: direction === 1 ? variant : null,
          down: direction === 1 ? null : variant,
          expects: direction,
          reach: width,
        };
        const checks = () => [
          atMost("level_side_rise", Math.abs(flat), LEVEL),
          atLeast("sloped_side_rise", rise, SLOPED),
          atMost("narrowing", narrowing, NARROWED),
          trendInto(series, start, direction),
          volumeTrend(series.candles, start, lastAt),
        ];
        return corridorShape(corridor, ways, form, () => ({ checks: checks() }));
      });
    },
  });
}

export const ascendingTriangle = rightAngled("ascending_triangle", "Ascending Triangle", 1, ascending);

export const descendingTriangle = rightAngled("descending_triangle", "Descending Triangle", -1, descending);

/** Where price came from into a corridor: its first swing is the end of that move. */
export function arrival({ pivots, swings }: Corridor): 1 | -1 {
  return pivots.kind[swings[0]] > 0 ? 1 : -1;
}

function isSymmetrical({ isFull, upperRise, lowerRise, narrowing }: Corridor): boolean {
  return isFull && upperRise <= -LEVEL && lowerRise >= LEVEL && narrowing <= NARROWED;
}

export const symmetricalTriangle = defineChart({
  name: "symmetrical_triangle",
  title: "Symmetrical Triangle",
  variants: [symmetricalUp, symmetricalDown],
  bars: 6,
  warmup: CHART_WARMUP,
  description:
    "Swings between a falling upper and a rising lower line. It forms as the variant of the move that led into it; a close beyond a line confirms the variant of that side, and a close beyond the other one fails the variant that formed.",
  source: BOTH_BOOKS,
  sketch(series, from, to, shapes) {
    sketchCorridors(series, from, to, shapes, isSymmetrical, (corridor) => {
      const { upperRise, lowerRise, narrowing, width, start, lastAt } = corridor;
      const symmetry = Math.abs(upperRise + lowerRise);
      const form = mean([grade(symmetry, 0, 0.6), grade(narrowing, 0.2, NARROWED)]);
      const expects = arrival(corridor);
      const ways = { up: symmetricalUp, down: symmetricalDown, expects, reach: width };
      const checks = () => [
        atMost("upper_rise", upperRise, -LEVEL),
        atLeast("lower_rise", lowerRise, LEVEL),
        trendInto(series, start, expects),
        volumeTrend(series.candles, start, lastAt),
      ];
      return corridorShape(corridor, ways, form, () => ({ checks: checks() }));
    });
  },
});
