/** Writes the softmax of the logits of one window, divided by a temperature. */
export function softmaxRow(
  logits: Float64Array,
  at: number,
  classes: number,
  temperature: number,
  into: Float64Array,
  to: number,
): void {
  let most = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < classes; k++) if (logits[at + k] > most) most = logits[at + k];
  let sum = 0;
  for (let k = 0; k < classes; k++) {
    const weight = Math.exp((logits[at + k] - most) / temperature);
    into[to + k] = weight;
    sum += weight;
  }
  for (let k = 0; k < classes; k++) into[to + k] /= sum;
}

/**
 * Sum of the cross-entropies of windows with their labels, and the gradient of their mean. Labels may be smoothed: of
 * each the share `smoothing` is spread evenly over all classes (C. Szegedy et al. 2016).
 * @param labels class of each window. @param gradient room for that of the logits, by window and class.
 */
export function crossEntropy(
  logits: Float64Array,
  labels: Uint8Array,
  count: number,
  classes: number,
  smoothing: number,
  gradient: Float64Array,
): number {
  const rest = smoothing / classes;
  let loss = 0;
  for (let b = 0; b < count; b++) {
    const row = b * classes;
    softmaxRow(logits, row, classes, 1, gradient, row);
    for (let k = 0; k < classes; k++) {
      const target = k === labels[b] ? 1 - smoothing + rest : rest;
      const chance = gradient[row + k];
      if (target > 0) loss -= target * Math.log(Math.max(chance, 1e-300));
      gradient[row + k] = (chance - target) / count;
    }
  }
  return loss;
}
