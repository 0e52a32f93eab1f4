import { assert } from "../../base/assert.js";
import { backward, createDescent } from "./backward.js";
import { createPass, forward } from "./forward.js";
import type { SequenceNet } from "./net.js";

/** What each value of a window did to the logit of a class. */
export interface WindowAttribution {
  /** Logit of the class for a flat window, and for this one. */
  readonly base: number;
  readonly logit: number;
  /** By bar and column, as the window: they sum to the difference of the two logits. */
  readonly parts: Float64Array;
}

/** Stretches that the way is cut into at first. */
const FIRST_STRETCHES = 32;
/** Stretches are halved until each sums to its own difference within this, or so many gradients were taken. */
const STRETCH_ERROR = 2e-5;
export const MOST_GRADIENTS = 4_096;
const BATCH = 32;

/** A stretch of the way, as shares of it, with the logits at both ends. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Integrated gradients (M. Sundararajan, A. Taly and Q. Yan 2017) of a logit on the straight way from a flat window,
 * whose values are all 0, to this one. Gradients are taken in the middle of stretches; where a rectifier opens or closes
 * within one it is halved, so that all of them together are within 1e-3 of the difference of the logits, which are those
 * before the temperature.
 * @param window by bar and column. @param label place of the class.
 */
export function attributeWindow(net: SequenceNet, window: Float64Array, label: number): WindowAttribution {
  const { size, values } = net;
  assert(window.length === size.bars * size.columns, `${window.length} values of a window`);
  assert(label >= 0 && label < size.classes, "the class is one of the net's");
  const pass = createPass(size, values, BATCH);
  const descent = createDescent(pass);
  const { classes } = size;
  const width = window.length;
  descent.logits.fill(0);
  for (let b = 0; b < BATCH; b++) descent.logits[b * classes + label] = 1;
  /** Logits at shares of the way; the gradients of the windows stay in `descent`. */
  const visit = (shares: readonly number[]): number[] => {
    for (const [b, share] of shares.entries()) {
      for (let i = 0; i < width; i++) pass.input[b * width + i] = share * window[i];
    }
    forward(pass, shares.length);
    backward(pass, descent, shares.length, true);
    return shares.map((_, b) => pass.logits[b * classes + label]);
  };
  const [base, logit] = visit([0, 1]);
  const inner = visit(Array.from({ length: FIRST_STRETCHES - 1 }, (_, n) => (n + 1) / FIRST_STRETCHES));
  const edges = [base, ...inner, logit];
  const open = edges.slice(1).map((high, n): Stretch => {
    return { from: n / FIRST_STRETCHES, to: (n + 1) / FIRST_STRETCHES, low: edges[n], high };
  });
  const parts = new Float64Array(width);
  for (let taken = 0; open.length > 0; ) {
    const chosen = open.splice(0, BATCH);
    const middles = visit(chosen.map(({ from, to }) => (from + to) / 2));
    taken += chosen.length;
    for (const [b, { from, to, low, high }] of chosen.entries()) {
      const slopes = descent.input.subarray(b * width, (b + 1) * width);
      let sum = 0;
      for (let i = 0; i < width; i++) sum += slopes[i] * window[i];
      const middle = (from + to) / 2;
      if (Math.abs(sum * (to - from) - (high - low)) > STRETCH_ERROR && taken < MOST_GRADIENTS) {
        open.push({ from, to: middle, low, high: middles[b] }, { from: middle, to, low: middles[b], high });
        continue;
      }
      for (let i = 0; i < width; i++) parts[i] += (to - from) * slopes[i] * window[i];
    }
  }
  return { base, logit, parts };
}
