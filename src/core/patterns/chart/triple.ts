import { CHART_WARMUP, defineChart } from "./define.js";
import { type EndsKind, sketchEnds, turnVariant } from "./ends.js";
import { TRIPLE, TRIPLE_DIFFERENCE, TRIPLE_HEIGHT, TRIPLE_SKEW } from "./kinds.js";
import { atLeast, atMost, grade, level, mean } from "./shape.js";
import { BOTH_BOOKS } from "./sources.js";
import { endPoint, riseInto, type Tops, turnPoint } from "./tops.js";

const LEAST_RISE = 0.9;
/** How far a bar before the shape may stand above it, per height. */
const MOST_OVER = 0.1;

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
  const { side, near, far, first, middle, last, leftTurn, rightTurn } = tops;
  const left = side * near[first];
  const centre = side * near[middle];
  const right = side * near[last];
  const top = Math.max(left, centre, right);
  const height = top - Math.min(side * far[leftTurn], side * far[rightTurn]);
  const rise = riseInto(tops, left, top + MOST_OVER * height) / height;
  if (!(rise >= LEAST_RISE)) return null;
  const least = Math.min(left, centre, right);
  const shallower = least - Math.max(side * far[leftTurn], side * far[rightTurn]);
  const span = last - first;
  const skew = Math.abs(middle - first - span / 2) / span;
  return { top, height, shallower, difference: (top - least) / height, rise, skew };
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
    kind: TRIPLE,
    variant,
    size: 5,
    measure,
    trigger: ({ far, turn }) => level(turn, far[turn]),
    stop: ({ first }, { top }) => level(first, side * top),
    reach: (_, { height }) => height,
    quality: ({ range }, { shallower, difference, rise, skew }) =>
      mean([
        grade(difference, 0, TRIPLE_DIFFERENCE),
        grade(shallower / range, 3, TRIPLE_HEIGHT),
        grade(rise, 2, LEAST_RISE),
        grade(skew, 0, TRIPLE_SKEW),
      ]),
    points: (tops, formedAt) => [
      endPoint(tops, firstEnd, tops.first, formedAt),
      turnPoint(tops, firstTurn, tops.leftTurn, tops.middle),
      endPoint(tops, secondEnd, tops.middle, formedAt),
      turnPoint(tops, secondTurn, tops.rightTurn, tops.last),
      endPoint(tops, thirdEnd, tops.last, formedAt),
    ],
    checks: ({ range }, { shallower, difference, rise }) => [
      atMost("end_difference", difference, TRIPLE_DIFFERENCE),
      atLeast("height", shallower / range, TRIPLE_HEIGHT),
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
