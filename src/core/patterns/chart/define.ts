import type { Candles } from "../../market/candles.js";
import { type Boundary, definePattern, type Hit, type Pattern, type PatternSeries } from "../define.js";
import { priceOrNull, rewardRisk, targetAhead } from "../events.js";
import { breakVolume } from "./checks.js";
import { LOOKBACK, type Outcome, outcomesOf } from "./course.js";
import { type ChartShape, type Edge, joined, valueAt } from "./shape.js";

/** Bars of history before the first bar at which a shape can be seen: one more than an average range takes. */
export const CHART_WARMUP = 15;

export interface ChartDefinition extends Omit<Pattern, "family" | "find"> {
  /** Appends the shapes whose `formedAt` lies in [from, to), each decided by bars up to its `formedAt`. */
  sketch(series: PatternSeries, from: number, to: number, shapes: ChartShape[]): void;
}

/**
 * A row of the pattern table from the shapes it knows.
 *
 * A shape is forming when its last point is known, unless price has closed beyond its trigger by then, which
 * confirms it at once. One that was refuted by then, or whose target was reached, is no longer told of. Shapes are of one
 * kind where a close could confirm the same variant of both. Of those with the same ends the one known first counts, and
 * of those that mostly share their bars the better one: known before, the other is none; known later, the other
 * expires. One that begins as another and has more points stands for it in the same way. Of those with one variant,
 * state and bar the best is told of, and of equals the longest.
 *
 * A way out is told once: while price has stayed beyond the line by which it left a shape, another that has grown out
 * of that one, or lies by half within it, is not told of, and one that waited expires where it would have been confirmed.
 * Once a close is back within, the break was false and the shape may be drawn again. One that failed leaves
 * room at once: with the swings since then it has other lines, which price has not left.
 */
export function defineChart({ sketch, ...row }: ChartDefinition): Pattern {
  return definePattern<Pattern>({
    ...row,
    family: "chart",
    find(series, from, to, hits) {
      const shapes: ChartShape[] = [];
      sketch(series, Math.max(0, from - LOOKBACK), to, shapes);
      for (const outcome of outcomesOf(series.candles.close, shapes, from, to)) {
        hits.push(hitOf(series.candles, outcome));
      }
    },
  });
}

function hitOf(candles: Candles, { shape, exit, state, at }: Outcome): Hit {
  const { variant, reach } = exit;
  const { direction } = variant;
  const trigger = valueAt(exit.trigger, at);
  const stop = priceOrNull(valueAt(exit.stop, at));
  const entry = state === "forming" ? trigger : candles.close[at];
  const target = targetAhead(direction, entry, trigger + direction * reach);
  shape.description ??= shape.describe();
  const { points, edges, checks } = shape.description;
  return {
    variant,
    at,
    start: shape.start,
    quality: shape.quality,
    state,
    formation: {
      formedAt: shape.formedAt,
      points,
      boundaries: edges.map((edge) => boundaryOf(edge, at)),
      trigger,
      target,
      stop,
      rewardRisk: rewardRisk(direction, entry, target, stop),
      checks: state === "confirmed" ? joined(checks, [breakVolume(candles, at)]) : checks,
    },
  };
}

function boundaryOf({ role, begin, line, until }: Edge, at: number): Boundary {
  const end = until ?? at;
  return { role, from: begin, to: { at: end, price: valueAt(line, end) } };
}
