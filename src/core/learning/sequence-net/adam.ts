/** Moments of a gradient, by parameter, and how often they were updated. */
export interface Moments {
  readonly first: Float64Array;
  readonly second: Float64Array;
  steps: number;
}

export function createMoments(length: number): Moments {
  return { first: new Float64Array(length), second: new Float64Array(length), steps: 0 };
}

const FIRST_DECAY = 0.9;
const SECOND_DECAY = 0.999;
const LEAST = 1e-8;

/**
 * Moves parameters in place by one step of Adam (D. Kingma and J. Ba 2015), after the gradient was scaled down to a
 * norm of `limit` at most (R. Pascanu et al. 2013).
 */
export function adamStep(
  values: Float64Array,
  gradient: Float64Array,
  moments: Moments,
  rate: number,
  limit: number,
): void {
  let squares = 0;
  for (let i = 0; i < gradient.length; i++) squares += gradient[i] * gradient[i];
  const norm = Math.sqrt(squares);
  const scale = norm > limit ? limit / norm : 1;
  moments.steps++;
  const { first, second, steps } = moments;
  const step = rate / (1 - FIRST_DECAY ** steps);
  const correction = 1 / (1 - SECOND_DECAY ** steps);
  for (let i = 0; i < values.length; i++) {
    const slope = gradient[i] * scale;
    const mean = FIRST_DECAY * first[i] + (1 - FIRST_DECAY) * slope;
    const square = SECOND_DECAY * second[i] + (1 - SECOND_DECAY) * slope * slope;
    first[i] = mean;
    second[i] = square;
    values[i] -= (step * mean) / (Math.sqrt(square * correction) + LEAST);
  }
}
