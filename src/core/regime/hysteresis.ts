import { createColumn } from "../base/columns.js";
import { UNKNOWN } from "./define.js";

/** Lead over the present label at which another takes its place. */
export const SWITCH_LEAD = 0.12;

/** Bars after which a label no longer depends on those before, at the latest. */
export const REPLAY_BARS = 100;

/**
 * Labels that do not flicker: one stays until another fits better by `SWITCH_LEAD`. Memory ends: where one label leads
 * all others by so much it is the label whatever was before, and where that has not happened for `REPLAY_BARS` bars
 * the labels of these bars are gone through again from the best fitting one at the first of them.
 * @param fits one column a label; NaN throughout a bar that has none.
 */
export function steadyLabels(fits: readonly Float64Array[], length: number): Int8Array {
  const labels = new Int8Array(length).fill(UNKNOWN);
  const { best, lead } = bestLabels(fits, length);
  /** The last bar whose label owes nothing to those before it. */
  let settledAt = -1;
  let label = UNKNOWN;
  for (let i = 0; i < length; i++) {
    if (Number.isNaN(fits[0][i])) {
      label = UNKNOWN;
      continue;
    }
    if (label === UNKNOWN || lead[i] >= SWITCH_LEAD) settledAt = i;
    label = i - settledAt < REPLAY_BARS ? nextLabel(fits, label, best[i], i) : replay(fits, best, i);
    labels[i] = label;
  }
  return labels;
}

function replay(fits: readonly Float64Array[], best: Int8Array, to: number): number {
  let label = UNKNOWN;
  for (let i = to - REPLAY_BARS + 1; i <= to; i++) label = nextLabel(fits, label, best[i], i);
  return label;
}

function nextLabel(fits: readonly Float64Array[], label: number, best: number, i: number): number {
  if (label === UNKNOWN) return best;
  return fits[best][i] - fits[label][i] >= SWITCH_LEAD ? best : label;
}

/** The label that fits best at each bar, the first of several, and by how much it leads the next. */
function bestLabels(fits: readonly Float64Array[], length: number): { best: Int8Array; lead: Float64Array } {
  const best = new Int8Array(length);
  const highest = fits[0].slice();
  const lead = createColumn(length).fill(Number.POSITIVE_INFINITY);
  for (let label = 1; label < fits.length; label++) {
    const fit = fits[label];
    for (let i = 0; i < length; i++) {
      const ahead = fit[i] - highest[i];
      if (ahead > 0) {
        best[i] = label;
        highest[i] = fit[i];
        lead[i] = ahead;
      } else if (-ahead < lead[i]) lead[i] = -ahead;
    }
  }
  return { best, lead };
}
