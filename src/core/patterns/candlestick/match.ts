import { assert } from "../../base/assert.js";
import type { PatternSeries } from "../define.js";
import { mirrorFlags } from "../flags.js";
import type { Sign, Signal } from "./define.js";

/** Flags that one bar of a shape has, all of them. */
export interface BarFlags {
  readonly shape?: number;
  readonly step?: number;
}

export interface Match {
  /** Bars of the shape with a positive value, oldest first. */
  readonly positive?: readonly BarFlags[];
  /** The same of a negative value, or `mirror` for the mirror image of the positive bars. */
  readonly negative?: readonly BarFlags[] | "mirror";
  /** What flags do not say, asked where they all hold. Prices times `sign` let one formula serve both ways. */
  check?(series: PatternSeries, at: number, sign: Sign): boolean;
  /** Value where the positive shape is seen; the negative one has the opposite. 100 when absent. */
  strength?(series: PatternSeries, at: number, sign: Sign): number;
}

/** Flags wanted of one way of the shape: those of bar `at - k` at index k. */
export interface Wanted {
  readonly sign: Sign;
  readonly shape: Int32Array;
  readonly step: Int32Array;
}

/** Value at a bar whose last two bars have the flags wanted. */
type Decide = (series: PatternSeries, at: number, wanted: Wanted) => number;

/** A signal of bars that each have certain flags, and of what `check` adds to that. */
export function matchFlags({ positive, negative, check, strength }: Match): Signal {
  const falling = negative === "mirror" ? mirrorBars(positive ?? []) : negative;
  const ways: Wanted[] = [];
  if (positive !== undefined) ways.push(want(1, positive));
  if (falling !== undefined) ways.push(want(-1, falling));
  const span = Math.max(positive?.length ?? 0, falling?.length ?? 0);
  assert(span > 0, "a shape without bars");

  function decide(series: PatternSeries, at: number, wanted: Wanted): number {
    if (!hasFlags(series, at, wanted, 2)) return 0;
    const { sign } = wanted;
    if (check !== undefined && !check(series, at, sign)) return 0;
    return sign * (strength === undefined ? 100 : strength(series, at, sign));
  }

  const flagsSayAll = span === 1 && check === undefined && strength === undefined;
  const [first, second] = ways;
  if (flagsSayAll) return (series, out, from, to) => matchBar(series, first, second ?? first, out, from, to);
  if (second === undefined) {
    return (series, out, from, to) => matchOneWay(series, first, decide, out, from, to);
  }
  return (series, out, from, to) => matchTwoWays(series, first, second, decide, out, from, to);
}

/** Whether bars `at - first` and older have the flags wanted of them. */
export function hasFlags({ anatomy }: PatternSeries, at: number, wanted: Wanted, first = 0): boolean {
  const { shape, step } = anatomy;
  for (let k = first; k < wanted.shape.length; k++) {
    const missing = (~shape[at - k] & wanted.shape[k]) | (~step[at - k] & wanted.step[k]);
    if (missing !== 0) return false;
  }
  return true;
}

export function mirrorBars(bars: readonly BarFlags[]): BarFlags[] {
  return bars.map(({ shape = 0, step = 0 }) => ({ shape: mirrorFlags(shape), step: mirrorFlags(step) }));
}

export function want(sign: Sign, bars: readonly BarFlags[]): Wanted {
  const length = Math.max(bars.length, 2);
  const wanted = { sign, shape: new Int32Array(length), step: new Int32Array(length) };
  for (const [index, { shape = 0, step = 0 }] of bars.entries()) {
    wanted.shape[bars.length - 1 - index] = shape;
    wanted.step[bars.length - 1 - index] = step;
  }
  return wanted;
}

// Three loops for one condition. Shapes of one bar are frequent and irregular, so their value is computed
// without a branch; longer ones are rare enough for a branch on the last two bars to be predicted.

function matchBar(
  series: PatternSeries,
  first: Wanted,
  second: Wanted,
  out: Int16Array,
  from: number,
  to: number,
): void {
  const { shape, step } = series.anatomy;
  const shape1 = first.shape[0];
  const step1 = first.step[0];
  const shape2 = second.shape[0];
  const step2 = second.step[0];
  const value1 = 100 * first.sign;
  // One way only: the second is the first again and adds nothing.
  const value2 = second === first ? 0 : 100 * second.sign;
  for (let i = from; i < to; i++) {
    const shapeNot = ~shape[i];
    const stepNot = ~step[i];
    const missing1 = (shapeNot & shape1) | (stepNot & step1);
    const missing2 = (shapeNot & shape2) | (stepNot & step2);
    out[i] = Number(missing1 === 0) * value1 + Number(missing2 === 0) * value2;
  }
}

function matchOneWay(
  series: PatternSeries,
  wanted: Wanted,
  decide: Decide,
  out: Int16Array,
  from: number,
  to: number,
): void {
  const { shape, step } = series.anatomy;
  const shapeNow = wanted.shape[0];
  const stepNow = wanted.step[0];
  const shapeBefore = wanted.shape[1];
  const stepBefore = wanted.step[1];
  for (let i = from; i < to; i++) {
    const now = (~shape[i] & shapeNow) | (~step[i] & stepNow);
    const before = (~shape[i - 1] & shapeBefore) | (~step[i - 1] & stepBefore);
    out[i] = (now | before) === 0 ? decide(series, i, wanted) : 0;
  }
}

function matchTwoWays(
  series: PatternSeries,
  first: Wanted,
  second: Wanted,
  decide: Decide,
  out: Int16Array,
  from: number,
  to: number,
): void {
  const { shape, step } = series.anatomy;
  const shapeNow1 = first.shape[0];
  const stepNow1 = first.step[0];
  const shapeBefore1 = first.shape[1];
  const stepBefore1 = first.step[1];
  const shapeNow2 = second.shape[0];
  const stepNow2 = second.step[0];
  const shapeBefore2 = second.shape[1];
  const stepBefore2 = second.step[1];
  for (let i = from; i < to; i++) {
    const shapeNot = ~shape[i];
    const stepNot = ~step[i];
    const shapeNotBefore = ~shape[i - 1];
    const stepNotBefore = ~step[i - 1];
    const now1 = (shapeNot & shapeNow1) | (stepNot & stepNow1);
    const now2 = (shapeNot & shapeNow2) | (stepNot & stepNow2);
    const before1 = (shapeNotBefore & shapeBefore1) | (stepNotBefore & stepBefore1);
    const before2 = (shapeNotBefore & shapeBefore2) | (stepNotBefore & stepBefore2);
    let value = 0;
    if ((now1 | before1) === 0) value = decide(series, i, first);
    else if ((now2 | before2) === 0) value = decide(series, i, second);
    out[i] = value;
  }
}
