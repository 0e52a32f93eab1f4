import { assert } from "../base/assert.js";

/**
 * Average uniqueness of labels that overlap: the mean, over the bars a label hangs on, of 1 by the number of labels that
 * hang on the bar too; in (0, 1], 1 for a label that shares no bar. M. López de Prado, Advances in Financial Machine
 * Learning 2018, section 4.4.
 * @param first bar of each entry. @param last bar that settled it, that or a later one.
 */
export function averageUniqueness(first: Int32Array, last: Int32Array): Float64Array {
  const bars = last.reduce((most, at) => Math.max(most, at + 1), 0);
  const change = new Int32Array(bars + 1);
  for (let k = 0; k < first.length; k++) {
    assert(first[k] >= 0 && first[k] <= last[k], `label ${k} ends before it begins`);
    change[first[k]]++;
    change[last[k] + 1]--;
  }
  const shares = new Float64Array(bars + 1);
  for (let i = 0, open = 0; i < bars; i++) {
    open += change[i];
    shares[i + 1] = shares[i] + (open === 0 ? 0 : 1 / open);
  }
  return Float64Array.from(first, (from, k) => {
    const bars = last[k] + 1 - from;
    return (shares[last[k] + 1] - shares[from]) / bars;
  });
}
