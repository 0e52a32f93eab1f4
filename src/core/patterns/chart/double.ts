import { CHART_WARMUP, defineChart } from "./define.js";
import { type EndsKind, sketchEnds, turnVariant } from "./ends.js";
import { DOUBLE, DOUBLE_DIFFERENCE, DOUBLE_HEIGHT, DOUBLE_SKEW } from "./kinds.js";
import { atLeast, atMost, grade, level, mean } from "./shape.js";
import { BOTH_BOOKS } from "./sources.js";
import { endPoint, riseInto, type Tops, turnPoint } from "./tops.js";

/** Least move into the shape per height. */
const LEAST_RISE = 0.9;

interface Sizes {
  readonly height: number;
  /** Per height. */
  readonly difference: number;
  readonly rise: number;
  readonly skew: number;
}

/** Sizes of two ends and the turn between them; null where they make no double top. */
function measure(tops: Tops): Sizes | null {
  const { side, near, far, first, last, turn } = tops;
  const left = side * near[first];
  const right = side * near[last];
  const highest = Math.max(left, right);
  const height = Math.min(left, right) - side * far[turn];
  const rise = riseInto(tops, left, highest) / height;
  if (!(rise >= LEAST_RISE)) return null;
  const span = last - first;
  const skew = Math.abs(turn - first - span / 2) / span;
  return { height, difference: Math.abs(left - right) / height, rise, skew };
}

function double(side: 1 | -1) {
  const name = side === 1 ? "double_top" : "double_bottom";
  const title = side === 1 ? "Double Top" : "Double Bottom";
  const variant = turnVariant(name, title, side);
  const [ends, between, end] = side === 1 ? ["highs", "low", "top"] : ["lows", "high", "bottom"];
  const valley = side === 1 ? "valley" : "peak";
  const firstEnd = `first_${end}`;
  const secondEnd = `second_${end}`;
  const kind: EndsKind<Sizes> = {
    side,
    kind: DOUBLE,
    variant,
    size: 3,
    measure,
    trigger: ({ far, turn }) => level(turn, far[turn]),
    stop: ({ near, first, last }) =>
      level(first, side * near[first] > side * near[last] ? near[first] : near[last]),
    reach: (_, { height }) => height,
    quality: ({ range }, { height, difference, rise, skew }) =>
      mean([
        grade(difference, 0, DOUBLE_DIFFERENCE),
        grade(height / range, 4, DOUBLE_HEIGHT),
        grade(rise, 2, LEAST_RISE),
        grade(skew, 0, DOUBLE_SKEW),
      ]),
    points: (tops, formedAt) => [
      endPoint(tops, firstEnd, tops.first, formedAt),
      turnPoint(tops, valley, tops.turn, tops.last),
      endPoint(tops, secondEnd, tops.last, formedAt),
    ],
    checks: ({ range }, { height, difference, rise, skew }) => [
      atMost("end_difference", difference, DOUBLE_DIFFERENCE),
      atLeast("height", height / range, DOUBLE_HEIGHT),
      atLeast("move_into", rise, LEAST_RISE),
      atMost("skew", skew, DOUBLE_SKEW),
    ],
  };

  return defineChart({
    name,
    title,
    variants: [variant],
    bars: 4,
    warmup: CHART_WARMUP,
    description: `Two ${ends} of about one price after a move towards them, with a ${between} between them; a close beyond that ${between} confirms.`,
    source: BOTH_BOOKS,
    sketch: (series, from, to, shapes) => sketchEnds(series, from, to, shapes, kind),
  });
}

export const doubleTop = double(1);

export const doubleBottom = double(-1);
