import type { Check } from "../define.js";
import { CHART_WARMUP, defineChart } from "./define.js";
import { type EndsKind, sketchEnds, turnVariant } from "./ends.js";
import { HEAD, HEAD_LOPSIDED } from "./kinds.js";
import { atLeast, atMost, grade, level, mean, slopeOf } from "./shape.js";
import { BOTH_BOOKS } from "./sources.js";
import { endPoint, riseInto, type Tops, turnPoint } from "./tops.js";

/** Least height of the head over the neckline, in average ranges. */
const LEAST_HEIGHT = 1.9;
/** Per height of the head: how far it stands out, least height of a shoulder, differences of shoulders and turns. */
const LEAST_LEAD = 0.09;
const LEAST_SHOULDER = 0.25;
const MOST_DIFFERENCE = 0.2;
const MOST_TILT = 0.5;
const LEAST_RISE = 0.55;
const MOST_OVER = 0.1;

interface Sizes {
  /** Rise of the line through the turns on both sides of the head, per bar. */
  readonly slope: number;
  readonly height: number;
  /** Per height. */
  readonly lead: number;
  readonly shoulder: number;
  readonly difference: number;
  readonly tilt: number;
  readonly lopsided: number;
  /** Move into the left shoulder. */
  readonly rise: number;
}

/** Sizes of shoulders and head about the neckline; null where they make no shape. */
function measure(tops: Tops): Sizes | null {
  const { side, near, far, first, middle, last, leftTurn, rightTurn, range } = tops;
  const higher = Math.max(side * near[first], side * near[last]);
  const before = middle - first;
  const after = last - middle;
  const lopsided = Math.max(before, after) / Math.min(before, after);
  const slope = slopeOf(leftTurn, far[leftTurn], rightTurn, far[rightTurn]);
  const over = (pivot: number) => side * (near[pivot] - (far[leftTurn] + slope * (pivot - leftTurn)));
  const height = over(middle);
  if (!(height >= LEAST_HEIGHT * range)) return null;
  const lead = (side * near[middle] - higher) / height;
  const shoulder = Math.min(over(first), over(last)) / height;
  if (!(lead >= LEAST_LEAD && shoulder >= LEAST_SHOULDER && shoulder * height >= 0.9 * range)) return null;
  const difference = Math.abs(near[first] - near[last]) / height;
  const tilt = Math.abs(slope * (rightTurn - leftTurn)) / height;
  if (!(difference <= MOST_DIFFERENCE && tilt <= MOST_TILT)) return null;
  const rise = riseInto(tops, side * near[first], side * near[middle] + MOST_OVER * height) / height;
  return rise < LEAST_RISE ? null : { slope, height, lead, shoulder, difference, tilt, lopsided, rise };
}

function qualityOf({ range }: Tops, { height, lead, difference, tilt, lopsided }: Sizes): number {
  return mean([
    grade(difference, 0, MOST_DIFFERENCE),
    grade(tilt, 0, MOST_TILT),
    grade(lopsided, 1, HEAD_LOPSIDED),
    grade(lead, 0.4, LEAST_LEAD),
    grade(height / range, 5, LEAST_HEIGHT),
  ]);
}

function checksOf({ range }: Tops, sizes: Sizes): Check[] {
  const { height, lead, shoulder, difference, tilt, lopsided, rise } = sizes;
  return [
    atLeast("height", height / range, LEAST_HEIGHT),
    atLeast("head_lead", lead, LEAST_LEAD),
    atLeast("shoulder_height", shoulder, LEAST_SHOULDER),
    atMost("shoulder_difference", difference, MOST_DIFFERENCE),
    atMost("neckline_tilt", tilt, MOST_TILT),
    atMost("lopsidedness", lopsided, HEAD_LOPSIDED),
    atLeast("move_into", rise, LEAST_RISE),
  ];
}

function headAndShoulders(side: 1 | -1) {
  const name = side === 1 ? "head_and_shoulders" : "inverse_head_and_shoulders";
  const title = side === 1 ? "Head and Shoulders" : "Inverse Head and Shoulders";
  const variant = turnVariant(name, title, side);
  const [ends, turns, turn] = side === 1 ? ["highs", "lows", "trough"] : ["lows", "highs", "peak"];

  const leftRole = `left_${turn}`;
  const rightRole = `right_${turn}`;
  const kind: EndsKind<Sizes> = {
    side,
    kind: HEAD,
    variant,
    size: 5,
    measure,
    trigger: ({ far, leftTurn }, { slope }) => ({ at: leftTurn, price: far[leftTurn], slope }),
    stop: ({ near, last }) => level(last, near[last]),
    reach: (_, { height }) => height,
    quality: qualityOf,
    points: (tops, formedAt) => [
      endPoint(tops, "left_shoulder", tops.first, formedAt),
      turnPoint(tops, leftRole, tops.leftTurn, tops.middle),
      endPoint(tops, "head", tops.middle, formedAt),
      turnPoint(tops, rightRole, tops.rightTurn, tops.last),
      endPoint(tops, "right_shoulder", tops.last, formedAt),
    ],
    checks: checksOf,
  };

  return defineChart({
    name,
    title,
    variants: [variant],
    bars: 6,
    warmup: CHART_WARMUP,
    description: `Three ${ends} of which the middle one stands out and the others are about alike; a close beyond the line through the ${turns} between them confirms.`,
    source: BOTH_BOOKS,
    sketch: (series, from, to, shapes) => sketchEnds(series, from, to, shapes, kind),
  });
}

export const headAndShouldersTop = headAndShoulders(1);

export const inverseHeadAndShoulders = headAndShoulders(-1);
