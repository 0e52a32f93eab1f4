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

/** Points of the way at which gradients are taken: with so many the sum is within 1e-3 of the difference. */
export const ATTRIBUTION_STEPS = 512;
const BATCH = 32;

/**
 * Integrated gradients (M. Sundararajan, A. Taly and Q. Yan 2017) of a logit on the straight way from a flat window,
 * whose values are all 0, to this one, by the midpoint rule. Logits are as the net computes them, before the temperature.
 * @param window by bar and column. @param label place of the class.
 */
export function attributeWindow(
  net: SequenceNet,
  window: Float64Array,
  label: number,
  steps = ATTRIBUTION_STEPS,
): WindowAttribution {
  const { size, values } = net;
  assert(window.length === size.bars * size.columns, `${window.length} values of a window`);
  assert(label >= 0 && label < size.classes && steps >= 1, "the class is one of the net's");
  const pass = createPass(size, values, Math.min(BATCH, Math.max(2, steps)));
  const descent = createDescent(pass);
  const { input, logits } = pass;
  const width = window.length;
  input.fill(0, 0, width);
  input.set(window, width);
  forward(pass, 2);
  const [base, logit] = [logits[label], logits[size.classes + label]];
  descent.logits.fill(0);
  for (let b = 0; b < pass.batch; b++) descent.logits[b * size.classes + label] = 1;
  const parts = new Float64Array(width);
  for (let from = 0; from < steps; from += pass.batch) {
    const count = Math.min(pass.batch, steps - from);
    for (let b = 0; b < count; b++) {
      const share = (from + b + 0.5) / steps;
      for (let i = 0; i < width; i++) input[b * width + i] = share * window[i];
    }
    forward(pass, count);
    backward(pass, descent, count, true);
    for (let b = 0; b < count; b++) {
      for (let i = 0; i < width; i++) parts[i] += descent.input[b * width + i];
    }
  }
  for (let i = 0; i < width; i++) parts[i] *= window[i] / steps;
  return { base, logit, parts };
}
