import { CHART_WARMUP, defineChart } from "./define.js";
import { type EndsKind, sketchEnds, turnVariant } from "./ends.js";
import { atLeast, atMost, grade, level, mean } from "./shape.js";
import { BOTH_BOOKS } from "./sources.js";
import { endPoint, riseInto, type Tops, turnPoint } from "./tops.js";

/** Least height of each of both turns between in average ranges, and greatest difference of the ends per height. */
const LEAST_HEIGHT = 0.9;
const MOST_DIFFERENCE = 0.25;
const LEAST_RISE = 0.9;
/** How far a bar before the shape may stand above it, per height. */
const MOST_OVER = 0.1;

/** Distance of the middle end from the middle, per span, and how far it may stand above the others, per height. */
const MOST_SKEW = 0.32;
const MOST_LEAD = 0.1;

interface Sizes {
  readonly top: number;
  readonly height: number;
  /** Height of the lower of the turns between below the lowest end. */
  readonly shallower: number;
  /** Per height. */
  readonly difference: number;
  readonly rise: number;
  readonly skew: number;
}

/** Sizes of three ends and the turns between them; null where they make no triple top. */
function measure(tops: Tops): Sizes | null {
  const { side, near, far, first, middle, last, leftTurn, rightTurn, range } = tops;
  if (middle < 0 || leftTurn < first || leftTurn === middle || rightTurn === middle) return null;
  const left = side * near[first];
  const centre = side * near[middle];
  const right = side * near[last];
  const top = Math.max(left, centre, right);
  const least = Math.min(left, centre, right);
  const shallower = least - Math.max(side * far[leftTurn], side * far[rightTurn]);
  const height = top - Math.min(side * far[leftTurn], side * far[rightTurn]);
  const difference = (top - least) / height;
  const lead = (centre - Math.max(left, right)) / height;
  if (lead > MOST_LEAD) return null;
  if (!(shallower >= LEAST_HEIGHT * range) || difference > MOST_DIFFERENCE) return null;
  const span = last - first;
  const skew = Math.abs(middle - first - span / 2) / span;
  if (skew > MOST_SKEW) return null;
  const rise = riseInto(tops, left, top + MOST_OVER * height) / height;
  return rise >= LEAST_RISE ? { top, height, shallower, difference, rise, skew } : null;
}

function triple(side: 1 | -1) {
  const name = side === 1 ? "triple_top" : "triple_bottom";
  const title = side === 1 ? "Triple Top" : "Triple Bottom";
  const variant = turnVariant(name, title, side);
  const [ends, turns, end, between] =
    side === 1 ? ["highs", "lows", "top", "valley"] : ["lows", "highs", "bottom", "peak"];
  const [firstEnd, secondEnd, thirdEnd] = [`first_${end}`, `second_${end}`, `third_${end}`];
  const [firstTurn, secondTurn] = [`first_${between}`, `second_${between}`];
  const kind: EndsKind<Sizes> = {
    side,
    variant,
    size: 5,
    measure,
    trigger: ({ far, turn }) => level(turn, far[turn]),
    stop: ({ first }, { top }) => level(first, side * top),
    reach: (_, { height }) => height,
    quality: ({ range }, { shallower, difference, rise, skew }) =>
      mean([
        grade(difference, 0, MOST_DIFFERENCE),
        grade(shallower / range, 3, LEAST_HEIGHT),
        grade(rise, 2, LEAST_RISE),
        grade(skew, 0, MOST_SKEW),
      ]),
    points: (tops, formedAt) => [
      endPoint(tops, firstEnd, tops.first, formedAt),
      turnPoint(tops, firstTurn, tops.leftTurn, tops.middle),
      endPoint(tops, secondEnd, tops.middle, formedAt),
      turnPoint(tops, secondTurn, tops.rightTurn, tops.last),
      endPoint(tops, thirdEnd, tops.last, formedAt),
    ],
    checks: ({ range }, { shallower, difference, rise }) => [
      atMost("end_difference", difference, MOST_DIFFERENCE),
      atLeast("height", shallower / range, LEAST_HEIGHT),
      atLeast("move_into", rise, LEAST_RISE),
    ],
  };

  return defineChart({
    name,
    title,
    variants: [variant],
    bars: 6,
    warmup: CHART_WARMUP,
    description: `Three ${ends} of about one price after a move towards them, with ${turns} between them; a close beyond the farther of those ${turns} confirms.`,
    source: BOTH_BOOKS,
    sketch: (series, from, to, shapes) => sketchEnds(series, from, to, shapes, kind),
  });
}

export const tripleTop = triple(1);

export const tripleBottom = triple(-1);
