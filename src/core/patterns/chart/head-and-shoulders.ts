import type { Check, PatternSeries } from "../define.js";
import { CHART_WARMUP, defineChart } from "./define.js";
import { shapeOfEnds, turnVariant } from "./ends.js";
import {
  atLeast,
  atMost,
  type ChartShape,
  grade,
  type Line,
  level,
  mean,
  through,
  valueAt,
} from "./shape.js";
import { BOTH_BOOKS } from "./sources.js";
import { endPoint, riseInto, sketchTops, type Tops, turnPoint } from "./tops.js";

/** Least height of the head over the neckline, in average ranges. */
const LEAST_HEIGHT = 1.9;
/** Per height of the head: how far it stands out, least height of a shoulder, differences of shoulders and turns. */
const LEAST_LEAD = 0.09;
const LEAST_SHOULDER = 0.25;
const MOST_DIFFERENCE = 0.2;
const MOST_TILT = 0.5;
/** Bars of the longer half per bars of the shorter one. */
const MOST_LOPSIDED = 2.6;
const LEAST_RISE = 0.55;
const MOST_OVER = 0.1;

interface Measures {
  readonly height: number;
  /** Per height. */
  readonly lead: number;
  readonly shoulder: number;
  readonly difference: number;
  readonly tilt: number;
  readonly lopsided: number;
}

/** The line through the turns on both sides of the head. */
function necklineOf({ candles }: PatternSeries, { side, leftTurn, rightTurn }: Tops): Line {
  const far = side === 1 ? candles.low : candles.high;
  return through(leftTurn, far[leftTurn], rightTurn, far[rightTurn]);
}

/** Sizes of shoulders and head about the neckline. */
function measure({ side, near, first, middle, last, leftTurn, rightTurn }: Tops, neckline: Line): Measures {
  const over = (pivot: number) => side * (near[pivot] - valueAt(neckline, pivot));
  const height = over(middle);
  const before = middle - first;
  const after = last - middle;
  const higher = Math.max(side * near[first], side * near[last]);
  return {
    height,
    lead: (side * near[middle] - higher) / height,
    shoulder: Math.min(over(first), over(last)) / height,
    difference: Math.abs(near[first] - near[last]) / height,
    tilt: Math.abs(neckline.slope * (rightTurn - leftTurn)) / height,
    lopsided: Math.max(before, after) / Math.min(before, after),
  };
}

function fits({ height, lead, shoulder, difference, tilt, lopsided }: Measures, range: number): boolean {
  return (
    height >= LEAST_HEIGHT * range &&
    lead >= LEAST_LEAD &&
    shoulder >= LEAST_SHOULDER &&
    shoulder * height >= 0.9 * range &&
    difference <= MOST_DIFFERENCE &&
    tilt <= MOST_TILT &&
    lopsided <= MOST_LOPSIDED
  );
}

function qualityOf({ height, lead, difference, tilt, lopsided }: Measures, range: number): number {
  return mean([
    grade(difference, 0, MOST_DIFFERENCE),
    grade(tilt, 0, MOST_TILT),
    grade(lopsided, 1, MOST_LOPSIDED),
    grade(lead, 0.4, LEAST_LEAD),
    grade(height / range, 5, LEAST_HEIGHT),
  ]);
}

function checksOf({ height, lead, shoulder, difference, tilt, lopsided }: Measures, range: number): Check[] {
  return [
    atLeast("height", height / range, LEAST_HEIGHT),
    atLeast("head_lead", lead, LEAST_LEAD),
    atLeast("shoulder_height", shoulder, LEAST_SHOULDER),
    atMost("shoulder_difference", difference, MOST_DIFFERENCE),
    atMost("neckline_tilt", tilt, MOST_TILT),
    atMost("lopsidedness", lopsided, MOST_LOPSIDED),
  ];
}

function headAndShoulders(side: 1 | -1) {
  const name = side === 1 ? "head_and_shoulders" : "inverse_head_and_shoulders";
  const title = side === 1 ? "Head and Shoulders" : "Inverse Head and Shoulders";
  const variant = turnVariant(name, title, side);
  const [ends, turns, turn] = side === 1 ? ["highs", "lows", "trough"] : ["lows", "highs", "peak"];

  function shapeOf(tops: Tops, series: PatternSeries): ChartShape | null {
    const { near, first, middle, last, leftTurn, rightTurn, range } = tops;
    if (
      middle < 0 ||
      leftTurn < 0 ||
      leftTurn === middle ||
      side * near[middle] <= Math.max(side * near[first], side * near[last])
    )
      return null;
    const neckline = necklineOf(series, tops);
    const measures = measure(tops, neckline);
    if (!fits(measures, range)) return null;
    const { height } = measures;
    const span = last - first;
    const highest = side * near[middle] + MOST_OVER * height;
    const rise = riseInto(series.candles, first, span, side, side * near[first], highest) / height;
    if (rise < LEAST_RISE) return null;
    return shapeOfEnds(series, tops, {
      variant,
      trigger: neckline,
      stop: level(last, near[last]),
      reach: height,
      size: 5,
      quality: () => qualityOf(measures, range),
      points: (formedAt) => [
        endPoint(tops, "left_shoulder", first, formedAt),
        turnPoint(tops, `left_${turn}`, leftTurn, middle),
        endPoint(tops, "head", middle, formedAt),
        turnPoint(tops, `right_${turn}`, rightTurn, last),
        endPoint(tops, "right_shoulder", last, formedAt),
      ],
      checks: () => [...checksOf(measures, range), atLeast("move_into", rise, LEAST_RISE)],
    });
  }

  return defineChart({
    name,
    title,
    variants: [variant],
    bars: 6,
    warmup: CHART_WARMUP,
    description: `Three ${ends} of which the middle one stands out and the others are about alike; a close beyond the line through the ${turns} between them confirms.`,
    source: BOTH_BOOKS,
    sketch: (series, from, to, shapes) => sketchTops(series, [from, to], side, shapes, shapeOf),
  });
}

export const headAndShouldersTop = headAndShoulders(1);

export const inverseHeadAndShoulders = headAndShoulders(-1);
