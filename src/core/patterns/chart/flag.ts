import type { PatternSeries, PatternVariant } from "../define.js";
import { volumeTrend } from "./checks.js";
import {
  type Corridor,
  corridorShape,
  LEAST_POLE,
  LONGEST_POLE,
  SHORT,
  sketchCorridors,
} from "./corridor.js";
import { CHART_WARMUP, defineChart } from "./define.js";
import { atLeast, atMost, type ChartShape, edge, grade, mean, through } from "./shape.js";
import { BOTH_BOOKS } from "./sources.js";
import { arrival } from "./triangle.js";

/** Least length of a pole in average ranges a bar. */
const LEAST_PACE = 0.5;
/** Bars of the rest at most, and the share of the pole that it may give back. */
const LONGEST_REST = SHORT;
const MOST_GIVEN_BACK = 0.55;
/** Width at the end per that at the begin from which a rest is a flag and below which it is a pennant. */
const PARALLEL = 0.65;
/** Greatest rise of a flag along its pole, in widths. */
const MOST_ALONG = 0.3;

interface Pole {
  readonly at: number;
  readonly price: number;
  readonly length: number;
  /** Average ranges a bar. */
  readonly pace: number;
}

/**
 * The pole that ends with the first swing of a rest: from the bar, of the twenty before, that price has come from
 * by most more than the least pace asks for. Null where it has not come so fast or so far.
 */
function poleOf({ candles, range }: PatternSeries, tip: number, direction: 1 | -1): Pole | null {
  const top = direction === 1 ? candles.high[tip] : -candles.low[tip];
  const base = direction === 1 ? candles.low : candles.high;
  const pace = LEAST_PACE * range[tip];
  let at = -1;
  let most = 0;
  for (let i = tip - 1; i >= Math.max(0, tip - LONGEST_POLE); i--) {
    const ahead = top - direction * base[i] - pace * (tip - i);
    if (ahead <= most) continue;
    most = ahead;
    at = i;
  }
  if (at < 0) return null;
  const length = top - direction * base[at];
  if (length < LEAST_POLE * range[tip]) return null;
  return { at, price: base[at], length, pace: length / (range[tip] * (tip - at)) };
}

/** Flags rest between parallel lines, pennants between lines that approach each other. */
function rest(
  name: string,
  title: string,
  [up, down]: readonly [PatternVariant, PatternVariant],
  description: string,
  fits: (corridor: Corridor, direction: 1 | -1) => boolean,
) {
  function isRest(corridor: Corridor): boolean {
    return corridor.lastAt - corridor.start <= LONGEST_REST && fits(corridor, arrival(corridor));
  }

  function shapeOf(corridor: Corridor, series: PatternSeries): ChartShape | null {
    const { start, lastAt, width, narrowing, pivots, swings } = corridor;
    const direction = arrival(corridor);
    const pole = poleOf(series, start, direction);
    if (pole === null) return null;
    // The far line may also fall away from the pole: what it gives back is greatest at one of its ends.
    const along = direction === 1 ? corridor.lowerRise : -corridor.upperRise;
    const depth = (width * Math.max(1, 1 - along)) / pole.length;
    if (depth > MOST_GIVEN_BACK) return null;
    const ways = {
      up: direction === 1 ? up : null,
      down: direction === 1 ? null : down,
      expects: direction,
      reach: pole.length,
    };
    const form = mean([grade(depth, 0.2, MOST_GIVEN_BACK), grade(pole.pace, 1.5, 0)]);
    const tip = pivots.price[swings[0]];
    const shape = corridorShape(corridor, ways, form, () => ({
      points: [{ role: "pole_base", at: pole.at, price: pole.price, knownAt: start }],
      edges: [edge("pole", through(pole.at, pole.price, start, tip), start)],
      checks: [
        atLeast("pole_pace", pole.pace, LEAST_PACE),
        atMost("given_back", depth, MOST_GIVEN_BACK),
        atMost("narrowing", narrowing, 1.25),
        volumeTrend(series.candles, start, lastAt),
      ],
    }));
    return shape && { ...shape, start: pole.at };
  }

  return defineChart({
    name,
    title,
    variants: [up, down],
    bars: 6,
    warmup: CHART_WARMUP,
    description,
    source: BOTH_BOOKS,
    sketch: (series, from, to, shapes) => sketchCorridors(series, from, to, shapes, isRest, shapeOf),
  });
}

function variants(name: string, title: string): readonly [PatternVariant, PatternVariant] {
  return [
    { id: `bull_${name}`, title: `Bull ${title}`, direction: 1, outlook: "continuation", priorTrend: null },
    { id: `bear_${name}`, title: `Bear ${title}`, direction: -1, outlook: "continuation", priorTrend: null },
  ];
}

export const flag = rest(
  "flag",
  "Flag",
  variants("flag", "Flag"),
  "A short rest between parallel lines, level or against the move, after a steep move that it gives back at most half of; a close beyond the line on the side of that move confirms.",
  ({ upperRise, lowerRise, narrowing }, direction) => {
    return narrowing >= PARALLEL && Math.max(direction * upperRise, direction * lowerRise) <= MOST_ALONG;
  },
);

export const pennant = rest(
  "pennant",
  "Pennant",
  variants("pennant", "Pennant"),
  "A short rest between lines that approach each other, after a steep move that it gives back at most half of; a close beyond the line on the side of that move confirms.",
  ({ upperRise, lowerRise, narrowing }) => narrowing < PARALLEL && upperRise < 0.1 && lowerRise > -0.1,
);
