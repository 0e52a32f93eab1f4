import type { PatternVariant } from "../define.js";
import { CHART_WARMUP, defineChart } from "./define.js";
import { type EndsKind, sketchEnds } from "./ends.js";
import { UGLY, UGLY_HEIGHT, UGLY_SHORTEST } from "./kinds.js";
import { atLeast, atMost, grade, level, mean } from "./shape.js";
import { BULKOWSKI } from "./sources.js";
import { endPoint, riseInto, type Tops, turnPoint } from "./tops.js";

/** How far the second bottom keeps above the first one, per height of the peak over that. */
const LEAST_STEP = 0.33;
const MOST_STEP = 0.8;
/** Least fall into the first bottom, per height of the peak over it. */
const LEAST_FALL = 0.47;

const variant: PatternVariant = {
  id: "ugly_double_bottom",
  title: "Ugly Double Bottom",
  direction: 1,
  outlook: "reversal",
  priorTrend: "down",
};

interface Sizes {
  /** Height of the peak over the second bottom, in average ranges. */
  readonly height: number;
  /** Per height of the peak over the first bottom. */
  readonly step: number;
  readonly fall: number;
}

/** Sizes of two bottoms and the peak between them; null where they make no ugly double bottom. */
function measure(tops: Tops): Sizes | null {
  const { near, far, first, last, turn, range } = tops;
  const bottom = near[first];
  const peak = far[turn];
  const height = peak - bottom;
  const step = (near[last] - bottom) / height;
  if (step < LEAST_STEP || step > MOST_STEP) return null;
  const fall = riseInto(tops, -bottom, -bottom) / height;
  return fall < LEAST_FALL ? null : { height: (peak - near[last]) / range, step, fall };
}

const kind: EndsKind<Sizes> = {
  side: -1,
  kind: UGLY,
  variant,
  size: 3,
  measure,
  trigger: ({ far, turn }) => level(turn, far[turn]),
  stop: ({ near, last }) => level(last, near[last]),
  reach: ({ near, far, turn, last }) => far[turn] - near[last],
  quality: (_, { height, step, fall }) =>
    mean([grade(height, 4, UGLY_HEIGHT), grade(Math.abs(step - 0.5), 0, 0.25), grade(fall, 2, LEAST_FALL)]),
  points: (tops, formedAt) => [
    endPoint(tops, "first_bottom", tops.first, formedAt),
    turnPoint(tops, "peak", tops.turn, tops.last),
    endPoint(tops, "second_bottom", tops.last, formedAt),
  ],
  checks: (_, { height, step, fall }) => [
    atLeast("height", height, UGLY_HEIGHT),
    atLeast("least_step", step, LEAST_STEP),
    atMost("most_step", step, MOST_STEP),
    atLeast("move_into", fall, LEAST_FALL),
  ],
};

export const uglyDoubleBottom = defineChart({
  name: "ugly_double_bottom",
  title: "Ugly Double Bottom",
  variants: [variant],
  bars: UGLY_SHORTEST + 2,
  warmup: CHART_WARMUP,
  description:
    "Two lows after a fall, the second one well above the first, with a high between them; a close above that high confirms.",
  source: BULKOWSKI,
  sketch: (series, from, to, shapes) => sketchEnds(series, from, to, shapes, kind),
});
