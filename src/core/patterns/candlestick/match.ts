import { assert } from "../../base/assert.js";
import type { PatternSeries } from "../define.js";
import { mirrorFlags } from "../flags.js";
import { REPEATED } from "../shape.js";
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

/** Bars of which the flags are looked at before anything else. */
const SHARED_BARS = 3;

/** Flags wanted of one way of the shape: those of bar `at - k` at index k. */
export interface Wanted {
  readonly sign: Sign;
  readonly shape: Int32Array;
  /** Step flags, and the shape flags that the step column repeats. */
  readonly step: Int32Array;
  /** Whether there are older bars or flags of the shape column alone. */
  readonly hasMore: boolean;
}

/** A signal of bars that each have certain flags, and of what `check` adds to that. */
export function matchFlags({ positive, negative, check, strength }: Match): Signal {
  const falling = negative === "mirror" ? mirrorBars(positive ?? []) : negative;
  const ways: Wanted[] = [];
  if (positive !== undefined) ways.push(want(1, positive));
  if (falling !== undefined) ways.push(want(-1, falling));
  const [first, second] = ways;
  assert(first !== undefined, "a shape without bars");

  /** Value at a bar of which the last three bars have the flags that one column shows. */
  function decide(series: PatternSeries, at: number, wanted: Wanted): number {
    if (wanted.hasMore && !hasFlags(series, at, wanted)) return 0;
    const { sign } = wanted;
    if (check !== undefined && !check(series, at, sign)) return 0;
    return sign * (strength === undefined ? 100 : strength(series, at, sign));
  }

  const alone = [positive, falling].every((bars) => bars === undefined || isAlone(bars));
  if (alone && check === undefined && strength === undefined) {
    return second === undefined
      ? (series, out, from, to) => matchBar(series.anatomy.shape, first, out, from, to)
      : (series, out, from, to) => matchBarEitherWay(series.anatomy.shape, first, second, out, from, to);
  }
  const column = alone ? "shape" : "step";
  return (series, out, from, to) => {
    const flags = series.anatomy[column];
    out.fill(0, from, to);
    for (let start = from; start < to; start += BLOCK) {
      const end = Math.min(start + BLOCK, to);
      for (let way = 0; way < ways.length; way++) {
        const wanted = ways[way];
        const count = collect(flags, wanted[column], start, end);
        for (let k = 0; k < count; k++) {
          const value = decide(series, candidates[k], wanted);
          if (value !== 0) out[candidates[k]] = value;
        }
      }
    }
  };
}

/** Whether a shape is one bar by itself. */
function isAlone(bars: readonly BarFlags[]): boolean {
  return bars.length === 1 && (bars[0].step ?? 0) === 0;
}

export function mirrorBars(bars: readonly BarFlags[]): BarFlags[] {
  return bars.map(({ shape = 0, step = 0 }) => ({ shape: mirrorFlags(shape), step: mirrorFlags(step) }));
}

export function want(sign: Sign, bars: readonly BarFlags[]): Wanted {
  const length = Math.max(bars.length, SHARED_BARS);
  const shapes = new Int32Array(length);
  const steps = new Int32Array(length);
  for (const [index, { shape = 0, step = 0 }] of bars.entries()) {
    shapes[bars.length - 1 - index] = shape;
    steps[bars.length - 1 - index] = step | (shape & REPEATED);
  }
  const unrepeated = bars.some(({ shape = 0 }) => (shape & ~REPEATED) !== 0);
  const hasMore = bars.length > SHARED_BARS || (unrepeated && !isAlone(bars));
  return { sign, shape: shapes, step: steps, hasMore };
}

/** Whether the bars up to `at` have the flags wanted of them. */
export function hasFlags({ anatomy }: PatternSeries, at: number, wanted: Wanted): boolean {
  const { shape, step } = anatomy;
  for (let k = 0; k < wanted.shape.length; k++) {
    const missing = (~shape[at - k] & wanted.shape[k]) | (~step[at - k] & wanted.step[k]);
    if (missing !== 0) return false;
  }
  return true;
}

// Shapes of one bar are frequent and irregular, so their value is computed without a branch.

function matchBar(shape: Int32Array, wanted: Wanted, out: Int16Array, from: number, to: number): void {
  const flags = wanted.shape[0];
  const value = 100 * wanted.sign;
  for (let i = from; i < to; i++) {
    out[i] = Number((~shape[i] & flags) === 0) * value;
  }
}

function matchBarEitherWay(
  shape: Int32Array,
  first: Wanted,
  second: Wanted,
  out: Int16Array,
  from: number,
  to: number,
): void {
  const rising = first.shape[0];
  const falling = second.shape[0];
  for (let i = from; i < to; i++) {
    const not = ~shape[i];
    out[i] = 100 * (Number((not & rising) === 0) - Number((not & falling) === 0));
  }
}

// Longer shapes are rare. One loop, small enough to run at the speed of the memory, collects the bars at which
// one column does not rule them out; the rest is asked of those bars alone.

const BLOCK = 1024;
/** The bars collected last. */
const candidates = new Int32Array(BLOCK);

/** Collects the bars in [from, to), a block at most, that with the two before them have the flags wanted. */
function collect(flags: Int32Array, wanted: Int32Array, from: number, to: number): number {
  const now = wanted[0];
  const before = wanted[1];
  const older = wanted[2];
  let count = 0;
  let a = ~flags[from - 2];
  let b = ~flags[from - 1];
  let i = from;
  // Four bars share a branch that is hardly ever taken.
  for (; i + 3 < to; i += 4) {
    const c = ~flags[i];
    const d = ~flags[i + 1];
    const e = ~flags[i + 2];
    const f = ~flags[i + 3];
    const missing0 = (c & now) | (b & before) | (a & older);
    const missing1 = (d & now) | (c & before) | (b & older);
    const missing2 = (e & now) | (d & before) | (c & older);
    const missing3 = (f & now) | (e & before) | (d & older);
    a = e;
    b = f;
    if (missing0 === 0 || missing1 === 0 || missing2 === 0 || missing3 === 0) {
      if (missing0 === 0) candidates[count++] = i;
      if (missing1 === 0) candidates[count++] = i + 1;
      if (missing2 === 0) candidates[count++] = i + 2;
      if (missing3 === 0) candidates[count++] = i + 3;
    }
  }
  for (; i < to; i++) {
    const c = ~flags[i];
    if (((c & now) | (b & before) | (a & older)) === 0) candidates[count++] = i;
    a = b;
    b = c;
  }
  return count;
}
